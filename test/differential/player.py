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
    reason: str = ""                                 # of a drop; Rampart only


def add_entry(table, line):
    found = ENTRY.match(line)
    if found is None:
        raise ValueError("not an entry: " + line)
    table[f"{found[1]} {found[3]}"] = int(found[2])


class Player:
    def __init__(self, kernel, subject):
        self.kernel, self.subject = kernel, subject
        self.next_number = 1
        self.packets = 0

    def play(self, sequences, profile):
        """[(Played, kernel's answers, Rampart's answers)] for sequences of one profile; an answer
        per step, None for a step without a packet."""
        batch = [Played(sequence, self.next_number + i) for i, sequence in enumerate(sequences)]
        self.next_number += len(batch)
        self._build(batch)
        self.kernel.configure(profile)
        self.subject.configure(profile)
        records = KernelPlay(self.kernel, batch).play()
        self.kernel.forget()
        results = []
        for played, record in zip(batch, records):
            ours = self._play_subject(played, record)
            results.append((played, [entry and entry.answer for entry in record], ours))
        self.packets += sum(len(played.packet_steps()) for played in batch)
        return results

    def _build(self, batch):
        steps = [step for played in batch for step in played.packet_steps()]
        for step, frame in zip(steps, self.subject.frames([step.packet_line for step in steps])):
            step.frame = frame

    def _play_subject(self, played, record):
        start = min((entry.time for entry in record if entry), default=0)
        commands = ["reset"]
        for step, entry in zip(played.steps, record):
            if entry is None:
                continue
            sent, listed = (microseconds(t, start) for t in (entry.time, entry.table_time))
            commands += [f"send {sent} {step.side} {step.frame.hex()}", f"table {listed}"]
        answers, current = [], None
        for line in self.subject.ask(commands):
            kind, _, rest = line.partition(" ")
            if kind == "packet":
                verdict, reason, ct_class, direction = rest.split()
                shown = direction if ct_class not in ("invalid", "untracked") else "-"
                classes = [] if ct_class == "-" else [f"{ct_class} {shown}"]
                current = Answer(classes, [], reason="" if verdict == "forward" else reason)
                answers.append(current)
            elif kind == "flow":
                add_entry(current.table, rest)
            else:
                side, frame = rest.split()
                # What a bridge forwards has not passed a router.
                current.outputs.append((side, bytes.fromhex(frame), int(kind == "out")))
        remaining = iter(answers)
        return [next(remaining) if entry else None for entry in record]


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
        moment, lines = self.kernel.table()
        tables = {index: self.records[index][-1].answer.table for index in sent}
        for index in sent:
            self.records[index][-1].table_time = moment
        for line in lines:
            owner = self.owner.get(SOURCE.search(line)[1])
            if owner in tables:
                add_entry(tables[owner], line)
