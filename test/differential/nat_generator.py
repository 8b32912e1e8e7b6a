"""Random sequences through translations: the same seed always gives the same one.

Rules, hosts and ports come from small sets, so that flows meet: two hosts inside with one port, two
addresses of one server, ranges that are used up, the box's own packets among those it masquerades.
"""
import random

from icmp_errors import ERRORS4, ERRORS6
from nat_rules import NatRule
from nat_sequences import NatSequence

PORTS = (1000, 5000, 5000, 5000, 100, 700)
SERVICES = (53, 53, 80)
PAUSE = "wait 2.3s"


class Rules:
    """The rules of one sequence."""

    def __init__(self, rng, v6):
        self.rng, self.v6 = rng, v6
        self.has_pool = False

    def host(self, name):
        return name + self.v6

    def ports(self):
        """Sometimes a range: so small that it is used up, or not."""
        first = self.rng.choice((40000, 1024, 600))
        return (first, first + self.rng.choice((1, 3, 99)))

    def source(self):
        rng = self.rng
        kind = rng.choice(("masquerade", "masquerade", "snat", "snat", "pool", "netmap", "back"))
        side = "inside" if kind == "back" else "outside"
        more = {"src": rng.choice((None, self.host("in0")))} if side == "outside" else {}
        if kind == "netmap":
            return NatRule("netmap", "postrouting", side, src=self.host("in0"),
                           to=(self.host("vip0"),))
        if rng.random() < 0.3:
            more |= {"proto": rng.choice(("udp", "tcp")), "ports": self.ports()}
        if rng.random() < 0.1:
            more["random"] = True
        if kind in ("masquerade", "back"):
            return NatRule("masquerade", "postrouting", side, **more)
        if kind == "pool":
            self.has_pool = True
            return NatRule("snat", "postrouting", side,
                           to=(self.host("vip4"), self.host("vip7")),
                           persistent=rng.random() < 0.5, **more)
        return NatRule("snat", "postrouting", side, to=(self.host("vip4"),), **more)

    def destination(self):
        rng = self.rng
        kind = rng.choice(("forward", "forward", "forward", "hairpin", "redirect", "netmap",
                           "proxy", "servers"))
        more = {"proto": rng.choice(("udp", "tcp")), "dport": rng.choice(SERVICES)}
        if kind == "netmap":
            return NatRule("netmap", "prerouting", "outside", dst=self.host("vip0"),
                           to=(self.host("in0"),))
        if kind == "redirect":
            return NatRule("redirect", "prerouting", rng.choice(("inside", None)),
                           ports=rng.choice(((), (8080,), (9000, 9002))), **more)
        if kind == "proxy":
            return NatRule("dnat", "prerouting", "inside", to=(self.host("out3"),), **more)
        if kind == "servers":
            self.has_pool = True
            return NatRule("dnat", "prerouting", dst=self.host("vip1"),
                           to=(self.host("in4"), self.host("in6")), **more)
        more["ports"] = rng.choice(((), (), (8080,), (9000, 9003)))
        if more["ports"] == () and rng.random() < 0.3:
            more = {"ports": ()}
        if kind == "hairpin":
            return NatRule("dnat", "prerouting", "outside", dst=self.host("boxout"),
                           to=(self.host("in3"),), hairpin=True, **more)
        return NatRule("dnat", "prerouting", rng.choice((None, "outside")),
                       dst=self.host(rng.choice(("vip1", "vip1", "vip2", "boxout"))),
                       to=(self.host(rng.choice(("in3", "in3", "in2"))),), **more)

    def all(self):
        rules = [self.destination() for _ in range(self.rng.choice((0, 1, 1, 2, 3)))]
        if self.rng.random() < 0.1:
            rules.append(NatRule("no_nat", "postrouting", "outside",
                                 dst=self.host(self.rng.choice(("out1", "out2")))))
        return rules + [self.source() for _ in range(self.rng.choice((0, 1, 1, 1, 2)))]


