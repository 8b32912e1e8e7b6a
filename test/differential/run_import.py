#!/usr/bin/python3
"""Compares imported rules with the iptables that they come from, packet by packet.

Random rule sets are loaded with iptables-restore and ip6tables-restore in a network namespace. What
iptables-save then says is imported by rampartctl, and the same packets go through the running
kernel and through Rampart's packet path with the imported file. Which of them pass, and what is
answered to those that do not, must be the same. README.md tells how the two sides work. Needs root.
"""
import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import time

from kernel import run
from rule_sets import SIDES, Generator
from subject import BUILD, PROGRAM
from suite import with_both_sides

RAMPARTCTL = pathlib.Path(os.environ.get("RAMPARTCTL", BUILD / "app/rampartctl/rampartctl"))
TOOLS = ("iptables-restore", "ip6tables-restore", "iptables-save", "ip6tables-save")
GAP_US = 2000  # between packets, for Rampart's clock: few enough answers for any limit of their rate
PORTS = [f"--interface={side}=vdev:net_null{number}" for number, side in enumerate(SIDES)]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--sets", type=int, default=40, help="how many rule sets")
    parser.add_argument("--packets", type=int, default=150, help="for each")
    parser.add_argument("--extra", nargs="*", default=["tcp_flags", "length", "dscp"],
                        help="further conditions: tcp_flags length dscp ct_status")
    parser.add_argument("--keep-going", type=int, default=3, help="differences to show")
    return parser.parse_args()


class Imported:
    """What the differential test calls a profile: rules for the kernel and for Rampart."""
    name = "imported"

    def __init__(self, yaml=""):
        self.text = yaml

    def nft(self):
        return ""

    def sysctls(self):
        return {}

    def yaml(self):
        return self.text


# NOTRACK does not end the chain in iptables, `notrack` does: an import in that case would let
# packets pass that raw drops further down, so it is refused (docs/migrating.md).
REFUSED = "behind it raw may still drop the packet"


class Refused(Exception):
    """The dump says something that is not imported, and the importer said so."""


def import_dumps(dumps, folder):
    """The configuration, or what rampartctl said."""
    for family, text in dumps.items():
        (folder / f"v{family}").write_text(text)
    done = run(str(RAMPARTCTL), "import", "iptables-save", str(folder / "v4"), "--ipv6-file",
               str(folder / "v6"), *PORTS, "--bridge=inside=outside", check=False)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if ": error: " in line]
        if errors and all(line.endswith(REFUSED) for line in errors):
            raise Refused
        raise ValueError(f"rampartctl import: status {done.returncode}\n{done.stderr}")
    # The implicit rule for neighbour discovery has no counterpart in ip6tables.
    return done.stdout + "bridge: { strict_nd: true }\n"


def payload(frame):
    """The protocol and what the IP packet carries; the frames of this test have plain headers."""
    if frame[12:14] == b"\x86\xdd":
        return frame[20], frame[54:]
    return frame[23], frame[14 + (frame[14] & 15) * 4:]


def tcp_flags(frame):
    return payload(frame)[1][13]


def describe(frame):
    """What a frame is, as far as a rule decides it: the answer's kind, or the packet itself."""
    protocol, body = payload(frame)
    if protocol in (1, 58):
        return f"icmp {body[0]}/{body[1]}"
    return f"tcp flags {body[13]:#x}" if protocol == 6 else f"protocol {protocol}"


class Comparison:
    def __init__(self, options, kernel, subject):
        self.options, self.kernel, self.subject = options, kernel, subject
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rampart-import-"))
        self.samples = self.forwarded = self.answered = self.refused = 0

    def close(self):
        shutil.rmtree(self.folder)

    def load(self, rules):
        self.kernel.configure(Imported())
        self.kernel.forget()
        for family, restore in ((4, "iptables-restore"), (6, "ip6tables-restore")):
            run(restore, text=rules[family])
        return {4: run("iptables-save").stdout, 6: run("ip6tables-save").stdout}

    def play(self, seed):
        """None, or how the two sides differ."""
        generator = Generator(seed, self.options.extra)
        dumps = self.load(generator.rule_set())
        try:
            yaml = import_dumps(dumps, self.folder)
        except Refused:
            self.refused += 1
            return None
        except ValueError as error:
            return str(error)
        self.subject.configure(Imported(yaml))
        packets = generator.packets(self.options.packets)
        frames = self.subject.frames([line for _, line in packets])
        theirs = [self.ask_kernel(side, frame) for (side, _), frame in zip(packets, frames)]
        ours = self.ask_subject([side for side, _ in packets], frames)
        self.samples += len(packets)
        for number, (their, our) in enumerate(zip(theirs, ours)):
            self.forwarded += any(kind == "forward" for kind, _ in their)
            self.answered += any(kind == "answer" for kind, _ in their)
            if their != our:
                return self.report(packets[:number + 1], their, our, dumps, yaml)
        return None

    def ask_kernel(self, side, frame):
        _, _, outputs = self.kernel.send(side, frame)
        # Linux answers also resets with ICMP errors; Rampart answers resets with nothing.
        is_reset = describe(frame).startswith("tcp flags") and tcp_flags(frame) & 4
        return sorted(("answer" if out == side else "forward", describe(data))
                      for out, data, _ in outputs if out != side or not is_reset)

    def ask_subject(self, sides, frames):
        commands = ["reset"]
        for number, (side, frame) in enumerate(zip(sides, frames)):
            commands.append(f"send {number * GAP_US} {side} {frame.hex()}")
        outcomes = []
        for line in self.subject.ask(commands):
            kind, _, rest = line.partition(" ")
            if kind == "packet":
                outcomes.append([])
            elif kind in ("out", "reply"):
                data = bytes.fromhex(rest.split()[1])
                outcomes[-1].append(("forward" if kind == "out" else "answer", describe(data)))
        return [sorted(outcome) for outcome in outcomes]

    @staticmethod
    def report(packets, their, our, dumps, yaml):
        shown = "\n".join(f"        {side} {line}" for side, line in packets[-12:])
        return (f"{shown}\n    --> kernel {their}, rampart {our}\n"
                f"{dumps[4]}{dumps[6]}{yaml}")


def compare(options, comparison):
    started, failed = time.monotonic(), 0
    for seed in range(options.first, options.first + options.sets):
        difference = comparison.play(seed)
        if difference is None:
            continue
        failed += 1
        if failed <= options.keep_going:
            print(f"FAIL rule set {seed}\n{difference}", flush=True)
    print(f"{options.sets} rule sets, {comparison.samples} packets, {comparison.forwarded} "
          f"forwarded, {comparison.answered} answered, {comparison.refused} rule sets refused, {time.monotonic() - started:.0f} s")
    print(f"{options.sets - failed} passed, {failed} failed, 0 skipped")
    # A comparison in which nothing passes compares nothing.
    return 1 if failed or not comparison.forwarded or not comparison.answered else 0


def main():
    options = parse_arguments()

    def play(kernel, subject):
        comparison = Comparison(options, kernel, subject)
        try:
            return compare(options, comparison)
        finally:
            comparison.close()

    return with_both_sides(play, tools=TOOLS, programs=(PROGRAM, RAMPARTCTL))


if __name__ == "__main__":
    sys.exit(main())
