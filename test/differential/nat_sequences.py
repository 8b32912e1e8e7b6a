"""Sequences of packets through translations, and the rules that each brings along.

A step is one line. Its packet can be given a name, and later steps can use what came out of it:

    q: inside udp in1:5000 > out1:53 len 30       the packet that leaves is q from now on
    {q.side} udp {q.dst} > {q.src} len 60         its answer, wherever it went
    box udp boxout:5000 > out1:53 len 30          the box itself sends
    wait 2.3s

{q.src} and {q.dst} are addresses with ports, {q.srchost} and {q.dsthost} without, {q.id} the ICMP
identifier, {q.seq}, {q.ack}, {q.end} TCP's numbers, {q.next} the sequence number that its sender
goes on with. The two sides choose different ports, so each gets packets of its own. A step is
passed over when nothing came out of the packet it names.

A payload is text at the end of a line, with \\r and \\n:

    c: inside tcp in1:4000 > out1:21 P. seq {b.next} ack {a.end} say PORT commas(in1),16,1\\r\\n
    outside tcp out1:20 > {c.said} S seq 1

commas(in1) is 10,0,0,1, decimal(in1) the address as a number, LENGTH the bytes behind the first
empty line. {c.said} is the address and port that the payload of c announces as it came out.
"""
import dataclasses
import re
import socket

from hosts import BOX, FIRST, SIDES, address
from sequences import WAIT, Names

LABEL = re.compile(r"(\w+): (.*)")
REFERENCE = re.compile(r"\{(\w+)\.(\w+)\}")
COMMAS = re.compile(r"commas\(([^)]*)\)")
DECIMAL = re.compile(r"decimal\(([^)]*)\)")
PAIR = ("boxin", "boxout")
MASKS = {"ip": "255.255.255.248", "ip6": "ffff:ffff:ffff:ffff:ffff:ffff::"}


@dataclasses.dataclass
class NatSequence:
    name: str
    steps: list
    rules: tuple = ()          # NatRules
    is_open: bool = True       # everything is forwarded; else what inside opens and what is dnat
    v6: str = ""               # or "v6"
    has_helpers: bool = False  # expectations are compared
    is_whole: bool = False     # no step may be passed over
    why: str = ""
    expectations: list = dataclasses.field(default_factory=list)


class NatStep:
    def __init__(self, text):
        self.text, self.label, self.wait_s = text, None, 0.0
        self.line = text
        if found := LABEL.fullmatch(text):
            self.label, self.line = found.groups()
        if found := WAIT.fullmatch(self.line):
            self.line, self.wait_s = None, float(found[1])

    @property
    def is_fixed(self):
        return REFERENCE.search(self.line) is None

    def resolved(self, names, emitted):
        """(side, packet) for one side, or None: what it refers to did not come out."""
        line = self.line
        try:
            line = REFERENCE.sub(lambda found: str(getattr(emitted[found[1]], found[2])), line)
        except (KeyError, AttributeError):
            return None
        side, _, packet = line.partition(" ")
        packet, has_text, text = names.resolve(packet).partition(" say ")
        return side, f"{packet} data {payload_of(text)}" if has_text else packet


def payload_of(text):
    """The text of a payload, as hexadecimal digits."""
    text = COMMAS.sub(lambda found: found[1].replace(".", ","), text)
    text = DECIMAL.sub(lambda found: str(int.from_bytes(packed(found[1]), "big")), text)
    text = text.replace("\\r", "\r").replace("\\n", "\n")
    text = re.sub(r"\\([0-3])", lambda found: chr(int(found[1])), text)
    body = text.partition("\r\n\r\n")[2]
    return text.replace("LENGTH", str(len(body))).encode().hex()