class Packets:
    """The packets of one sequence. `sent` remembers what can be answered or complained about."""

    def __init__(self, rng, v6, has_pool):
        self.rng, self.v6, self.has_pool = rng, v6, has_pool
        self.sent = []    # (label, protocol, words, what its sender wrote)
        self.lines = []
        self.protocols = rng.choice((("udp",), ("udp",), ("tcp",), ("tcp",), ("icmp",),
                                     ("udp", "tcp"), ("udp", "icmp"), ("sctp",), ("udplite",),
                                     ("other", "udp")))
        if has_pool:  # two hosts without ports may get one address, by chance
            self.protocols = tuple(name for name in self.protocols if name != "other")

    def step(self):
        roll = self.rng.random()
        if not self.sent or roll < 0.4:
            self.begin()
        elif roll < 0.72:
            self.answer()
        elif roll < 0.8:
            self.go_on()
        else:
            self.complain()

    def add(self, protocol, words, line):
        label = f"p{len(self.lines)}"
        self.lines.append(f"{label}: {line}")
        self.sent.append((label, protocol, words, line))

    def end(self, host, port):
        return f"[{host}{self.v6}]:{port}" if self.v6 else f"{host}:{port}"

    def ends(self):
        """Side, source host, destination host."""
        rng, roll = self.rng, self.rng.random()
        if roll < 0.55:
            return "inside", rng.choice(("in1", "in2", "in2", "in3")), \
                rng.choice(("out1", "out1", "out2", "vip1", "boxout", "boxin"))
        if roll < 0.9:
            return "outside", rng.choice(("out1", "out1", "out2")), \
                rng.choice(("vip1", "vip1", "vip2", "boxout", "in3", "vip3"))
        return "box", rng.choice(("boxout", "boxout", "boxin")), rng.choice(("out1", "out2", "in3"))

    def begin(self):
        rng = self.rng
        side, source, target = self.ends()
        protocol = rng.choice(self.protocols)
        # Which address of a pool is taken is left to chance, so nothing may depend on it.
        port = rng.choice(PORTS) if not self.has_pool else \
            rng.choice((1, 2, 3)) * 1000 + 100 * ("in1", "in2", "in3", "out1", "out2", "boxout",
                                                  "boxin").index(source)
        service, words = rng.choice(SERVICES), self.first_words(protocol)
        if protocol in ("icmp", "other"):
            words += f" id {port}" if protocol == "icmp" else ""
            name = "icmp" if protocol == "icmp" else "ip"
            line = f"{side} {name} {source}{self.v6} > {target}{self.v6} {words}"
        else:
            line = f"{side} {protocol} {self.end(source, port)} > {self.end(target, service)} {words}"
        self.add(protocol, words, line + self.ip_words())

    def first_words(self, protocol):
        rng = self.rng
        if protocol == "tcp":
            return f"S seq {rng.choice((1000, 1000, 900000))}"
        if protocol == "sctp":
            return "vtag 0 init tag 77"
        if protocol == "icmp":
            return "echo-request len 30"
        if protocol == "other":
            return "proto 253 len 20"
        return f"len {rng.choice((0, 30, 30, 500))}" + (" sum-as 17" if protocol == "udplite" else "")

    def ip_words(self):
        roll = self.rng.random()
        if roll < 0.03:
            return " ttl 1"
        return " tos 16" if roll < 0.05 else ""

    def answer(self):
        """To something that came out; once in a while not from where it went."""
        label, protocol, _, line = self.rng.choice(self.sent[-5:])
        words = self.answer_words(label, protocol, line)
        name = {"other": "ip"}.get(protocol, protocol)
        self.add(protocol, words, f"{{{label}.side}} {name} {{{label}.dst}} > {{{label}.src}} {words}"
                 + self.ip_words())

    def answer_words(self, label, protocol, line):
        rng = self.rng
        if protocol == "tcp":
            if " S " in line:
                return rng.choice((f"SA seq 5000 ack {{{label}.end}}",) * 4 +
                                  (f"R. seq 0 ack {{{label}.end}}",))
            return rng.choice((".", ".", "P.", "F.", "R.")) + \
                f" seq {{{label}.ack}} ack {{{label}.end}}" + rng.choice(("", " len 20"))
        if protocol == "sctp":
            return "vtag 77 init-ack tag 99"
        if protocol == "icmp":
            kind = "echo-reply" if "echo-request" in line else "echo-request"
            return f"{kind} id {{{label}.id}} len 30"
        return self.first_words(protocol)

    def go_on(self):
        """What was sent is sent once more."""
        _, protocol, words, line = self.rng.choice(self.sent[-6:])
        self.add(protocol, words, line)

    def complain(self):
        """An ICMP error about something that came out, from its receiver or a router before it."""
        rng = self.rng
        label, protocol, words, _ = rng.choice(self.sent[-5:])
        kind = rng.choice(ERRORS6[:4] if self.v6 else [e for e in ERRORS4 if e != "5/1"] + ["5/1"])
        side_host = rng.choice((f"{{{label}.dsthost}}", "out6" + self.v6, "in6" + self.v6))
        side = {"o": "outside", "i": "inside"}.get(side_host[0], f"{{{label}.side}}")
        quote = rng.choice(("", "", "", " quote 548" if not self.v6 else "",
                            f" quote {(40 if self.v6 else 20) + rng.choice((4, 7, 8, 12, 20))}"))
        name = {"other": "ip"}.get(protocol, protocol)
        ends = f"{{{label}.src}} > {{{label}.dst}}"
        if rng.random() < 0.1:
            ends = f"{{{label}.dst}} > {{{label}.src}}"
        if protocol == "icmp":
            words = words.rpartition(" id ")[0] + f" id {{{label}.id}}" if " id " in words else words
        self.lines.append(f"{side} icmp {side_host} > {{{label}.srchost}} error {kind}{quote} "
                          f"about {name} {ends} {words} ttl 60")


def generate(seed):
    rng = random.Random(seed)
    v6 = "v6" if rng.random() < 0.25 else ""
    rules = Rules(rng, v6)
    chosen = tuple(rules.all())
    packets = Packets(rng, v6, rules.has_pool)
    for _ in range(rng.randint(6, 18)):
        packets.step()
    if rng.random() < 0.1:
        packets.lines.insert(rng.randint(1, len(packets.lines)), PAUSE)
    return NatSequence(f"seed {seed}", packets.lines, chosen, rng.random() < 0.6, v6)
