#!/usr/bin/python3
"""Compares limit and connlimit with those of the running kernel: which packets pass, in real time.

Every way to write a limit (iptables' limit, hashlimit and connlimit, nft's limit, ct count and
their per-key forms) is played by itself, side by side with all others. Rampart gets the same
packets at the very times the kernel got them, once under the rules as written here and once under
those that rampartctl imports from iptables-save; and once more at exactly the times that are
written, whole bursts at once. README.md tells how the two sides work. Needs root.
"""
import argparse
import dataclasses
import pathlib
import shutil
import sys
import tempfile
import time

from hosts import Names
from kernel import run
from limit_vectors import ANY, VECTORS
from profiles import Profile
from run_import import RAMPARTCTL, TOOLS, import_dumps
from subject import PROGRAM, Subject
from suite import with_both_sides

FIRST_PORT = 20000
STAGGER_S = 0.02  # from one sequence to the next, so that their bursts do not fall together
BURST = 32        # packets that Rampart gets at once
ATTEMPTS = 3      # a difference counts when it shows in all of them: the kernel's time is real
OPPOSITE = {"accept": "drop", "drop": "accept"}
TIMEOUTS = {"udp": 2}


@dataclasses.dataclass
class Profiled:
    """What the kernel's side calls a profile."""
    rules: str = ""
    options: Profile = Profile("limits", timeouts=TIMEOUTS)

    def nft(self):
        return self.rules

    def sysctls(self):
        return self.options.sysctls()


@dataclasses.dataclass
class Configuration:
    text: str
    name: str = "limits"

    def yaml(self):
        return self.text


class Case:
    """One vector in one of the ways to write it; `bursts`: (time, side, frames, step)."""

    def __init__(self, vector, way, number):
        self.vector, self.way, self.number = vector, way, number
        self.port = FIRST_PORT + number
        self.words = vector.theirs[way].replace("NAME", f"limit{number}") \
            .replace("SET", f"set{number}")
        names = Names(number + 1)
        self.lines = [names.resolve(step.line).replace("PORT", str(self.port))
                      for step in vector.steps]
        self.bursts = []

    def __str__(self):
        return f"{self.vector.name} ({self.way})"

    def is_iptables(self):
        return "-m " in self.words

    def iptables(self):
        head = f"-A FORWARD -p {self.vector.protocol} --dport {self.port}"
        return [f"{head} {self.words} -j {self.vector.action.upper()}",
                f"{head} -j {OPPOSITE[self.vector.action].upper()}"]

    def nft(self):
        head = f"meta l4proto {self.vector.protocol} th dport {self.port}"
        return [f"{head} {self.words} {self.vector.action}",
                f"{head} {OPPOSITE[self.vector.action]}"]

    def nft_sets(self):
        if "@" not in self.words:
            return []
        return [f"set set{self.number} {{ type {self.vector.key}; size 1024; flags dynamic; }}"]

    def yaml(self):
        head = f"proto: {self.vector.protocol}, dport: {self.port}"
        return [f"{{ {head}, {self.vector.ours}, action: {self.vector.action} }}",
                f"{{ {head}, action: {OPPOSITE[self.vector.action]} }}"]

    def build(self, subject):
        packets = [line.partition(" ") for line in self.lines]
        frames = subject.frames([packet for _, _, packet in packets])
        self.bursts = [(self.number * STAGGER_S + step.at_s, side, [frame] * step.count, step)
                       for step, (side, _, _), frame in zip(self.vector.steps, packets, frames)]


def indented(lines, depth):
    return [" " * depth + line for line in lines]


def iptables_text(cases, family):
    rules = [rule for case in cases if case.is_iptables() and case.vector.family == family
             for rule in case.iptables()]
    return "\n".join(["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]",
                      ":OUTPUT ACCEPT [0:0]", *rules, "COMMIT", ""])


def nft_text(cases):
    own = [case for case in cases if not case.is_iptables()]
    return "\n".join(["table inet limits {",
                      *indented([line for case in own for line in case.nft_sets()], 2),
                      "  chain forward {",
                      "    type filter hook forward priority 0; policy accept;",
                      *indented([line for case in own for line in case.nft()], 4), "  }", "}", ""])


def yaml_text(cases):
    rules = ["- " + rule for case in cases for rule in case.yaml()]
    return Profile("limits", timeouts=TIMEOUTS).yaml() + "    rules:\n" + \
        "\n".join(indented(rules, 6)) + "\n"


def with_timeouts(text):
    timeouts = ", ".join(f"{key}: {value}s" for key, value in TIMEOUTS.items())
    return text + f"conntrack: {{ timeouts: {{ {timeouts} }} }}\n"


def imported_text(dumps):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rampart-limits-"))
    try:
        return with_timeouts(import_dumps(dumps, folder))
    finally:
        shutil.rmtree(folder)


def play_kernel(kernel, cases):
    """{case: [(time, passed) per packet]}, times since the play began."""
    bursts = sorted(((case, burst) for case in cases for burst in case.bursts),
                    key=lambda item: item[1][0])
    results = {case: [] for case in cases}
    start = time.monotonic()
    for case, (at_s, side, frames, _) in bursts:
        time.sleep(max(0.0, start + at_s - time.monotonic()))
        for frame in frames:
            moment, _, outputs = kernel.send(side, frame)
            results[case].append((moment - start, any(out != side for out, _, _ in outputs)))
    return results


