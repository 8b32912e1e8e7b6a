#!/usr/bin/python3
"""Compares the answers of reject with those of iptables' and ip6tables' REJECT, byte for byte.

Each kind of answer, tracked and untracked, is asked with the same packets on the running kernel and
on Rampart's packet path. Evened out is what must differ between a router and a bridge: the source
of ICMP errors (a router's own; a bridge takes the packet's destination), the hop that a router took
from the packet it quotes, the identification of IPv4 headers and whether they may be fragmented,
and the checksums that depend on these, which must be right. README.md tells how the two sides work.
Needs root.
"""
import argparse
import dataclasses
import struct
import sys
import time

from compare import checksum, is_ipv6
from hosts import SIDES
from kernel import run
from suite import with_both_sides

TOOLS = ("iptables-restore", "ip6tables-restore")
DONT_FRAGMENT = 0x40
QUOTE6 = 48  # where the quoted packet begins in an ICMPv6 error
GAP_US = 2000  # for Rampart's limit of answers
KINDS = {  # Rampart's reject_with: REJECT's
    4: {"net-unreachable": "icmp-net-unreachable", "host-unreachable": "icmp-host-unreachable",
        "proto-unreachable": "icmp-proto-unreachable",
        "port-unreachable": "icmp-port-unreachable", "net-prohibited": "icmp-net-prohibited",
        "host-prohibited": "icmp-host-prohibited", "admin-prohibited": "icmp-admin-prohibited",
        "tcp-reset": "tcp-reset"},
    6: {"net-unreachable": "icmp6-no-route", "admin-prohibited": "icmp6-adm-prohibited",
        "host-unreachable": "icmp6-addr-unreachable", "port-unreachable": "icmp6-port-unreachable",
        "policy-fail": "icmp6-policy-fail", "reject-route": "icmp6-reject-route",
        "tcp-reset": "tcp-reset"},
}
TCP = """
    S seq 1000 opt mss,sackok,ts,nop,wscale=7
    S seq 4294967295
    S seq 1000 len 10
    SE seq 1000
    SF seq 1000
    F seq 1000
    F. seq 1000 ack 2000
    SA seq 1000 ack 2000
    . seq 1000 ack 4294967295
    P. seq 1000 ack 2000 len 1
    P. seq 1000 ack 2000 len 1000
    P seq 1000 len 33
    none seq 1000
    FPU seq 1000 len 7
    R seq 1000
    R. seq 1000 ack 2000
    S seq 1000 tos 18
    S seq 1000 bad-checksum
    . seq 1000 ack 2000 len 9 bad-checksum
    S seq 1000 data-offset 15
    S seq 1000 data-offset 4
    S seq 1000 transport-cut 19
    S seq 1000 ttl 2
""".strip().splitlines()
UDP = """
    len 0
    len 1
    len 20
    len 519
    len 520
    len 521
    len 1191
    len 1192
    len 1193
    len 1400
    len 20 tos 8
    len 20 tos 184
    len 20 tos 255
    len 20 ttl 2
    len 20 bad-checksum
    len 20 transport-cut 4
    len 20 udp-length 7
""".strip().splitlines()
SCTP = "init tag 7\ninit tag 7 bad-checksum\ndata".splitlines()
UDPLITE = "len 20\nlen 20 coverage 8\nlen 20 bad-checksum".splitlines()
ICMP = {
    4: ["echo-request id 1 len 30", "echo-request id 2 len 30 bad-checksum", "echo-reply id 3",
        "13/0 id 4 len 12", "14/0 id 5 len 12", "17/0 id 6 len 4", "9/0", "10/0", "40/0", "200/0",
        *[f"error {kind} about udp OUT:9 > IN:9 len 20" for kind in ("3/3", "11/0", "12/0", "4/0",
                                                                     "5/1")]],
    6: ["echo-request id 1 len 30", "echo-request id 2 len 30 bad-checksum", "echo-reply id 3",
        "127/0", "139/0 len 12", "140/0 len 12", "144/0", "145/0", "200/0", "100/0",
        *[f"error {kind} about udp OUT:9 > IN:9 len 20" for kind in ("1/3", "2/0", "3/0", "4/0")]],
}
OTHERS = {4: ["len 20 df", "len 20 ip-options 01010101", "len 20 ip-options 94040000",
              "len 0 no-checksum"],
          6: ["len 20 ext hop-by-hop", "len 20 ext destination",
              "len 20 ext hop-by-hop ext routing", "len 20 ext ah", "len 20 ext fragment", "len 20 no-checksum"]}
