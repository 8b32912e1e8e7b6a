#!/usr/bin/python3
"""Compares the lines of `log` with those that the LOG target writes to the kernel's log.

The same packets meet a rule that logs on the running kernel (iptables' and ip6tables' LOG in
FORWARD) and on Rampart's packet path. The lines must be equal up to where Rampart's says which rule
logged. The kernel decrements the TTL before it logs, so its packets start with one more. README.md
tells how the two sides work. Needs root, and a kernel log that can be read. While it runs, the
kernel logs for all network namespaces (net.netfilter.nf_log_all_netns).
"""
import argparse
import os
import pathlib
import re
import struct
import sys
import time

from compare import checksum, is_ipv6
from hosts import SIDES
from kernel import run
from run_answers import HOSTS, TOOLS, Rules, end, packet_lines
from suite import skip, with_both_sides

SWITCH = pathlib.Path("/proc/sys/net/netfilter/nf_log_all_netns")
WAIT_S = 2
MARKED_PORT = 99
OWN_WORDS = re.compile(r" rule=\S+ action=\S+$")


class KernelLog:
    """What the kernel logs from now on, of lines with a prefix of its own. Made in the first
    network namespace: only there is the switch."""

    def __init__(self):
        self.prefix = f"rd{os.getpid()}: "
        self.file = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.file, 0, os.SEEK_END)
        self.switch = os.open(SWITCH, os.O_RDWR)
        self.before = os.read(self.switch, 16)
        os.pwrite(self.switch, b"1\n", 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.pwrite(self.switch, self.before, 0)
        os.close(self.switch)
        os.close(self.file)

    def read(self):
        """The next line, or None when none comes in time."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            try:
                message = os.read(self.file, 8192).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.001)
                continue
            except BrokenPipeError:
                continue  # lines were overwritten before they were read
            text = message.partition(";")[2].partition("\n")[0]
            if text.startswith(self.prefix):
                return text[len(self.prefix):].strip()
        return None


def more_lines(family):
    inside, outside = HOSTS[family]

    def ends(port):
        return f"{end(family, inside, 4000)} > {end(family, outside, port)}"

    lines = [f"udp {ends(MARKED_PORT)} len 3", f"tcp {ends(80)} SEC seq 1 ack 2 win 7",
             f"tcp {ends(81)} FSRPAUEC seq 1 win 0", f"udp {ends(82)} len 1400",
             f"udp {ends(83)} transport-cut 4 pad 30", f"tcp {ends(84)} S transport-cut 12 pad 30",
             f"ip {inside} > {outside} proto 51 len 24", f"ip {inside} > {outside} proto 50 len 3",
             f"ip {inside} > {outside} proto 4 len 24", f"icmp {inside} > {outside} 8/0 id 7 seq 9",
             f"icmp {inside} > {outside} echo-request id 7 transport-cut 5"]
    about = f"{end(family, outside, 9)} > {end(family, inside, 9)}"
    kinds = ["3/4", "5/0", "12/0", "11/1", "4/0"] if family == 4 else ["2/0", "4/1", "3/1", "1/4"]
    whats = ["tcp {} S seq 5", "udp {} len 30", f"icmp {outside} > {inside} echo-request id 7",
             "sctp {} init tag 7", f"ip {outside} > {inside} proto 50 len 30"]
    for kind in kinds:
        lines += [f"icmp {inside} > {outside} error {kind} about {what.format(about)}"
                  for what in whats]
        lines += [f"icmp {inside} > {outside} error {kind} quote {count} about udp {about} len 30"
                  for count in (0, 8, 20, 24, 28, 40, 44, 48)]
    if family == 6:
        lines += [f"icmp {inside} > {outside} error 1/4 quote {count} about udp {about} len 30 "
                  f"ext {name}" for name in ("destination", "fragment", "ah")
                  for count in (40, 41, 42, 44, 47, 48, 52, 56, 60, 68, 80)]
    lines += [f"icmp {inside} > {outside} {kind}/0 id 7 len {length}" for kind in (13, 14, 17, 18)
              for length in (0, 3, 4, 11, 12)]
    return lines


def is_known(their, our):
    """Differences with a row in docs/differences.md: IPv6 with ESP inside, of which Linux says
    nothing; and how many bytes there are of a header that begins behind the end."""
    if their is None:
        return False
    our = re.sub(r"PROTO=ESP (SPI=\S+|INCOMPLETE \[\d+ bytes\])", "", our) \
        if "FLOWLBL" in our else our
    return our.split() == re.sub(r"\[42949\d{5} bytes\]", "[0 bytes]", their).split()


def with_more_hops(frame):
    """The frame with a TTL that is one higher."""
    frame = bytearray(frame)
    if is_ipv6(frame):
        frame[21] += 1
        return bytes(frame)
    header = (frame[14] & 15) * 4
    frame[22] += 1
    frame[24:26] = b"\0\0"
    frame[24:26] = struct.pack(">H", checksum(frame[14:14 + header]))
    return bytes(frame)


def yaml_of(prefix):
    lines = ["version: 1", "interfaces:"]
    for number, (side, peer) in enumerate(zip(SIDES, reversed(SIDES))):
        lines.append(f'  {side}: {{ device: "vdev:net_null{number}", bridge: {peer} }}')
    return "\n".join([
        *lines, "bridge: { strict_nd: true }", "chains:", "  forward:", "    policy: accept",
        "    rules:",
        f"      - {{ proto: udp, dport: {MARKED_PORT}, set_mark: 0x1f0, action: continue }}",
        f'      - {{ log: {{ prefix: "{prefix}", limit: none }}, action: accept }}', ""])


def iptables_of(prefix):
    return "\n".join([
        "*mangle", ":PREROUTING ACCEPT [0:0]",
        f"-A PREROUTING -p udp --dport {MARKED_PORT} -j MARK --set-mark 0x1f0", "COMMIT",
        "*filter", ":FORWARD ACCEPT [0:0]",
        f'-A FORWARD -j LOG --log-level debug --log-prefix "{prefix}"', "COMMIT", ""])


def ask_subject(subject, frames, prefix):
    """The line of each frame, None where it was not logged."""
    commands = ["reset"] + [f"send {number} inside {frame.hex()}"
                            for number, frame in enumerate(frames)]
    lines = []
    for answer in subject.ask(commands):
        kind, _, rest = answer.partition(" ")
        if kind == "packet":
            lines.append(None)
        elif kind == "log":
            lines[-1] = OWN_WORDS.sub("", rest)[len(prefix):].strip()
    return lines


def play(kernel, subject, log, family):
    """[(packet, the kernel's line, Rampart's)] of all packets that both forward."""
    prefix = log.prefix
    kernel.configure(Rules())
    kernel.forget()
    run("iptables-restore" if family == 4 else "ip6tables-restore", text=iptables_of(prefix))
    subject.configure(Rules(text=yaml_of(prefix)))
    lines = [line for line in packet_lines(family) + more_lines(family) if "piece" not in line]
    frames = subject.frames(lines)
    ours = ask_subject(subject, frames, prefix)
    played = []
    for line, frame, our in zip(lines, frames, ours):
        if our is not None:
            kernel.send("inside", with_more_hops(frame))
            played.append((line, log.read(), our))
    return played


def compare(kernel, subject, log):
    started, passed, failed = time.monotonic(), 0, 0
    for family in (4, 6):
        for line, their, our in play(kernel, subject, log, family):
            if their == our or is_known(their, our):
                passed += 1
                continue
            failed += 1
            print(f"FAIL {line}\n    kernel:  {their}\n    rampart: {our}", flush=True)
    print(f"{time.monotonic() - started:.0f} s")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not passed else 0


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    if os.geteuid() != 0:
        return skip("network namespaces need root")
    if not SWITCH.exists() or not os.access("/dev/kmsg", os.R_OK):
        return skip("the kernel's log cannot be read here")
    with KernelLog() as log:
        return with_both_sides(lambda kernel, subject: compare(kernel, subject, log), tools=TOOLS)


if __name__ == "__main__":
    sys.exit(main())
