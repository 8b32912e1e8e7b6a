#!/usr/bin/python3
"""Compares translation, routing, helpers and the box's own traffic with the running kernel's.

Plays hand-written sequences (nat_vectors.py) and random ones (--seeds A-B), each with rules of its
own, on the kernel and on Rampart's packet path, both routing; compares the class of every packet,
what came out, what the box answered, and the table after it. README.md explains what is evened
out. Needs root.
"""
import argparse
import sys
import time

import helper_generator
import helper_vectors
import nat_vectors
from compare import shown_classes
from known import missing_rows
from nat_compare import NatDifference, differences
from nat_generator import generate
from nat_known import KNOWN, explanation
from nat_player import NatPlayer
from routed_kernel import NETWORK, RoutedKernel
from run import parse_seeds
from suite import with_both_sides

BATCH = 250
REPEATS = 2  # a difference counts when it shows each time


class Judge:
    """Plays sequences, again where the sides differ, and says which really do."""

    def __init__(self, player):
        self.player, self.explained = player, {}

    def problems(self, sequences, repeats=REPEATS):
        """[NatDifference] of those that differ without explanation, each time."""
        found = [problem for result in self.player.play(sequences, {})
                 if (problem := self._first_problem(result))]
        if found and repeats:
            return self.problems([problem.result.played.sequence for problem in found],
                                 repeats - 1)
        return found

    def _first_problem(self, result):
        for difference in differences(result):
            known = explanation(difference)
            if known is None:
                return difference
            self.explained[known.row] = self.explained.get(known.row, 0) + 1
            if not known.goes_on:
                return None
        return self._unmet(result)

    @staticmethod
    def _unmet(result):
        """What a vector expects, and the kernel does otherwise."""
        sequence = result.played.sequence
        for index, (answer, step) in enumerate(zip(result.kernel, result.played.steps)):
            if answer is None and step.line and sequence.is_whole:
                return NatDifference(index, "expectation", "passed over", "-", result)
        for index, (answer, expected) in enumerate(zip(result.kernel, sequence.expectations)):
            if answer and expected and shown_classes(answer) != expected[0]:
                return NatDifference(index, "expectation", shown_classes(answer), expected[0],
                                     result)
        return None


def show(difference):
    played = difference.result.played
    sequence = played.sequence
    lines = [f"FAIL {sequence.name}{'' if sequence.is_open else ' (stateful)'}"]
    lines += [f"    {rule.chain} {rule.yaml(played.names)}" for rule in sequence.rules]
    for index, step in enumerate(played.steps[:difference.index + 1]):
        lines.append(f"    {'-->' if index == difference.index else '   '} {step.text}")
    lines += [f"    {difference.aspect}", f"        kernel:  {difference.kernel}",
              f"        rampart: {difference.ours}"]
    return played.names.restore("\n".join(lines))


def chosen_sequences(options):
    found = []
    chosen = (options.vectors, options.seeds, options.helper_seeds)
    is_all = all(choice is None for choice in chosen)
    if options.vectors is not None or is_all:
        words = options.vectors or [""]
        found += [vector for vector in nat_vectors.VECTORS + helper_vectors.VECTORS
                  if any(word in vector.name for word in words)]
    if options.seeds is not None or is_all:
        found += [generate(seed) for seed in options.seeds or range(1000)]
    if options.helper_seeds is not None or is_all:
        found += [helper_generator.generate(seed) for seed in options.helper_seeds or range(200)]
    return found


def play_all(options, kernel, subject):
    subject.set_network(NETWORK)
    player = NatPlayer(kernel, subject)
    judge, started = Judge(player), time.monotonic()
    sequences, failed = chosen_sequences(options), []
    for first in range(0, len(sequences), BATCH):
        failed += judge.problems(sequences[first:first + BATCH])
        if options.verbose:
            print(f"{first + BATCH} sequences, {time.monotonic() - started:.0f} s, "
                  f"{len(failed)} differ", flush=True)
    for difference in failed[:options.limit]:
        print(show(difference))
    for difference in failed[options.limit:]:
        print(f"FAIL {difference.result.played.sequence.name}")
    if options.verbose:
        for reason, count in sorted(judge.explained.items()):
            print(f"explained {count} times: {reason}")
    print(f"{player.packets} packets in {time.monotonic() - started:.0f} s")
    print(f"{len(sequences) - len(failed)} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed or not sequences else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=parse_seeds, metavar="A-B",
                        help="random sequences; without any of these three: all vectors, "
                             "0-999, and helpers 0-199")
    parser.add_argument("--helper-seeds", type=parse_seeds, metavar="A-B",
                        help="random sessions with helpers")
    parser.add_argument("--vectors", nargs="*", metavar="WORDS")
    parser.add_argument("--verbose", action="store_true", help="say what explains differences")
    parser.add_argument("--limit", type=int, default=10, help="differences to show in full")
    return parser.parse_args()


def main():
    options = parse_arguments()
    if rows := missing_rows(KNOWN):
        print("docs/differences.md has no row: " + "; ".join(rows), file=sys.stderr)
        return 2
    return with_both_sides(lambda kernel, subject: play_all(options, kernel, subject),
                           make_kernel=RoutedKernel)


if __name__ == "__main__":
    sys.exit(main())
