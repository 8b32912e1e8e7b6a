"""Conversations of the protocols that are simpler than TCP."""
from tcp_conversation import icmp_error


def bracketed(host, port, v6):
    return f"[{host}]:{port}" if v6 else f"{host}:{port}"


class Conversation:
    """Two hosts; the first is usually inside."""

    def __init__(self, rng, v6):
        self.rng, self.v6 = rng, v6
        self.hosts = [f"in{rng.choice((1, 1, 2))}{v6}", f"out{rng.choice((1, 1, 2))}{v6}"]
        if rng.random() < 0.15:
            self.hosts.reverse()
        self.history = []
        self.bad = rng.choice((0, 0.1, 0.3))

    def way(self, sender):
        return "inside" if self.hosts[sender].startswith("in") else "outside"

    def step(self):
        if self.history and self.rng.random() < 0.15:
            return [icmp_error(self.rng, self.history, self.v6)]
        sender = int(self.rng.random() < 0.45)
        line = self.packet(sender)
        self.history.append(line)
        return [line]


class DatagramConversation(Conversation):
    def __init__(self, rng, v6):
        super().__init__(rng, v6)
        self.ports = [rng.choice((5000, 5000, 5001)), rng.choice((53, 53, 0))]

    def packet(self, sender):
        rng = self.rng
        ends = [bracketed(self.hosts[i], self.ports[i], self.v6) for i in (0, 1)]
        words = [self.way(sender), "udp", ends[sender], ">", ends[1 - sender],
                 f"len {rng.choice((0, 1, 30, 400))}"]
        if rng.random() < self.bad:
            words.append(rng.choice(("bad-checksum", "no-checksum", "udp-length 7", "udp-length 2000",
                                     "udp-length 8", "udp-length 0", "transport-cut 7",
                                     "transport-cut 4", "transport-cut 2", "transport-cut 0")))
        return " ".join(words)


class EchoConversation(Conversation):
    def packet(self, sender):
        rng = self.rng
        kind = "echo-reply" if sender else "echo-request"
        if rng.random() < 0.15:
            kind = rng.choice(("echo-reply", "echo-request"))
        if rng.random() < self.bad:
            if self.v6:
                kind = rng.choice(("139/0", "140/0", "128/1", "129/1", "132/0", "141/0", "153/0", "200/0"))
            else:
                kind = rng.choice(("13/0", "14/0", "15/0", "16/0", "17/0", "18/0", "8/1", "0/1", "9/0",
                                   "10/0", "19/0", "30/0", "42/0"))
        words = [self.way(sender), "icmp", self.hosts[sender], ">", self.hosts[1 - sender], kind,
                 f"id {rng.choice((7, 7, 7, 8, 0))}", f"seq {rng.randrange(3)}", f"len {rng.choice((0, 8, 56))}"]
        if rng.random() < self.bad:
            words.append(rng.choice(("bad-checksum", "no-checksum", "transport-cut 7", "transport-cut 4")))
        return " ".join(words)


class OtherConversation(Conversation):
    """Protocols that nobody knows better; by address pair."""

    def __init__(self, rng, v6):
        super().__init__(rng, v6)
        self.protocol = rng.choice((253, 253, 50, 4, 89, 33))

    def packet(self, sender):
        return " ".join([self.way(sender), "ip", self.hosts[sender], ">", self.hosts[1 - sender],
                         f"proto {self.protocol}", f"len {self.rng.choice((0, 4, 8, 40))}"])


class SctpConversation(Conversation):
    pass


class FragmentConversation(Conversation):
    pass
