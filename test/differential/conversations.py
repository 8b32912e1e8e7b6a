"""Conversations of the protocols that are simpler than TCP."""
from icmp_errors import icmp_error

UDP_FAULTS = ("bad-checksum", "no-checksum", "udp-length 7", "udp-length 2000", "udp-length 8",
              "udp-length 0", "transport-cut 7", "transport-cut 4", "transport-cut 2",
              "transport-cut 0")
ICMP_FAULTS = ("bad-checksum", "no-checksum", "transport-cut 7", "transport-cut 4")
ICMP4_KINDS = ("13/0", "14/0", "15/0", "16/0", "17/0", "18/0", "8/1", "0/1", "9/0", "10/0", "19/0",
               "30/0", "42/0")
ICMP6_KINDS = ("139/0", "140/0", "128/1", "129/1", "132/0", "141/0", "153/0", "200/0", "137/0")
EXTENSIONS = ("ext hop-by-hop", "ext destination", "ext ah", "ext hop-by-hop ext destination",
              "ext destination ext ah", "ext routing", "exts 9 destination")

# Faults and oddities of the IP header that a router does not look at or answers with silence.
HEADER4 = ("pad 4", "ip-length 20", "ip-length 24", "ip-length 28", "ip-length 30", "ip-length 2000",
           "ihl 4", "ihl 6", "ihl 15", "version 6", "bad-ip-checksum", "ip-options 01010101",
           "ip-options 00000000", "ip-options 94040000", "ip-options 9e040102", "tos 255", "df")
HEADER6 = ("pad 4", "ip-length 0", "ip-length 4", "ip-length 8", "ip-length 2000", "version 4",
           "tos 255", "next-header 59", "next-header 6", "next-header 1")


class Conversation:
    """Two hosts, the first usually inside. A kind of conversation says what a packet() is."""

    def __init__(self, rng, v6):
        self.rng, self.v6 = rng, v6
        self.hosts = [f"in{rng.choice((1, 1, 2))}{v6}", f"out{rng.choice((1, 1, 2))}{v6}"]
        if rng.random() < 0.15:
            self.hosts.reverse()
        self.history = []
        self.bad = rng.choice((0, 0.1, 0.3))

    def way(self, sender):
        return "inside" if self.hosts[sender].startswith("in") else "outside"

    def end(self, number, port):
        host = f"[{self.hosts[number]}]" if self.v6 else self.hosts[number]
        return f"{host}:{port}"

    def step(self):
        if self.history and self.rng.random() < 0.15:
            return [icmp_error(self.rng, self.history, self.v6)]
        line = self.packet(int(self.rng.random() < 0.45))
        self.history.append(line)
        return [line]

    def with_ports(self, protocol, sender, ports):
        ends = [self.end(i, ports[i]) for i in (0, 1)]
        return [self.way(sender), protocol, ends[sender], ">", ends[1 - sender]]

    def without_ports(self, protocol, sender):
        return [self.way(sender), protocol, self.hosts[sender], ">", self.hosts[1 - sender]]

    def is_bad(self):
        return self.rng.random() < self.bad

    def header_words(self):
        words = []
        if self.v6 and self.rng.random() < 0.1:
            words.append(self.rng.choice(EXTENSIONS))
        if self.rng.random() < self.bad * 0.5:
            words.append(self.rng.choice(HEADER6 if self.v6 else HEADER4))
        return words


class DatagramConversation(Conversation):
    def __init__(self, rng, v6):
        super().__init__(rng, v6)
        self.ports = rng.choice((5000, 5000, 5001)), rng.choice((53, 53, 0))

    def packet(self, sender):
        words = self.with_ports("udp", sender, self.ports)
        words.append(f"len {self.rng.choice((0, 1, 30, 400))}")
        if self.is_bad():
            words.append(self.rng.choice(UDP_FAULTS))
        return " ".join(words + self.header_words())


class LiteConversation(Conversation):
    """UDP-Lite. Linux sums the checksum with the protocol number of UDP."""

    def __init__(self, rng, v6):
        super().__init__(rng, v6)
        self.ports = rng.choice((5000, 5001)), 53

    def packet(self, sender):
        rng = self.rng
        words = self.with_ports("udplite", sender, self.ports)
        words.append(f"len {rng.choice((0, 1, 30, 300))}")
        if rng.random() < 0.9:
            words.append("sum-as 17")
        if rng.random() < 0.4:
            words.append(f"coverage {rng.choice((0, 1, 7, 8, 9, 20, 38, 39, 308, 400))}")
        if self.is_bad():
            words.append(rng.choice(("bad-checksum", "no-checksum", "transport-cut 7")))
        return " ".join(words)


class EchoConversation(Conversation):
    def packet(self, sender):
        rng = self.rng
        kind = "echo-reply" if sender else "echo-request"
        if rng.random() < 0.15:
            kind = rng.choice(("echo-reply", "echo-request"))
        if self.is_bad():
            kind = rng.choice(ICMP6_KINDS if self.v6 else ICMP4_KINDS)
        words = self.without_ports("icmp", sender)
        words += [kind, f"id {rng.choice((7, 7, 7, 8, 0))}", f"seq {rng.randrange(3)}",
                  f"len {rng.choice((0, 8, 56))}"]
        if self.is_bad():
            words.append(rng.choice(ICMP_FAULTS))
        return " ".join(words + self.header_words())


class OtherConversation(Conversation):
    """Protocols that nobody knows better; by address pair."""

    def __init__(self, rng, v6):
        super().__init__(rng, v6)
        self.protocol = rng.choice((253, 253, 50, 4, 89, 33))

    def packet(self, sender):
        words = self.without_ports("ip", sender)
        return " ".join([*words, f"proto {self.protocol}", f"len {self.rng.choice((0, 4, 8, 40))}"])