# A datagram in pieces is put together before it is judged, by both.
PIECES = [("len 1800", ["piece 0+800 id 7", "piece 800+1008 id 7 last"]),
          ("len 1800 bad-checksum", ["piece 0+800 id 7", "piece 800+1008 id 7 last"])]
HOSTS = {4: ("10.0.0.1", "10.128.0.1"), 6: ("fd00:1::1", "fd00:2::1")}


@dataclasses.dataclass
class Rules:
    """What the kernel's side calls a profile."""
    name: str = "answers"
    text: str = ""

    def nft(self):
        return ""

    def sysctls(self):
        return {"net/ipv6/auto_flowlabels": 0, "net/ipv6/flowlabel_reflect": 0}

    def yaml(self):
        return self.text


def end(family, host, port):
    return f"{host}:{port}" if family == 4 else f"[{host}]:{port}"


def packet_lines(family):
    """Packets, each of a flow of its own."""
    inside, outside = HOSTS[family]
    lines = []

    def add(protocol, words):
        port = 3000 + len(lines)
        lines.append(f"{protocol} {end(family, inside, port)} > {end(family, outside, 80)} "
                     f"{words.strip()}")

    for protocol, all_words in (("tcp", TCP), ("udp", UDP), ("sctp", SCTP), ("udplite", UDPLITE),
                                ("udp", OTHERS[family])):
        for words in all_words:
            add(protocol, words)
    for words, pieces in PIECES:
        port = 3000 + len(lines)
        for piece in pieces:
            lines.append(f"udp {end(family, inside, port)} > {end(family, outside, 80)} {words} "
                         f"{piece}")
    ends = {"IN": end(family, inside, "")[:-1], "OUT": end(family, outside, "")[:-1]}
    for words in ICMP[family]:
        for name, address in ends.items():
            words = words.replace(f"{name}:", f"{address}:")
        lines.append(f"icmp {inside} > {outside} {words}")
    lines += [f"gre {inside} > {outside}", f"gre {inside} > {outside} call 7",
              f"ip {inside} > {outside} proto 50 len 24", f"ip {inside} > {outside} proto 99"]
    return lines


def yaml_of(kind, is_tracked):
    protocol = "proto: tcp, " if kind == "tcp-reset" else ""
    lines = ["version: 1", "interfaces:"]
    for number, (side, peer) in enumerate(zip(SIDES, reversed(SIDES))):
        lines.append(f'  {side}: {{ device: "vdev:net_null{number}", bridge: {peer} }}')
    lines += ["bridge: { strict_nd: true }", "chains:"]
    if not is_tracked:
        lines += ["  raw:", "    rules:", "      - { action: notrack }"]
    lines += ["  forward:", "    policy: drop", "    rules:",
              f"      - {{ {protocol}action: reject, reject_with: {kind} }}"]
    return "\n".join(lines) + "\n"


def iptables_of(family, kind, is_tracked):
    protocol = "-p tcp " if kind == "tcp-reset" else ""
    lines = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]",
             f"-A FORWARD {protocol}-j REJECT --reject-with {KINDS[family][kind]}", "COMMIT"]
    if not is_tracked:
        lines += ["*raw", ":PREROUTING ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]",
                  "-A PREROUTING -j CT --notrack", "COMMIT"]
    return "\n".join(lines) + "\n"


def pseudo_header(packet, protocol):
    if packet[0] >> 4 == 4:
        body = packet[20:]
        return b"" if protocol == 1 else packet[12:20] + struct.pack(">BBH", 0, protocol, len(body))
    return packet[8:40] + struct.pack(">II", len(packet) - 40, protocol)


