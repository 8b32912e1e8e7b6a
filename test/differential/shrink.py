"""Leaves out the steps that a difference does not need."""
import dataclasses

from profiles import PROFILES


def shrink(sequence, difference, judge):
    """Plays all sequences with one step less side by side, takes one that still differs, again."""
    best = dataclasses.replace(sequence, steps=sequence.steps[:difference.index + 1],
                               expectations=[]), difference
    if difference.aspect == "expectation":
        return sequence, difference
    while len(best[0].steps) > 1:
        steps = best[0].steps
        shorter = [dataclasses.replace(best[0], steps=steps[:i] + steps[i + 1:])
                   for i in range(len(steps) - 1)]
        found = judge.problems(shorter, PROFILES[sequence.profile], 0, {})
        found = [(s, d) for s, d in found if d.aspect == difference.aspect]
        if not found:
            return best
        shortest, problem = min(found, key=lambda item: item[1].index)
        best = (dataclasses.replace(shortest, steps=shortest.steps[:problem.index + 1]), problem)
    return best
