"""Random rule sets of iptables and ip6tables, and packets that they have something to say about.

A rule set is text for iptables-restore. Addresses, ports and types come from small pools, so that
rules and packets meet often. Everything depends on the seed alone.
"""
import random

SIDES = ("inside", "outside")
HOSTS = {
    4: {"inside": ["10.0.0.1", "10.0.0.2", "10.0.0.5", "10.0.1.1", "10.1.0.9"],
        "outside": ["10.128.0.1", "10.128.0.2", "10.128.0.6", "10.200.0.1", "10.255.0.9"]},
    6: {"inside": ["fd00:1::1", "fd00:1::2", "fd00:1::5", "fd00:1:0:1::1", "fd00:1:8::9"],
        "outside": ["fd00:2::1", "fd00:2::2", "fd00:2::6", "fd00:2:0:1::1", "fd00:2:8::9"]},
}
NETS = {
    4: ["10.0.0.0/9", "10.128.0.0/9", "10.0.0.0/30", "10.128.0.0/30", "10.0.0.0/16", "10.0.0.4/31",
        "0.0.0.0/0", "10.200.0.0/13"],
    6: ["fd00:1::/32", "fd00:2::/32", "fd00:1::/126", "fd00:2::/126", "fd00:1::/64", "fd00:1::4/127",
        "::/0", "fd00:2:8::/45"],
}
RANGES = {
    4: ["10.0.0.1-10.0.0.4", "10.0.0.5-10.1.0.9", "10.128.0.2-10.200.0.1", "10.0.0.2-10.128.0.1"],
    6: ["fd00:1::1-fd00:1::4", "fd00:1::5-fd00:1:8::9", "fd00:2::2-fd00:2:0:1::1",
        "fd00:1::2-fd00:2::1"],
}
PORTS = [22, 25, 53, 80, 113, 443, 1024, 5000, 8080, 33000, 65535]
PORT_RANGES = ["0:1023", "1024:65535", ":80", "443:", "50:60", "5000:5000", "80:8080"]
STATES = ["NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"]
ICMP_TYPES = {4: ["8", "0", "3", "3/1", "11", "8/0", "any", "13"],
              6: ["128", "129", "1", "1/3", "3", "128/0", "2"]}
ICMP_PACKETS = {4: ["echo-request", "echo-reply", "3/1", "13/0", "11/0", "8/1"],
                6: ["echo-request", "echo-reply", "1/3", "3/0", "128/1"]}
REJECTS = {4: ["icmp-port-unreachable", "icmp-net-unreachable", "icmp-host-unreachable",
               "icmp-admin-prohibited"],
           6: ["icmp6-port-unreachable", "icmp6-no-route", "icmp6-addr-unreachable",
               "icmp6-adm-prohibited"]}
TCP_FLAGS = ["S", "SA", ".", "R", "F.", "P.", "S", "S"]
FLAG_MATCHES = ["--syn", "--tcp-flags SYN,ACK SYN", "--tcp-flags ALL ACK", "--tcp-flags RST RST",
                "--tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE", "--tcp-flags SYN,FIN,ACK SYN,ACK"]


