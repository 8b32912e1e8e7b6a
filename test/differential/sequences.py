"""Sequences of packets, as text, and the frames they stand for.

A step is one line:

    inside tcp in1:4000 > out1:80 S seq 1000      a packet, in the words of test/scenario/README.md
    wait 2.2s                                     nothing happens for so long

Hosts are those of hosts.py. A sequence is played with addresses of its own.
"""
import dataclasses
import re

from hosts import Names

WAIT = re.compile(r"wait ([0-9.]+)s")


@dataclasses.dataclass
class Sequence:
    name: str
    profile: str
    steps: list  # of lines
    expectations: list = dataclasses.field(default_factory=list)  # one per step, or none at all
    why: str = ""


class Step:
    """A line that was made ready to be played."""

    def __init__(self, line, names):
        self.line = line
        self.side = self.frame = self.packet_line = None
        self.wait_s = 0.0
        if found := WAIT.fullmatch(line):
            self.wait_s = float(found[1])
            return
        self.side, _, packet = line.partition(" ")
        self.packet_line = names.resolve(packet)


class Played:
    """A sequence with addresses; its steps become frames through `build`."""

    def __init__(self, sequence, number):
        self.sequence = sequence
        self.names = Names(number)
        self.steps = [Step(line, self.names) for line in sequence.steps]

    def packet_steps(self):
        return [step for step in self.steps if step.packet_line is not None]