def ask_subject(config, cases, sends):
    """`sends`: [(time, case, side, frames)]. {case: [passed per packet]}"""
    results = {case: [] for case in cases}
    sends.sort(key=lambda send: send[0])
    # A program of its own: buckets outlive a change of the configuration.
    with Subject() as subject:
        subject.configure(Configuration(config))
        commands = [f"send {int(at_s * 1e6)} {side} {' '.join(frame.hex() for frame in frames)}"
                    for at_s, _, side, frames in sends]
        owners = [case for _, case, _, frames in sends for _ in frames]
        packets = (line for line in subject.ask(commands) if line.startswith("packet "))
        for case, line in zip(owners, packets):
            results[case].append(line.split()[1] == "forward")
    return results


def as_sent(cases, theirs):
    """The packets at the times at which the kernel got them."""
    sends = []
    for case in cases:
        moments = iter(theirs[case])
        sends += [(next(moments)[0], case, side, [frame])
                  for _, side, frames, _ in case.bursts for frame in frames]
    return sends


def as_written(cases):
    return [(at_s, case, side, frames[i:i + BURST]) for case in cases
            for at_s, side, frames, _ in case.bursts for i in range(0, len(frames), BURST)]


def counts(case, passed):
    """How many passed of each step."""
    remaining = iter(passed)
    return [sum(next(remaining) for _ in frames) for _, _, frames, _ in case.bursts]


def differences(case, theirs, plays):
    """Texts: where the kernel or one of Rampart's plays is not as expected, or not as the other."""
    steps = case.vector.steps
    kernel_passed, found = [passed for _, passed in theirs], []
    kernel_counts, wants = counts(case, kernel_passed), [step.passed for step in steps]
    kernel_wants = [count if step.kernel == ANY else step.kernel
                    for step, count in zip(steps, kernel_counts)]
    if kernel_counts != kernel_wants:
        found.append(f"the kernel passes {kernel_counts}, expected {kernel_wants}")
    for name, passed in plays.items():
        if counts(case, passed) != wants:
            found.append(f"Rampart ({name}) passes {counts(case, passed)}, expected {wants}")
        elif kernel_wants == wants and name != "as written" and passed != kernel_passed:
            found.append(f"Rampart ({name}) passes other packets: "
                         f"{sum(a != b for a, b in zip(passed, kernel_passed))} of {len(passed)}")
    return found


class Comparison:
    def __init__(self, kernel):
        self.kernel = kernel
        self.packets = self.imported = 0

    def play(self, cases):
        """{case: [differences]} of one play."""
        self.kernel.configure(Profiled(nft_text(cases)))
        self.kernel.forget()
        for family, restore in ((4, "iptables-restore"), (6, "ip6tables-restore")):
            run(restore, "-n", text=iptables_text(cases, family))
        from_iptables = [case for case in cases if case.is_iptables() and self.can_import(case)]
        theirs = play_kernel(self.kernel, cases)
        ours = ask_subject(yaml_text(cases), cases, as_sent(cases, theirs))
        ideal = ask_subject(yaml_text(cases), cases, as_written(cases))
        dumps = {family: iptables_text(from_iptables, family) for family in (4, 6)}
        imported = ask_subject(imported_text(dumps), from_iptables,
                               as_sent(from_iptables, theirs))
        self.packets += sum(len(passed) for passed in theirs.values())
        self.imported = max(self.imported, len(imported))
        found = {}
        for case in cases:
            plays = {"as sent": ours[case], "as written": ideal[case]}
            if case in imported:
                plays["imported"] = imported[case]
            found[case] = differences(case, theirs[case], plays)
        return found

    @staticmethod
    def can_import(case):
        """Rates of bytes have no counterpart (docs/migrating.md)."""
        return "kb/s" not in case.words


def compare(comparison, cases, show_all):
    started = time.monotonic()
    failing = {case: [] for case in cases}
    for _ in range(ATTEMPTS):
        played = comparison.play(list(failing))
        failing = {case: found for case, found in played.items() if found}
        if not failing:
            break
    for case in cases:
        if case in failing:
            print(f"FAIL {case}\n" + "\n".join("    " + text for text in failing[case]))
            print("\n".join(f"    {line}" for line in [case.words, *case.yaml()]), flush=True)
        elif show_all:
            print(f"ok   {case}")
    print(f"{len(cases)} rules, {comparison.packets} packets, {comparison.imported} rules imported "
          f"as well, {time.monotonic() - started:.0f} s")
    print(f"{len(cases) - len(failing)} passed, {len(failing)} failed, 0 skipped")
    return 1 if failing else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="a part of the names of vectors or ways")
    parser.add_argument("--verbose", action="store_true", help="name also what is equal")
    return parser.parse_args()


def main():
    options = parse_arguments()
    ways = [(vector, way) for vector in VECTORS for way in vector.theirs]
    cases = [Case(vector, way, number) for number, (vector, way) in enumerate(ways)]
    cases = [case for case in cases if options.only in str(case)]

    def play(kernel, subject):
        for case in cases:
            case.build(subject)
        return compare(Comparison(kernel), cases, options.verbose)

    return with_both_sides(play, tools=TOOLS, programs=(PROGRAM, RAMPARTCTL))


if __name__ == "__main__":
    sys.exit(main())
