#!/usr/bin/python3
"""Compares connection tracking with the running kernel's, packet by packet.

Plays hand-written sequences (vectors/) and random ones (--seeds A-B) on the kernel, in network
namespaces of its own, and on Rampart's packet path; compares the class of every packet, what came
out, and the table after it. README.md explains how to read what it says. Needs root.
"""
import argparse
import os
import sys
import time

import vectors
from compare import Difference, differences, unmet
from generator import generate
from known import explanation, missing_rows
from player import Player
from profiles import PROFILES
from report import show, show_answers
from shrink import shrink
from suite import skip, with_both_sides

BATCH = 1000
REPEATS = 2  # a difference counts when it shows each time


def parse_seeds(text):
    """"0-299" or "7,30-40"."""
    seeds = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=parse_seeds, metavar="A-B",
                        help="random sequences, such as 0-99,7000; neither this nor --vectors: "
                             "all vectors and 0-299")
    parser.add_argument("--vectors", nargs="*", metavar="WORDS",
                        help="hand-written sequences with one of these in their name")
    parser.add_argument("--shrink", action="store_true",
                        help="leave out packets that a difference does not need")
    parser.add_argument("--verbose", action="store_true", help="say what explains differences")
    parser.add_argument("--play", type=argparse.FileType(), metavar="FILE",
                        help="play the steps of a file (- is standard input) and show both answers")
    parser.add_argument("--profile", choices=PROFILES, default="observe", help="for --play")
    parser.add_argument("--limit", type=int, default=10, help="differences to show in full")
    return parser.parse_args()


def chosen_sequences(options):
    found = []
    if options.vectors is not None or options.seeds is None:
        names = options.vectors or [""]
        found += [v for v in vectors.all_vectors() if any(name in v.name for name in names)]
    if options.seeds is not None or options.vectors is None:
        found += [generate(seed) for seed in options.seeds or range(300)]
    return found


def batches(sequences):
    by_profile = {}
    for sequence in sequences:
        by_profile.setdefault(sequence.profile, []).append(sequence)
    for name, members in by_profile.items():
        for first in range(0, len(members), BATCH):
            yield PROFILES[name], members[first:first + BATCH]


class Judge:
    """Plays sequences, again where the sides differ, and says which really do."""

    def __init__(self, player):
        self.player = player
        self.explained = {}  # reason: how many sequences

    def problems(self, sequences, profile, repeats=REPEATS, explained=None):
        """[(sequence, Difference)] of those that differ without explanation, each time."""
        found = []
        for result in self.player.play(sequences, profile):
            problem = self._first_problem(result, explained)
            if problem:
                found.append((result.played.sequence, problem))
        if found and repeats:
            return self.problems([sequence for sequence, _ in found], profile, repeats - 1, {})
        return found

    def _first_problem(self, result, explained):
        explained = self.explained if explained is None else explained
        for difference in differences(result):
            known = explanation(difference)
            if known is None:
                return difference
            explained[known.row] = explained.get(known.row, 0) + 1
            if not known.goes_on:
                return None  # what follows may be its consequence
        played = result.played
        if missed := unmet(played.sequence, result.kernel, False):
            return Difference(missed[0], "expectation", missed[1], "-", played.sequence,
                              played.names)
        if missed := unmet(played.sequence, result.ideal, True):
            return Difference(missed[0], "expectation", "-", missed[1], played.sequence,
                              played.names)
        return None


def first_older_habit(player):
    """The name of a vector that this kernel never plays as the kernels compared with do."""
    probes = [v for v in vectors.all_vectors() if v.name in vectors.PROBES]
    for _ in range(1 + REPEATS):
        results = player.play(probes, PROFILES["observe"])
        probes = [result.played.sequence for result in results
                  if unmet(result.played.sequence, result.kernel, False)]
        if not probes:
            return None
    return probes[0].name


def play_all(options, player):
    if habit := first_older_habit(player):
        return skip(f"Linux {os.uname().release} tracks as older kernels do: not so is '{habit}'")
    judge, started = Judge(player), time.monotonic()
    sequences = chosen_sequences(options)
    failed = []
    for profile, members in batches(sequences):
        failed += judge.problems(members, profile)
        if options.verbose:
            print(f"{profile.name}: {len(members)} sequences, {time.monotonic() - started:.0f} s, "
                  f"{len(failed)} differ", flush=True)
    for sequence, difference in failed[:options.limit]:
        if options.shrink:
            sequence, difference = shrink(sequence, difference, judge)
        print(show(sequence, difference))
    for sequence, _ in failed[options.limit:]:
        print(f"FAIL {sequence.name}")
    if options.verbose:
        for reason, count in sorted(judge.explained.items()):
            print(f"explained {count} times: {reason}")
    print(f"{player.packets} packets in {time.monotonic() - started:.0f} s")
    print(f"{len(sequences) - len(failed)} passed, {len(failed)} failed, 0 skipped")
    return 1 if failed or not sequences else 0


def play_file(options, player):
    sequence = vectors.vector(options.play.name, options.play.read(), options.profile)
    [result] = player.play([sequence], PROFILES[options.profile])
    print(show_answers(result))
    return 1 if any(differences(result)) else 0


def main():
    options = parse_arguments()
    if rows := missing_rows():
        print("docs/differences.md has no row: " + "; ".join(rows), file=sys.stderr)
        return 2
    play = play_file if options.play else play_all
    return with_both_sides(lambda kernel, subject: play(options, Player(kernel, subject)))


if __name__ == "__main__":
    sys.exit(main())
