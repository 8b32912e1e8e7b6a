"""Plays sequences on both sides and records what each made of every packet.

The kernel's clock is the real one, so sequences are played there side by side: in each round every
sequence that is not waiting sends one packet, then the table is listed once. Rampart gets the same
packets afterwards, one sequence after the other, at the very times they were sent to the kernel.
"""
import dataclasses
import re
import time

from sequences import Played

ENTRY = re.compile(r"(ipv[46] +\d+ \S+ +\d+) (\d+) (.*?)(?: use=\d+)?\s*$")
SOURCE = re.compile(r"src=(\S+)")


@dataclasses.dataclass
class Answer:
    """What one side made of one packet."""
    classes: list                                    # "new original", "invalid -" ...
    outputs: list                                    # (side, frame, hops that it did not make)
    table: dict = dataclasses.field(default_factory=dict)  # line without timeout: timeout in s
    reason: str = ""                                 # of a drop or of INVALID; Rampart only
    slack_s: float = 0.0                             # how wrong the moment of the listing may be


def add_entry(table, line):
    found = ENTRY.match(line)
    if found is None:
        raise ValueError("not an entry: " + line)
    table[f"{found[1]} {found[3]}"] = int(found[2])


@dataclasses.dataclass
class Result:
    """One played sequence; an answer per step, None for a step without a packet."""
    played: Played
    kernel: list
    ours: list   # at the moments at which the kernel got the packets
    ideal: list  # Rampart's, with waits as long as they are written and no other time


class Player:
    def __init__(self, kernel, subject):
        self.kernel, self.subject = kernel, subject
        self.next_number = 1
        self.packets = 0

    def play(self, sequences, profile):
        """The Results of sequences of one profile."""
        batch = [Played(sequence, self.next_number + i) for i, sequence in enumerate(sequences)]
        self.next_number += len(batch)
        self._build(batch)
        self.kernel.configure(profile)
        self.subject.configure(profile)
        records = KernelPlay(self.kernel, batch).play()
        self.kernel.forget()
        self.packets += sum(len(played.packet_steps()) for played in batch)
        return [self._result(played, record) for played, record in zip(batch, records)]

    def _result(self, played, record):
        start = min((entry.time for entry in record if entry), default=0)
        moments = [entry and (microseconds(entry.time, start),
                              microseconds(entry.table_time, start)) for entry in record]
        ours = self._play_subject(played, moments)
        ideal = ours
        if played.sequence.expectations:
            ideal = self._play_subject(played, ideal_moments(played.steps))
        return Result(played, [entry and entry.answer for entry in record], ours, ideal)

    def _build(self, batch):
        steps = [step for played in batch for step in played.packet_steps()]
        for step, frame in zip(steps, self.subject.frames([step.packet_line for step in steps])):
            step.frame = frame

    def _play_subject(self, played, moments):
        """`moments`: when each packet is sent, and when the table is listed after it."""
        commands = ["reset"]
        for step, moment in zip(played.steps, moments):
            if moment is not None:
                commands += [f"send {moment[0]} {step.side} {step.frame.hex()}",
                             f"table {moment[1]}"]
        answers, current = [], None
        for line in self.subject.ask(commands):
            kind, _, rest = line.partition(" ")
            if kind == "packet":
                _, reason, ct_class, direction = rest.split()
                shown = direction if ct_class not in ("invalid", "untracked") else "-"
                classes = [] if ct_class == "-" else [f"{ct_class} {shown}"]
                current = Answer(classes, [], reason=reason)
                answers.append(current)
            elif kind == "flow":
                add_entry(current.table, rest)
            else:
                side, frame = rest.split()
                # What a bridge forwards has not passed a router.
                current.outputs.append((side, bytes.fromhex(frame), int(kind == "out")))
        remaining = iter(answers)
        return [next(remaining) if moment else None for moment in moments]


def ideal_moments(steps):
    moments, now = [], 0
    for step in steps:
        moments.append(None if step.frame is None else (now, now))
        now += int(step.wait_s * 1e6)
    return moments


def microseconds(moment, start):
    return int((moment - start) * 1e6)


@dataclasses.dataclass
class Entry:
    answer: Answer
    time: float
    table_time: float = 0.0


class KernelPlay:
    """One batch on the kernel."""

    def __init__(self, kernel, batch):
        self.kernel, self.batch = kernel, batch
        self.records = [[] for _ in batch]
        self.ready_at = [0.0] * len(batch)
        self.owner = {address: index for index, played in enumerate(batch)
                      for address in played.names.address_of.values()}

    def play(self):
        waiting = set(range(len(self.batch)))
        while waiting:
            now = time.monotonic()
            ready = [index for index in sorted(waiting) if self.ready_at[index] <= now]
            if not ready:
                time.sleep(max(0.0, min(self.ready_at[i] for i in waiting) - now))
                continue
            sent = [index for index in ready if self._send_one(index)]
            if sent:
                self._list_table(sent)
            waiting -= {i for i in ready if len(self.records[i]) == len(self.batch[i].steps)}
        return self.records

    def _send_one(self, index):
        record, steps = self.records[index], self.batch[index].steps
        if len(record) == len(steps):
            return False
        step = steps[len(record)]
        if step.frame is None:
            record.append(None)
            self.ready_at[index] = time.monotonic() + step.wait_s
            return False
        moment, classes, outputs = self.kernel.send(step.side, step.frame)
        record.append(Entry(Answer(classes, outputs), moment))
        return True

    def _list_table(self, sent):
        moment, slack_s, lines = self.kernel.table()
        entries = {index: self.records[index][-1] for index in sent}
        for entry in entries.values():
            entry.table_time, entry.answer.slack_s = moment, slack_s
        for line in lines:
            owner = self.owner.get(SOURCE.search(line)[1])
            if owner in entries:
                add_entry(entries[owner].answer.table, line)
