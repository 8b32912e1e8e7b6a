"""ICMP errors about packets that were sent, mostly as routers and hosts would send them."""

ERRORS4 = ("3/0", "3/1", "3/3", "3/4", "4/0", "5/1", "11/0", "11/1", "12/0")
ERRORS6 = ("1/0", "1/4", "2/0", "3/0", "4/1", "100/0", "127/0")
FAULTS = ("bad-checksum", "no-checksum")


def host_of(endpoint):
    return endpoint.rpartition(":")[0].strip("[]") if ":" in endpoint else endpoint


def icmp_error(rng, history, v6):
    """A line about one of the lines of `history`."""
    way, _, packet = rng.choice(history[-6:]).partition(" ")
    words = packet.split()
    sender, receiver = host_of(words[1]), host_of(words[3])
    side = "outside" if way == "inside" else "inside"
    router = ("out3" if side == "outside" else "in3") + v6
    source, destination = rng.choice((router, receiver)), sender
    roll = rng.random()
    if roll < 0.1:  # not to the sender
        destination = ("in4" if side == "outside" else "out4") + v6
    elif roll < 0.2:  # about a packet that went the other way
        source, destination, side = sender, receiver, way
    size = 1200 if v6 else 548  # what RFC 4443 and RFC 1812 have room for
    if rng.random() < 0.25:
        size = (40 if v6 else 20) + rng.choice((-8, 0, 2, 4, 7, 8, 12, 20, 28))
    fault = ["bad-checksum"] if rng.random() < 0.05 else []
    quoted = " ".join(word for word in words if word not in FAULTS)
    return " ".join([side, "icmp", source, ">", destination, "error",
                     rng.choice(ERRORS6 if v6 else ERRORS4), f"quote {size}", *fault, "about",
                     quoted])
