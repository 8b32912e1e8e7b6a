"""Holds the two sides' answers to a sequence with translations against each other (canonical.py).

Both route, so nothing but what is drawn at random is evened out; of packets that the box makes
itself also the IPv4 identification and the bit that forbids to cut them.
"""
import dataclasses

from canonical import Canonical, numbers_in
from compare import shown_classes, shown_table, tables_agree
from emitted import Emitted

REFUSALS = ("ttl_exceeded", "too_big", "no_route")


@dataclasses.dataclass
class NatDifference:
    index: int
    aspect: str     # "class", "output", "box", "table"
    kernel: str
    ours: str
    result: object = None

    @property
    def answers(self):
        return self.result.kernel[self.index], self.result.ours[self.index]


def differences(result):
    """All of them in order; usually only the first says something."""
    comparison = Comparison(result.played)
    for index, (theirs, mine) in enumerate(zip(result.kernel, result.ours)):
        if theirs is None:
            continue
        if announce_drawn_ports(theirs, mine):
            return  # numbers of different lengths: what follows is numbered differently
        if found := comparison.step(theirs, mine):
            yield NatDifference(index, *found, result)


def announce_drawn_ports(theirs, mine):
    """A helper wrote a port that it drew, because the announced one was taken."""
    said = [[said_by(frame) for _, frame, _ in answer.outputs[:1]] for answer in (theirs, mine)]
    if said[0] == said[1] or not all(said) or not all(said[0] + said[1]):
        return False
    announced = said_by(mine.sent)
    hosts, ports = zip(*(one.rpartition(":")[::2] for one in (said[0][0], said[1][0], announced)))
    return hosts[0] == hosts[1] and ports[2] not in ports[:2] and \
        min(int(port) for port in ports[:2]) >= 1024 and theirs.classes == mine.classes


def said_by(frame):
    try:
        return Emitted("", frame[14:]).said
    except AttributeError:
        return None


class Comparison:
    def __init__(self, played):
        rules, steps = played.sequence.rules, [step.text for step in played.steps]
        known = numbers_in(steps) | {rule.dport for rule in rules if rule.dport} | \
            {rule.ports[0] for rule in rules if len(rule.ports) == 1}
        self.sides = [Canonical(known, played.port_ranges(), played.pools()) for _ in (0, 1)]

    def step(self, theirs, mine):
        """(aspect, kernel, rampart) of the first difference, or None."""
        is_own = mine.has_answered
        outputs = [[f"{side} {canonical.packet(frame, is_own)}"
                    for side, frame, _ in answer.outputs]
                   for canonical, answer in zip(self.sides, (theirs, mine))]
        tables = [canonical.table(answer.table)
                  for canonical, answer in zip(self.sides, (theirs, mine))]
        # What the router refuses before it belongs to a flow has no class here.
        is_refused = not mine.classes and mine.reason in REFUSALS
        if theirs.classes != mine.classes and not is_refused:
            return "class", shown_classes(theirs), shown_classes(mine)
        if outputs[0] != outputs[1]:
            return ("output", "; ".join(outputs[0]) or "dropped",
                    "; ".join(outputs[1]) or f"dropped ({mine.reason})")
        sent = [[name for name, _ in answer.local] for answer in (theirs, mine)]
        if mine.is_delivered and sent[0] != sent[1]:
            return "box", ", ".join(sent[0]), ", ".join(sent[1])
        if not tables_agree(tables[0], tables[1], theirs.slack_s):
            return "table", shown_table(tables[0]), shown_table(tables[1])
        return None
