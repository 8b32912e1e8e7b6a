"""Rule sets and options that both sides get, each said once and rendered twice."""
import dataclasses

from hosts import SIDES

# Protocol checks that are on by default are left alone; accounting shows what was counted.
ACCOUNTING = {"accounting": True}
SHORT_TIMEOUTS = {
    "tcp_syn_sent": 2, "tcp_syn_recv": 2, "tcp_established": 6, "tcp_fin_wait": 2,
    "tcp_close_wait": 2, "tcp_last_ack": 1, "tcp_time_wait": 2, "tcp_close": 1,
    "tcp_max_retrans": 4, "tcp_unacknowledged": 4, "udp": 2, "udp_stream": 6, "icmp": 2,
    "icmpv6": 2, "generic": 4, "gre": 2, "gre_stream": 6,
    "sctp_closed": 2, "sctp_cookie_wait": 2, "sctp_cookie_echoed": 2, "sctp_established": 6,
    "sctp_heartbeat_sent": 4, "frag4": 1, "frag6": 1,
}


@dataclasses.dataclass(frozen=True)
class Rule:
    action: str
    came: str = None      # by this side
    state: tuple = ()
    protocol: str = None
    port: int = None      # destination
    reject_with: str = None

    def nft(self):
        words = []
        if self.came:
            words.append(f'iifname "{self.came}"')
        if self.protocol:
            words.append(f"meta l4proto {self.protocol}")
        if self.port:
            words.append(f"th dport {self.port}")
        if self.state:
            words.append("ct state " + ",".join(self.state))
        action = self.action
        if self.reject_with:
            action += " with " + {"tcp-reset": "tcp reset"}[self.reject_with]
        return " ".join([*words, action])

    def yaml(self):
        words = []
        if self.came:
            words.append(f"in: {self.came}")
        if self.protocol:
            words.append(f"proto: {self.protocol}")
        if self.port:
            words.append(f"dport: {self.port}")
        if self.state:
            words.append(f"state: [{', '.join(self.state)}]")
        words.append(f"action: {self.action}")
        if self.reject_with:
            words.append(f"reject_with: {self.reject_with}")
        return "{ " + ", ".join(words) + " }"


def sysctl_of(timeout):
    """The sysctl, below /proc/sys, of a key of conntrack.timeouts."""
    if timeout == "frag4":
        return "net/ipv4/ipfrag_time"
    protocol, _, state = timeout.partition("_")
    return f"net/netfilter/nf_conntrack_{protocol}_timeout" + (f"_{state}" if state else "")


@dataclasses.dataclass(frozen=True)
class Profile:
    name: str
    policy: str = "accept"
    rules: tuple = ()
    raw: tuple = ()       # rules before connection tracking
    conntrack: dict = dataclasses.field(default_factory=dict)
    timeouts: dict = dataclasses.field(default_factory=dict)

    def nft(self):
        lines = ["table inet filter {", "  chain forward {",
                 f"    type filter hook forward priority 0; policy {self.policy};"]
        lines += ["    " + rule.nft() for rule in self.rules]
        if self.raw:
            lines += ["  }", "  chain raw {",
                      "    type filter hook prerouting priority -300; policy accept;"]
            lines += ["    " + rule.nft() for rule in self.raw]
        return "\n".join([*lines, "  }", "}"]) + "\n"

    def yaml(self):
        options = [f"{key}: {str(value).lower()}" for key, value in self.conntrack.items()]
        timeouts = ", ".join(f"{key}: {value}s" for key, value in self.timeouts.items())
        if timeouts:
            options.append(f"timeouts: {{ {timeouts} }}")
        lines = ["version: 1", "interfaces:"]
        for number, (side, peer) in enumerate(zip(SIDES, reversed(SIDES))):
            lines.append(f'  {side}: {{ device: "vdev:net_null{number}", bridge: {peer} }}')
        lines += ["bridge: { strict_nd: true }", f"conntrack: {{ {', '.join(options)} }}",
                  "chains:"]
        if self.raw:
            lines += ["  raw:", "    rules:"]
            lines += ["      - " + rule.yaml() for rule in self.raw]
        lines += ["  forward:", f"    policy: {self.policy}"]
        if self.rules:
            lines.append("    rules:")
            lines += ["      - " + rule.yaml() for rule in self.rules]
        return "\n".join(lines) + "\n"

    def sysctls(self):
        """{name below /proc/sys: value}"""
        values = {"net/netfilter/nf_conntrack_acct": 0}
        for key, value in self.conntrack.items():
            name = "acct" if key == "accounting" else key
            values[f"net/netfilter/nf_conntrack_{name}"] = int(value)
        for key, value in self.timeouts.items():
            values[sysctl_of(key)] = value
        return values


ANSWERS = (Rule("drop", state=("invalid",)), Rule("accept", state=("established", "related")))
STATEFUL = (*ANSWERS, Rule("accept", came="inside", state=("new",)))

PROFILES = {profile.name: profile for profile in (
    # Everything passes: what the tracker alone makes of the packets.
    Profile("observe", conntrack=ACCOUNTING),
    # The usual firewall: inside opens, outside answers.
    Profile("stateful", "drop", STATEFUL),
    Profile("strict", "drop", STATEFUL, conntrack={"tcp_loose": False, **ACCOUNTING}),
    Profile("liberal", conntrack={"tcp_be_liberal": True}),
    # Entries that live for seconds: what happens when their time is up.
    Profile("short", conntrack=ACCOUNTING, timeouts=SHORT_TIMEOUTS),
    Profile("resets", conntrack={"tcp_ignore_invalid_rst": True, "tcp_max_retrans": 2}),
    Profile("no-checksum", conntrack={"checksum": False}),
    # What raw exempts and drops; answers are not exempt.
    Profile("raw", raw=(
        Rule("notrack", came="inside", protocol="udp", port=53),
        Rule("notrack", protocol="tcp", port=443),
        Rule("drop", protocol="udp", port=6666)), conntrack=ACCOUNTING),
    # Port 4444 is refused with a reset, 4445 once it is open; port 2222 is not open at all.
    Profile("refusing", "drop", (
        Rule("reject", protocol="tcp", port=4444, reject_with="tcp-reset"),
        Rule("reject", state=("established",), protocol="tcp", port=4445,
             reject_with="tcp-reset"),
        Rule("drop", port=2222, protocol="udp"), *STATEFUL)),
)}
