"""Connections with a helper, as steps: each side goes on where the other side's packets ended."""
import dataclasses
import struct

from nat_rules import NatRule
from nat_sequences import LABEL


@dataclasses.dataclass(frozen=True)
class Way:
    """Between whom, and what is translated. `server` is the address that the client knows."""
    name: str
    rules: tuple = ()
    side: str = "inside"
    client: str = "in1"
    server: str = "out1"
    real_server: str = "out1"
    stranger: str = "out3"   # another host beside the server

    def family(self, v6):
        """The same for IPv6."""
        def renamed(rule):
            return dataclasses.replace(rule, dst=rule.dst and rule.dst + v6,
                                       to=tuple(name + v6 for name in rule.to))
        return dataclasses.replace(
            self, rules=tuple(renamed(rule) for rule in self.rules), client=self.client + v6,
            server=self.server + v6, real_server=self.real_server + v6,
            stranger=self.stranger + v6)


WAYS = (
    Way("plain"),
    Way("masqueraded", (NatRule("masquerade", "postrouting", "outside"),)),
    Way("another source", (NatRule("snat", "postrouting", "outside", to=("vip4",)),)),
    Way("a forwarded port", (NatRule("dnat", "prerouting", "outside", dst="vip1", to=("in3",)),),
        "outside", "out1", "vip1", "in3", "in5"),
)


def end(host, port):
    return f"[{host}]:{port}" if host.endswith("v6") else f"{host}:{port}"


class Talk:
    """A TCP connection of a client with a server. Names of packets begin with `prefix`."""

    def __init__(self, way, port, prefix="t", client_port=4000, start=1000):
        self.way, self.prefix, self.start = way, prefix, start
        self.ends = end(way.client, client_port), end(way.server, port)
        self.lines, self.count = [], 0
        self.last = {"client": None, "server": None}  # names of their last packets
        self.first = None

    def _name(self):
        self.count += 1
        return f"{self.prefix}{self.count}"

    def _add(self, who, words, is_lost=False):
        name = self._name()
        if who == "client":
            line = f"{self.way.side} tcp {self.ends[0]} > {self.ends[1]} {words}"
        else:
            line = f"{{{self.first}.side}} tcp {{{self.first}.dst}} > {{{self.first}.src}} {words}"
        self.lines.append(f"{name}: {line}")
        if not is_lost:
            self.last[who] = name
        return name

    def open(self):
        self.first = self._add("client", f"S seq {self.start} opt mss=1460,sackok")
        self._add("server", f"SA seq 5000 ack {{{self.first}.end}} opt mss=1460,sackok")
        self.say("client")
        return self

    def say(self, who, text="", flags=None, is_lost=False, more=""):
        """`is_lost`: it is expected to be dropped, so nobody goes on behind it."""
        other = "server" if who == "client" else "client"
        words = f"{flags or ('P.' if text else '.')} seq {{{self.last[who]}.next}} " \
                f"ack {{{self.last[other]}.end}}{more}"
        return self._add(who, words + (f" say {text}" if text else ""), is_lost)

    def client(self, text="", **more):
        return self.say("client", text, **more)

    def server(self, text="", **more):
        return self.say("server", text, **more)

    def again(self, index=-1):
        """A packet once more, as it was."""
        line = LABEL.sub(r"\2", self.lines[index], count=1)
        self.lines.append(f"{self._name()}: {line}")

    def step(self, line):
        self.lines.append(line)


def pptp(message, *numbers):
    """A PPTP control message (RFC 2637), as hexadecimal digits: its type and what follows."""
    layouts = {1: ">HHIIHH128x", 2: ">HBBIIHH128x", 7: ">HHIIIIHHHH64x64x", 8: ">HHBBHIHHI",
               12: ">HH", 13: ">HBBHH128x", 15: ">HHII"}
    body = struct.pack(layouts[message], *numbers)
    return struct.pack(">HHIHH", 12 + len(body), 1, 0x1a2b3c4d, message, 0).hex() + body.hex()