def normal(frame, hops):
    """An answer without what differs between a router and a bridge; `hops` taken from what it
    quotes."""
    packet = bytearray(frame[14:])
    is_v4 = not is_ipv6(frame)
    header = 20 if is_v4 else 40
    packet = packet[:struct.unpack_from(">H", packet, 2)[0] if is_v4
                    else 40 + struct.unpack_from(">H", packet, 4)[0]]
    protocol = packet[9] if is_v4 else packet[6]
    if is_v4 and checksum(packet[:20]) != 0:
        return b"wrong IPv4 checksum: " + bytes(packet)
    if checksum(pseudo_header(packet, protocol) + packet[header:]) != 0:
        return b"wrong checksum: " + bytes(packet)
    if is_v4:
        packet[4:6] = packet[10:12] = b"\0\0"
    if protocol == 6:
        packet[header + 16:header + 18] = b"\0\0"
        return bytes(packet)
    packet[header + 2:header + 4] = b"\0\0"
    packet[12 if is_v4 else 8:16 if is_v4 else 24] = bytes(4 if is_v4 else 16)
    quoted = header + 8
    packet[quoted + (8 if is_v4 else 7)] -= hops
    if is_v4:
        packet[6] &= ~DONT_FRAGMENT
        packet[quoted + 10:quoted + 12] = b"\0\0"
    return bytes(packet)


class Comparison:
    def __init__(self, kernel, subject):
        self.kernel, self.subject = kernel, subject
        self.packets = self.answered = 0

    def play(self, family, kind, is_tracked):
        """[(line, the kernel's answers, Rampart's)] of packets that are answered differently."""
        self.kernel.configure(Rules())
        self.kernel.forget()
        run("iptables-restore" if family == 4 else "ip6tables-restore",
            text=iptables_of(family, kind, is_tracked))
        self.subject.configure(Rules(text=yaml_of(kind, is_tracked)))
        lines = packet_lines(family)
        frames = self.subject.frames(lines)
        theirs = [self.ask_kernel(frame) for frame in frames]
        ours = self.ask_subject(frames)
        self.packets += len(lines)
        self.answered += sum(map(bool, theirs))
        return [(line, their, our) for line, their, our in zip(lines, theirs, ours)
                if their != our and not is_known(line, their, our)]

    def ask_kernel(self, frame):
        _, _, outputs = self.kernel.send("inside", frame)
        return [normal(out, 0) for _, out, _ in outputs]

    def ask_subject(self, frames):
        commands = ["reset"] + [f"send {number * GAP_US} inside {frame.hex()}"
                                for number, frame in enumerate(frames)]
        answers = []
        for line in self.subject.ask(commands):
            kind, _, rest = line.partition(" ")
            if kind == "packet":
                answers.append([])
            elif kind in ("out", "reply"):
                answers[-1].append(normal(bytes.fromhex(rest.split()[1]), 1))
        return answers


def is_known(line, their, our):
    """Differences with a row in docs/differences.md."""
    words = line.split()
    if words[0] == "tcp" and ("data-offset" in words or {"R", "R."} & set(words)):
        return not our
    if words[-2:] == ["proto", "99"]:
        return not their
    # Of a datagram that came in pieces only the first is quoted: a prefix of what Linux says.
    if "piece" in words and len(their) == len(our) == 1:
        return their[0][QUOTE6:].startswith(our[0][QUOTE6:])
    return False


def shown(answers):
    return " ".join(answer.hex() for answer in answers) or "nothing"


def compare(comparison, options):
    started, total, failed = time.monotonic(), 0, 0
    for family, kinds in KINDS.items():
        for kind in kinds:
            for is_tracked in (True, False):
                total += 1
                found = comparison.play(family, kind, is_tracked)
                failed += bool(found)
                if found:
                    print(f"FAIL IPv{family} {kind}, {'' if is_tracked else 'un'}tracked")
                for line, their, our in found[:options.keep_going]:
                    print(f"    {line}\n        kernel:  {shown(their)}\n"
                          f"        rampart: {shown(our)}", flush=True)
    print(f"{comparison.packets} packets, {comparison.answered} answered, "
          f"{time.monotonic() - started:.0f} s")
    print(f"{total - failed} passed, {failed} failed, 0 skipped")
    # A comparison in which nothing is answered compares nothing.
    return 1 if failed or not comparison.answered else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep-going", type=int, default=3, help="differences to show of a kind")
    options = parser.parse_args()
    return with_both_sides(
        lambda kernel, subject: compare(Comparison(kernel, subject), options), tools=TOOLS)


if __name__ == "__main__":
    sys.exit(main())