class PlayedNat:
    """A sequence with addresses."""

    def __init__(self, sequence, number):
        self.sequence, self.number = sequence, number
        self.names = Names(number)
        self.steps = [NatStep(text) for text in sequence.steps]

    def networks(self, kinds):
        """Their first addresses."""
        return [address(f"{kind}0{v6}", self.number) for kind in kinds for v6 in ("", "v6")]

    def yaml(self):
        lines = ["version: 1", "interfaces:"]
        lines += [f'  {side}: {{ device: "vdev:net_null{number}" }}'
                  for number, side in enumerate(SIDES)]
        lines += ["conntrack: { accounting: true }", "chains:", "  input: { policy: accept }",
                  "  output: { policy: accept }", "  raw:", "    rules:"]
        lines += [f"      - {{ proto: {protocol}, dport: {port}, helper: {name} }}"
                  for name, protocol, port in HELPERS]
        if self.sequence.is_open:
            lines += ["  forward: { policy: accept }"]
        else:
            lines += ["  forward:", "    policy: drop", "    rules:",
                      "      - { state: [established, related], action: accept }",
                      "      - { ct_status: dnat, action: accept }",
                      "      - { in: inside, state: new, action: accept }"]
        if self.sequence.rules:
            lines.append("nat:")
        for chain in ("prerouting", "postrouting"):
            rules = [rule for rule in self.sequence.rules if rule.chain == chain]
            if rules:
                lines.append(f"  {chain}:")
                lines += ["    - " + rule.yaml(self.names) for rule in rules]
        return "\n".join(lines) + "\n"

    def nft_chains(self):
        """{hook: lines} of the chains of this sequence."""
        chains = {"forward": [] if self.sequence.is_open else [
            "ct state established,related accept", "ct status dnat accept",
            'iifname "inside" ct state new accept', "drop"]}
        for hook in ("prerouting", "postrouting"):
            chains[hook] = [line for rule in self.sequence.rules if rule.chain == hook
                            for line in rule.nft(self.names)]
        if any(rule.hairpin for rule in self.sequence.rules):
            chains["postrouting"] += [f'meta mark 1 oifname "{side}" masquerade'
                                      for side in SIDES]
        return chains

    def pools(self):
        """Packed first and last addresses of pools of several."""
        found = []
        for rule in self.sequence.rules:
            if len(rule.to) == 2:
                found.append(tuple(packed(self.names.resolve(name)) for name in rule.to))
        return found

    def port_ranges(self):
        return [rule.ports for rule in self.sequence.rules if len(rule.ports) == 2]


# Name, protocol, port. IRC and PPTP are known for IPv4 only.
HELPERS = (("ftp", "tcp", 21), ("tftp", "udp", 69), ("irc", "tcp", 6667), ("sip", "udp", 5060),
           ("pptp", "tcp", 1723))


def packed(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


class Batch:
    """What the kernel is told of sequences that it gets side by side; a profile (profiles.py)."""
    name = "nat"

    def __init__(self, played, timeouts):
        self.played, self.timeouts = played, timeouts
        self.has_helpers = any(one.sequence.has_helpers for one in played)

    def sysctls(self):
        return {"net/netfilter/nf_conntrack_acct": 1, **self.timeouts}

    def nft(self):
        lines = ["table inet helpers {"]
        lines += [f'  ct helper {name} {{ type "{name}" protocol {protocol}; }}'
                  for name, protocol, _ in HELPERS]
        lines += ["  chain assign {", "    type filter hook prerouting priority -150;",
                  *(f'    {protocol} dport {port} ct helper set "{name}"'
                    for name, protocol, port in HELPERS), "  }", "}", "table inet sequences {"]
        chains = {played: played.nft_chains() for played in self.played}
        for hook in ("prerouting", "postrouting", "forward"):
            for played, by_hook in chains.items():
                if by_hook[hook]:
                    lines += [f"  chain {hook}{played.number} {{",
                              *("    " + line for line in by_hook[hook]), "  }"]
            with_rules = [played for played, by_hook in chains.items() if by_hook[hook]]
            lines += self._dispatcher(hook, with_rules)
        return "\n".join([*lines, "}", ""])

    @staticmethod
    def _dispatcher(hook, with_rules):
        kind = {"prerouting": "nat hook prerouting priority -100",
                "postrouting": "nat hook postrouting priority 100",
                "forward": "filter hook forward priority 0"}[hook]
        yield from (f"  chain {hook} {{", f"    type {kind}; policy accept;")
        for family in ("ip", "ip6") if with_rules else ():
            v6 = "v6" if family == "ip6" else ""
            jumps = ", ".join(f"{address(f'{net}0{v6}', played.number)} : "
                              f"jump {hook}{played.number}"
                              for played in with_rules for net in FIRST)
            mask = f"{family} {{}} & {MASKS[family]} vmap {{{{ {jumps} }}}}"
            if hook == "postrouting":  # what the box sends
                own = ", ".join(BOX[name + v6] for name in PAIR)
                yield f"    {family} saddr {{ {own} }} " + mask.format("daddr")
            yield "    " + mask.format("saddr")
        yield "  }"
