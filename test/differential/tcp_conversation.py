"""One TCP conversation as two hosts might have it, and what a mischievous third sends into it."""
from icmp_errors import icmp_error

MASK = 0xffffffff
LEGAL_FLAGS = ("S", "SA", ".", "P.", "F.", "R", "RA")
ODD_FLAGS = ("none", "F", "SF", "SR", "FPU", "SAU", "UR", "SU", "SP", "SEC", "U.", "FR", "SFA",
             "E.", "FSRPAU", "FA.U", "P", "C.", "RAF")
ISNS = (1000, 0, 0xfffffff0, 0x7fffff00, 0x80000010)
WINDOWS = (0, 1, 2, 100, 500, 1000, 1000, 4096, 65535, 65535, 65535)
BROKEN_OPTIONS = ("hex=0303", "hex=05", "hex=0500", "hex=0301", "hex=02ff", "hex=0a0200")
PAYLOADS = (1, 1, 10, 100, 536, 1000, 1400)


class Side:
    """What a host has sent, as far as a tracker can know it."""

    def __init__(self, rng):
        self.isn = rng.choice(ISNS) if rng.random() < 0.6 else rng.getrandbits(32)
        self.next = self.isn   # sequence number of its next byte
        self.acked = None      # the highest acknowledgement it sent
        self.window = rng.choice(WINDOWS)
        self.scale = 0
        self.sent_syn = False

    def reach(self):
        return self.window << self.scale