class Generator:
    """`extra`: also conditions that not every release of Rampart has."""

    def __init__(self, seed, extra=()):
        self.random = random.Random(f"rules {seed}")
        self.extra = frozenset(extra)
        self.raw_targets = []

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, items):
        return self.random.choice(items)

    def negation(self):
        return "! " if self.chance(0.2) else ""

    # -- rules -----------------------------------------------------------------------------------

    def rule_set(self):
        """{4: text, 6: text}; a part of the rules is the same in both."""
        common = [self.neutral_rule() for _ in range(self.random.randrange(4))]
        policy = {4: self.pick(["ACCEPT", "DROP"])}
        policy[6] = policy[4] if self.chance(0.7) else self.pick(["ACCEPT", "DROP"])
        return {family: self.tables(family, policy[family], common) for family in (4, 6)}

    def tables(self, family, policy, common):
        text = []
        if self.chance(0.4):
            # Rules that drop behind rules that do not track are refused: one kind at a time.
            self.raw_targets = self.pick([["-j DROP", "-j ACCEPT"], ["-j CT --notrack"] * 2])
            is_dropping = "-j DROP" in self.raw_targets and self.chance(0.2)
            text += self.table("raw", "PREROUTING", "DROP" if is_dropping else "ACCEPT", family, [])
        return "\n".join(text + self.table("filter", "FORWARD", policy, family, common)) + "\n"

    def table(self, table, base, policy, family, common):
        is_raw = table == "raw"
        users = [f"{table}{number}" for number in range(self.random.randrange(4))]
        lines = [f"*{table}"]
        if not is_raw:
            lines += [":INPUT ACCEPT [0:0]", f":{base} {policy} [0:0]", ":OUTPUT ACCEPT [0:0]"]
        else:
            lines += [f":{base} {policy} [0:0]", ":OUTPUT ACCEPT [0:0]"]
        lines += [f":{user} - [0:0]" for user in users]
        for index, chain in enumerate([base, *users]):
            rules = [self.rule(family, is_raw, users[index:]) for _ in
                     range(self.random.randrange(2 if is_raw else 3, 4 if is_raw else 9))]
            if chain == base:
                for rule in common:
                    rules.insert(self.random.randrange(len(rules) + 1), rule)
            lines += [f"-A {chain} {rule}" for rule in rules]
        return [*lines, "COMMIT"]

    def neutral_rule(self):
        """One that iptables and ip6tables can both have."""
        words = []
        protocol = self.pick(["tcp", "udp"])
        words += self.ports(protocol)
        if self.chance(0.5):
            words.append(f"-i {self.pick(SIDES)}")
        return " ".join([*words, f"-j {self.pick(['ACCEPT', 'DROP'])}"])

    def rule(self, family, is_raw, users):
        words = []
        if self.chance(0.35):
            words.append(self.address("-s", family))
        if self.chance(0.35):
            words.append(self.address("-d", family))
        if self.chance(0.3):
            words.append(f"{self.negation()}-i {self.pick([*SIDES, 'ins+', 'o+'])}")
        if self.chance(0.2) and not is_raw:
            words.append(f"{self.negation()}-o {self.pick([*SIDES, 'outs+'])}")
        protocol = None
        if self.chance(0.6):
            protocol = self.pick(["tcp", "tcp", "udp", "icmp", "sctp", "gre"])
            words += self.transport(protocol, family)
        elif self.chance(0.1):
            words.append(f"! -p {self.pick(['tcp', 'udp'])}")
        if self.chance(0.15):
            which = self.pick(["src", "dst"])
            words.append(f"-m iprange {self.negation()}--{which}-range "
                         f"{self.pick(RANGES[family])}")
        if self.chance(0.3) and not is_raw:
            states = self.random.sample(STATES, self.random.randrange(1, 4))
            words.append(self.state(states))
        if self.chance(0.1):
            words.append('-m comment --comment "a \\"quoted\\" word"')
        return " ".join([*words, *self.extras(family, protocol, is_raw),
                         *self.target(family, protocol, is_raw, users)])

    def extras(self, family, protocol, is_raw):
        words = []
        if "tcp_flags" in self.extra and protocol == "tcp" and self.chance(0.3):
            words.append(f"-m tcp {self.negation()}{self.pick(FLAG_MATCHES)}")
        if "length" in self.extra and self.chance(0.1):
            words.append(f"-m length {self.negation()}--length {self.pick(['0:60', '61:', '48'])}")
        if "dscp" in self.extra and self.chance(0.1):
            words.append(f"-m dscp {self.negation()}--dscp {self.pick(['0', '10', '46'])}")
        if "ct_status" in self.extra and self.chance(0.1) and not is_raw:
            status = self.pick(["SEEN_REPLY", "ASSURED", "SEEN_REPLY,ASSURED"])
            words.append(f"-m conntrack {self.negation()}--ctstatus {status}")
        if self.chance(0.1) and not is_raw:
            words.append(f"-m conntrack --ctdir {self.pick(['ORIGINAL', 'REPLY'])}")
        return words

    def state(self, states):
        if self.chance(0.3):
            return f"-m state {self.negation()}--state {','.join(states)}"
        return f"-m conntrack {self.negation()}--ctstate {','.join(states)}"

    def address(self, option, family):
        pool = [*NETS[family], *HOSTS[family]["inside"], *HOSTS[family]["outside"]]
        value = self.pick(pool)
        is_all = value in ("0.0.0.0/0", "::/0")
        return f"{'' if is_all else self.negation()}{option} {value}"

    def ports(self, protocol):
        words = [f"-p {protocol}"]
        if self.chance(0.4):
            count = self.random.randrange(1, 8)
            items = [str(port) for port in self.random.sample(PORTS, count)]
            if self.chance(0.5):
                items[0] = "1000:2000"
            option = self.pick(["--dports", "--dports", "--sports"])
            return [*words, f"-m multiport {self.negation()}{option} {','.join(items)}"]
        for option in ("--dport", "--sport"):
            if self.chance(0.7 if option == "--dport" else 0.2):
                value = self.pick([str(self.pick(PORTS)), self.pick(PORT_RANGES)])
                words.append(f"-m {protocol} {self.negation()}{option} {value}")
        return words

    def transport(self, protocol, family):
        if protocol in ("tcp", "udp"):
            return self.ports(protocol)
        if protocol == "sctp":
            return ["-p sctp -m sctp --dport 80"] if self.chance(0.5) else ["-p sctp"]
        if protocol == "gre":
            return ["-p 47"]
        name = "icmp" if family == 4 else "ipv6-icmp"
        if self.chance(0.3):
            return [f"-p {name}"]
        kind = self.pick(ICMP_TYPES[family])
        negation = "" if kind == "any" else self.negation()
        if family == 4:
            return [f"-p icmp -m icmp {negation}--icmp-type {kind}"]
        return [f"-p ipv6-icmp -m icmp6 {negation}--icmpv6-type {kind}"]

    def target(self, family, protocol, is_raw, users):
        if users and self.chance(0.3):
            return [f"{self.pick(['-j', '-j', '-g'])} {self.pick(users)}"]
        if is_raw:
            return [self.pick([*self.raw_targets, "-j ACCEPT", "-j RETURN"])]
        if self.chance(0.05):
            return []
        if self.chance(0.2):
            answers = [*REJECTS[family], *(["tcp-reset"] * 2 if protocol == "tcp" else [])]
            return [f"-j REJECT --reject-with {self.pick(answers)}"]
        return [self.pick(["-j ACCEPT", "-j ACCEPT", "-j DROP", "-j DROP", "-j RETURN"])]

    # -- packets ---------------------------------------------------------------------------------

    def packets(self, count):
        """[(side, packet line)]; some answer what came before."""
        made = []
        conversations = []
        while len(made) < count:
            if conversations and self.chance(0.45):
                made.append(self.further(self.pick(conversations)))
                continue
            packet = self.first()
            conversations.append(packet)
            made.append(self.line(packet, False, self.words_of(packet, True)))
        return made

    def first(self):
        family = self.pick([4, 4, 6])
        side = self.pick(SIDES)
        peer = SIDES[1 - SIDES.index(side)]
        protocol = self.pick(["tcp", "tcp", "tcp", "udp", "udp", "icmp", "sctp", "gre"])
        return {"family": family, "side": side, "protocol": protocol,
                "src": self.pick(HOSTS[family][side]), "dst": self.pick(HOSTS[family][peer]),
                "sport": self.pick(PORTS[6:]), "dport": self.pick(PORTS),
                "icmp": self.pick(ICMP_PACKETS[family]), "id": self.random.randrange(4),
                "flags": self.pick(TCP_FLAGS)}

    def words_of(self, packet, is_first):
        protocol = packet["protocol"]
        words = []
        if protocol == "tcp":
            words.append(packet["flags"] if is_first else self.pick(TCP_FLAGS))
        if protocol == "icmp":
            words += [packet["icmp"], f"id {packet['id']}"]
        if protocol == "sctp":
            words += ["init tag 7"]
        if protocol in ("udp", "tcp") and self.chance(0.3):
            words.append(f"len {self.random.randrange(60)}")
        if "dscp" in self.extra and self.chance(0.2):
            words.append(f"tos {self.pick([40, 184, 1])}")
        if self.chance(0.04) and protocol in ("tcp", "udp", "icmp"):
            words.append("bad-checksum")
        return " ".join(words)

    def line(self, packet, is_reply, words):
        """(side, line) of one packet, in one direction."""
        side = packet["side"] if not is_reply else SIDES[1 - SIDES.index(packet["side"])]
        ends = [self.end(packet, "src", "sport"), self.end(packet, "dst", "dport")]
        if is_reply:
            ends.reverse()
        return side, f"{packet['protocol']} {ends[0]} > {ends[1]} {words}".strip()

    def end(self, packet, address, port):
        if packet["protocol"] in ("icmp", "gre"):
            return packet[address]
        host = packet[address] if packet["family"] == 4 else f"[{packet[address]}]"
        return f"{host}:{packet[port]}"

    def further(self, packet):
        """One more of the same, an answer, or an error about it."""
        kind = self.random.random()
        if kind < 0.3:
            return self.line(packet, False, self.words_of(packet, False))
        if kind < 0.8 or packet["protocol"] not in ("tcp", "udp"):
            return self.answer(packet)
        _, about = self.line(packet, False, self.words_of(packet, True).replace("bad-checksum", ""))
        peer = SIDES[1 - SIDES.index(packet["side"])]
        what = "3/1" if packet["family"] == 4 else "1/3"
        sender = self.pick(HOSTS[packet["family"]][peer])
        return peer, f"icmp {sender} > {packet['src']} error {what} about {about}"

    def answer(self, packet):
        words = self.words_of(packet, False)
        if packet["protocol"] == "tcp":
            words = self.pick(["SA", "R.", ".", "F."])
        if packet["protocol"] == "icmp":
            words = f"echo-reply id {packet['id']}"
        return self.line(packet, True, words)