class GreConversation(Conversation):
    def __init__(self, rng, v6):
        super().__init__(rng, v6)
        self.calls = rng.choice(((7, 9), (7, 7), (None, None)))

    def packet(self, sender):
        rng = self.rng
        words = self.without_ports("gre", sender)
        if self.calls[sender] is not None:
            words.append(f"call {self.calls[sender]}")
        elif rng.random() < 0.3:
            words.append(f"key {rng.choice((1, 99))}")
        if self.is_bad():
            words.append(rng.choice(("gre-version 1", "gre-version 2", "carries 0x0800",
                                     "transport-cut 3", "transport-cut 7", "transport-cut 0")))
        return " ".join([*words, f"len {rng.choice((0, 8, 40))}"])


class SctpConversation(Conversation):
    LIFE = ((0, "init"), (1, "init-ack"), (0, "cookie-echo"), (1, "cookie-ack"), (0, "data"),
            (1, "sack"), (0, "shutdown"), (1, "shutdown-ack"), (0, "shutdown-complete"))
    CHUNKS = ("data", "init", "init-ack", "sack", "heartbeat", "heartbeat-ack", "abort", "shutdown",
              "shutdown-ack", "error", "cookie-echo", "cookie-ack", "shutdown-complete",
              "chunk 64 4", "chunk 192 8")

    def __init__(self, rng, v6):
        super().__init__(rng, v6)
        self.ports = rng.choice((5000, 5000, 5001)), 80
        self.tags = [rng.choice((77, 0xffffffff, 1)), rng.choice((99, 77, 0x80000000))]
        self.script = list(self.LIFE)[rng.choice((0, 0, 0, 0, 1, 3, 4)):]

    def step(self):
        return super().step()

    def packet(self, sender):
        rng = self.rng
        if self.script and rng.random() < 0.8:
            sender, chunk = self.script.pop(0)
        else:
            chunk = rng.choice(self.CHUNKS)
        words = self.with_ports("sctp", sender, self.ports)
        tag = 0 if chunk == "init" else self.tags[1 - sender]
        if self.is_bad():
            tag = rng.choice((0, 1, *self.tags, rng.getrandbits(32)))
        words += [f"vtag {tag}", self.chunk(chunk, sender)]
        if rng.random() < 0.15:
            words.append(self.chunk(rng.choice(self.CHUNKS), sender))
        if rng.random() < self.bad * 0.3:
            words.append(rng.choice(("chunk-length 0", "chunk-length 3", "chunk-length 5",
                                     "chunk-length 200", "bad-checksum", "transport-cut 11",
                                     "transport-cut 14", "transport-cut 3")))
        return " ".join(words)

    def chunk(self, name, sender):
        rng = self.rng
        if name in ("init", "init-ack"):
            tag = self.tags[sender] if rng.random() < 0.85 else rng.choice((0, 5, 77))
            return f"{name} tag {tag}"
        if name in ("abort", "shutdown-complete") and rng.random() < 0.3:
            return f"{name} reflected"
        return name


class FragmentConversation(Conversation):
    """Datagrams in pieces: in order and not, twice, too few, overlapping, of the wrong size."""

    def __init__(self, rng, v6):
        super().__init__(rng, v6)
        self.pending = []
        self.next_id = rng.choice((1, 100, 0xfffe))

    def step(self):
        while not self.pending:
            self.pending = self.pieces(int(self.rng.random() < 0.4))
        return [self.pending.pop(0)]

    def whole(self, sender):
        rng = self.rng
        kind, size = rng.choice(("udp", "udp", "tcp", "icmp")), rng.choice((900, 1400, 1800))
        if kind == "icmp":
            words = self.without_ports("icmp", sender)
            words.append("echo-reply id 7" if sender else "echo-request id 7")
        else:
            words = self.with_ports(kind, sender, (5000, 53))
            if kind == "tcp":
                words.append(f"{rng.choice(('S', '.', 'P.'))} seq 1000 ack 1000")
        words.append(f"len {size}")
        if self.is_bad():
            words.append("bad-checksum")
        return words[0], " ".join(words[1:]), size + {"udp": 8, "icmp": 8, "tcp": 20}[kind]

    def pieces(self, sender):
        rng = self.rng
        side, line, size = self.whole(sender)
        if rng.random() < 0.2:
            return [f"{side} {line}".replace("len 1800", "len 9")]
        count = rng.choice((1, 1, 2, 3))
        cuts = sorted({0, *(8 * rng.randrange(1, size // 8) for _ in range(count))})
        ranges = [[first, end, ""] for first, end in zip(cuts, [*cuts[1:], size])]
        self.spoil(ranges, size)
        if rng.random() > 0.2:
            self.next_id = (self.next_id + 1) & 0xffff
        return [f"{side} {line} piece {first}+{end - first} id {self.next_id}{kind}"
                for first, end, kind in ranges if end - first <= 1440]

    def spoil(self, ranges, size):
        rng, roll = self.rng, self.rng.random()
        one = rng.choice(ranges)
        if roll < 0.25:
            ranges.reverse()
        elif roll < 0.4:
            rng.shuffle(ranges)
        elif roll < 0.48:
            ranges.remove(one)
        elif roll < 0.56:
            ranges.insert(rng.randrange(len(ranges) + 1), list(one))
        elif roll < 0.64:
            one[0] = max(0, one[0] - 8)
        elif roll < 0.72:
            one[1] = min(size, one[1] + 8)
        elif roll < 0.76:
            one[1] -= rng.choice((1, 4))
        elif roll < 0.8:
            one[2] = rng.choice((" more", " last"))