class TcpConversation:
    def __init__(self, rng, v6):
        self.rng = rng
        client = f"in{rng.choice((1, 1, 1, 2))}{v6}"
        server = f"out{rng.choice((1, 1, 1, 2))}{v6}"
        if rng.random() < 0.1:  # opened from outside
            client, server = server, client
        ports = rng.choice((4000, 4000, 4001)), rng.choice((80, 80, 443))
        bracket = "[{}]:{}" if v6 else "{}:{}"
        self.ends = [bracket.format(client, ports[0]), bracket.format(server, ports[1])]
        self.ways = ["inside" if client.startswith("in") else "outside"]
        self.ways.append("outside" if self.ways[0] == "inside" else "inside")
        self.bad = rng.choice((0.05, 0.15, 0.3, 0.6))  # how often something is wrong
        self.options = rng.random() < 0.4
        self.v6 = v6
        self.history = []
        self.script = self.choose_script()
        self.restart()

    def restart(self):
        self.sides = [Side(self.rng), Side(self.rng)]

    def choose_script(self):
        """The start of a usual life: (sender, flags)."""
        openings = ([(0, "S"), (1, "SA"), (0, ".")],) * 6 + (
            [(0, "S"), (1, "S"), (0, "SA"), (1, "SA")], [(0, "."), (1, ".")],
            [(0, "P."), (1, "."), (0, ".")], [(0, "S"), (1, "RA")], [(0, "S"), (1, ".")],
            [(0, "S"), (0, "S"), (1, "SA")], [])
        closings = ([], [], [(0, "F."), (1, "."), (1, "F."), (0, ".")],
                    [(1, "F."), (0, "F."), (1, "."), (0, ".")], [(0, "F."), (1, "F."), (0, ".")],
                    [(0, "R")], [(1, "R")], [(1, "RA")])
        middle = [(self.rng.randrange(2), self.rng.choice(("P.", ".", "P.")))
                  for _ in range(self.rng.randrange(4))]
        reopening = self.rng.choice(([], [], [(0, "S"), (1, "SA"), (0, ".")],
                                     [(0, "S"), (1, "."), (0, "R"), (0, "S")],
                                     [(1, "S"), (0, "SA")]))
        return [*self.rng.choice(openings), *middle, *self.rng.choice(closings), *reopening]

    def step(self):
        roll = self.rng.random()
        if self.history and roll < 0.06:
            return [self.rng.choice(self.history[-4:])]  # a retransmission
        if self.history and roll < 0.10:
            return [icmp_error(self.rng, self.history, self.v6)]
        if self.script and roll < 0.85:
            sender, flags = self.script.pop(0)
        else:
            sender, flags = self.rng.randrange(2), self.rng.choice(LEGAL_FLAGS)
        if self.rng.random() < self.bad * 0.2:
            flags = self.rng.choice(ODD_FLAGS)
        line = self.segment(sender, flags)
        self.history.append(line)
        return [line]

    # -- one segment -----------------------------------------------------------------------------

    def segment(self, sender, flags):
        rng, me, peer = self.rng, self.sides[sender], self.sides[1 - sender]
        if "S" in flags and me.sent_syn and rng.random() < 0.5:
            me.isn = (me.next + rng.choice((64000, 100000, 1 << 30, -5000))) & MASK
            me.next = me.isn
        is_wrong = rng.random() < self.bad
        seq = self.sequence_number(me, peer, flags, is_wrong and rng.random() < 0.7)
        ack = self.acknowledgement(me, peer, is_wrong and rng.random() < 0.5)
        size = self.payload_size(flags)
        if rng.random() < 0.15:
            me.window = rng.choice(WINDOWS) if rng.random() < 0.8 else rng.getrandbits(16)
        words = [self.ways[sender], "tcp", self.ends[sender], ">", self.ends[1 - sender], flags,
                 f"seq {seq}"]
        has_ack = "A" in flags or "." in flags
        if has_ack or rng.random() < 0.05:
            words.append(f"ack {ack}")
        words.append(f"win {me.window}")
        words += self.option_words(me, peer, flags)
        if size:
            words.append(f"len {size}")
        words += self.fault_words()
        self.remember(me, flags, seq, ack, size, has_ack, is_wrong)
        return " ".join(words)

    def remember(self, me, flags, seq, ack, size, has_ack, is_wrong):
        end = (seq + size + ("S" in flags) + ("F" in flags)) & MASK
        if "S" in flags:
            me.sent_syn = True
        if not is_wrong and "R" not in flags:
            me.next = end
            if has_ack:
                me.acked = ack

    def sequence_number(self, me, peer, flags, is_wrong):
        rng = self.rng
        if "S" in flags and not is_wrong:
            return me.isn
        if not is_wrong:
            return me.next
        edge = (peer.acked if peer.acked is not None else me.next) + peer.reach()
        around = rng.choice((-1000, -2, -1, 0, 1, 2, 1000))
        return rng.choice((
            me.next - 1, me.next + 1, me.next - rng.choice(PAYLOADS),
            me.next + rng.choice(PAYLOADS), edge + around, edge + peer.reach() + around,
            me.next - peer.reach() + around, me.next - 66000 + around,
            (peer.acked or 0) + around, me.isn, me.isn + 1, 0, rng.getrandbits(32))) & MASK

    def acknowledgement(self, me, peer, is_wrong):
        rng = self.rng
        if not is_wrong:
            return peer.next
        around = rng.choice((-1000, -2, -1, 0, 1, 2, 1000))
        return rng.choice((
            peer.next - 1, peer.next + 1, peer.next - rng.choice(PAYLOADS), peer.next + 70000,
            peer.next - max(me.reach(), 66000) + around, peer.next - me.reach() + around,
            peer.isn, peer.isn + 1, me.next, 0, rng.getrandbits(32))) & MASK

    def payload_size(self, flags):
        rng = self.rng
        if "P" in flags or (set(flags) & set("SF.R") and rng.random() < 0.05):
            return rng.choice(PAYLOADS)
        return 0

    def option_words(self, me, peer, flags):
        rng, options = self.rng, []
        if "S" in flags:
            me.scale = 0
            if self.options:
                options = ["mss"]
                if rng.random() < 0.8:
                    me.scale = rng.choice((0, 1, 2, 7, 14, 15))
                    options += ["nop", f"wscale={me.scale}"]
                    me.scale = min(me.scale, 14)
                if rng.random() < 0.7:
                    options.append("sackok")
                if rng.random() < 0.3:
                    options.append("ts")
        elif rng.random() < 0.08:
            left = (peer.next + rng.choice((-500, 0, 1, 500, 100000))) & MASK
            right = (left + rng.choice((1, 500, 1400))) & MASK
            options = ["nop", "nop", f"sack={left}-{right}"]
            if rng.random() < 0.3:
                options = ["nop", "nop", "ts", *options]
        if rng.random() < self.bad * 0.05:
            options = [rng.choice(BROKEN_OPTIONS)]
        return ["opt", ",".join(options)] if options else []

    def fault_words(self):
        rng = self.rng
        if rng.random() > self.bad * 0.1:
            return []
        return [rng.choice(("bad-checksum", "no-checksum", "data-offset 4", "data-offset 15",
                            "transport-cut 19", "transport-cut 12", "transport-cut 3"))]
