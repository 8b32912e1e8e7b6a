"""Plays sequences with translations on both sides.

As player.py: side by side on the kernel, then one after the other on Rampart, at the same moments.
Here a step may depend on what came out before, so its packet is built for each side when its turn
comes. What the kernel's box answers to packets for itself is what Rampart's box sends.
"""
import dataclasses
import re
import struct
import time

from canonical import CHECKSUM_AT
from compare import checksum, is_ipv6
from emitted import ICMP, Emitted, identifiers, layout_of, quoted_at
from hosts import SIDES
from nat_sequences import Batch, PlayedNat
from player import add_entry, microseconds

ADDRESS = re.compile(r"(?:src|dst)=(\S+)")
HOST_MAC, ROUTER_MAC = bytes.fromhex("02000000000a"), bytes.fromhex("02000000000b")


@dataclasses.dataclass
class NatAnswer:
    """What one side made of one packet."""
    classes: list
    outputs: list                                  # (side, frame, whether the box made it)
    local: list = dataclasses.field(default_factory=list)   # (class, packet) that the box sent
    table: dict = dataclasses.field(default_factory=dict)
    reason: str = ""
    slack_s: float = 0.0
    is_delivered: bool = False                     # to the box; Rampart only
    has_answered: bool = False                     # with a packet of its own; Rampart only
    sent: bytes = b""                              # the frame; Rampart only


@dataclasses.dataclass
class Moment:
    answer: NatAnswer
    time: float
    table_time: float = 0.0


@dataclasses.dataclass
class NatResult:
    played: PlayedNat
    kernel: list   # an answer per step; None: a pause, or passed over
    ours: list


class NatPlayer:
    def __init__(self, kernel, subject):
        self.kernel, self.subject = kernel, subject
        self.next_number = 1
        self.packets = 0

    def play(self, sequences, timeouts):
        batch = [PlayedNat(sequence, self.next_number + i)
                 for i, sequence in enumerate(sequences)]
        self.next_number += len(batch)
        rules = Batch(batch, timeouts)
        self.kernel.configure(rules)
        self.kernel.lists_expectations = rules.has_helpers
        records = NatKernelPlay(self.kernel, self.subject, batch).play()
        self.kernel.forget()
        return [self._result(played, record) for played, record in zip(batch, records)]

    def _result(self, played, record):
        self.subject.configure_text(played.yaml(), played.sequence.name)
        ours = SubjectPlay(self.subject, played, record).play()
        self.packets += sum(moment is not None for moment in record)
        return NatResult(played, [moment and moment.answer for moment in record], ours)


def note_emission(step, frame, outputs, emitted):
    """Later steps may name what came out first and is no ICMP error."""
    for side, out, _ in outputs:
        if quoted_at(out[14:], layout_of(out[14:])) is None:
            emitted[step.label] = Emitted(side, out[14:], frame[14:])
            return


def add_expectation(table, line):
    seconds, _, rest = line.strip().partition(" ")
    table["expected " + rest] = int(seconds)


class NatKernelPlay:
    """One batch on the kernel."""

    def __init__(self, kernel, subject, batch):
        self.kernel, self.subject, self.batch = kernel, subject, batch
        self.records = [[] for _ in batch]
        self.emitted = [{} for _ in batch]
        self.ready_at = [0.0] * len(batch)
        self.owner = {}

    def play(self):
        waiting = set(range(len(self.batch)))
        while waiting:
            now = time.monotonic()
            ready = [index for index in sorted(waiting) if self.ready_at[index] <= now]
            if not ready:
                time.sleep(max(0.0, min(self.ready_at[i] for i in waiting) - now))
                continue
            self._play_round(ready)
            waiting -= {i for i in ready if len(self.records[i]) == len(self.batch[i].steps)}
        return self.records

    def _play_round(self, ready):
        turns = []
        for index in ready:
            played, record = self.batch[index], self.records[index]
            if len(record) == len(played.steps):
                continue
            step = played.steps[len(record)]
            if step.line is None:
                record.append(None)
                self.ready_at[index] = time.monotonic() + step.wait_s
                continue
            resolved = step.resolved(played.names, self.emitted[index])
            if resolved is None:
                record.append(None)
            else:
                turns.append((index, step, *resolved))
        self._note_owners(turn[0] for turn in turns)
        frames = self.subject.frames([packet for *_, packet in turns])
        for (index, step, side, _), frame in zip(turns, frames):
            self._send(index, step, side, frame)
        if turns:
            self._list_table([turn[0] for turn in turns])

    def _note_owners(self, indices):
        for index in indices:
            for value in self.batch[index].names.address_of.values():
                self.owner[value] = index

    def _send(self, index, step, side, frame):
        if side == "box":
            moment, classes, outputs = self.kernel.send_from_box(frame[14:])
            local = self.kernel.box_packets()
            classes = [name for name, _ in local[:1]]
        else:
            moment, classes, outputs = self.kernel.send(side, frame)
            local = self.kernel.box_packets()
        outputs = [(out, sent, False) for out, sent, _ in outputs]
        self.records[index].append(Moment(NatAnswer(classes, outputs, local), moment))
        if step.label:
            note_emission(step, frame, outputs, self.emitted[index])

    def _list_table(self, sent):
        moment, slack_s, lines = self.kernel.table()
        entries = {index: self.records[index][-1] for index in sent}
        for entry in entries.values():
            entry.table_time, entry.answer.slack_s = moment, slack_s
        for line in lines:
            owner = next((self.owner[value] for value in ADDRESS.findall(line)
                          if value in self.owner), None)
            if owner in entries:
                add = add_entry if line.startswith("ipv") else add_expectation
                add(entries[owner].answer.table, line)


class SubjectPlay:
    """One sequence on Rampart, at the moments at which the kernel got its packets."""

    def __init__(self, subject, played, record):
        self.subject, self.played, self.record = subject, played, record
        self.start = min((moment.time for moment in record if moment), default=0)
        self.emitted = {}

    def play(self):
        for _ in self.subject.ask(["reset"]):
            pass
        return [moment and self._step(step, moment)
                for step, moment in zip(self.played.steps, self.record)]

    def _step(self, step, moment):
        resolved = step.resolved(self.played.names, self.emitted)
        if resolved is None:
            return NatAnswer(["passed over"], [])
        side, packet = resolved
        [frame] = self.subject.frames([packet])
        now = microseconds(moment.time, self.start)
        answer = NatAnswer([], [], sent=frame)
        if side == "box":
            self._ask([f"kernel {now} {out_side(frame)} {frame.hex()}"], answer)
        else:
            delivered = self._ask([f"send {now} {side} {frame.hex()}"], answer)
            self._answer_from_box(now, moment.answer, delivered, answer)
        self._ask([f"table {microseconds(moment.table_time, self.start)}"], answer)
        if step.label:
            note_emission(step, frame, answer.outputs, self.emitted)
        return answer

    def _answer_from_box(self, now, theirs, delivered, answer):
        """The kernel's answers to what was delivered to its box, as ours would have sent them."""
        if not delivered:
            return
        answer.is_delivered = True
        for _, packet in theirs.local:
            frame = ROUTER_MAC + HOST_MAC + ether_type(packet) + fitted(packet, delivered[0][14:])
            reply = NatAnswer([], [])
            self._ask([f"kernel {now} {out_side(frame)} {frame.hex()}"], reply)
            answer.local.append((reply.classes[0] if reply.classes else "none", packet))
            answer.outputs += reply.outputs

    def _ask(self, commands, answer):
        """Fills the answer; returns frames that were delivered to the box."""
        delivered = []
        for line in self.subject.ask(commands):
            kind, _, rest = line.partition(" ")
            if kind == "packet":
                _, answer.reason, ct_class, direction = rest.split()
                shown = direction if ct_class not in ("invalid", "untracked") else "-"
                answer.classes += [] if ct_class == "-" else [f"{ct_class} {shown}"]
            elif kind == "flow":
                add_entry(answer.table, rest)
            elif kind == "expect":
                add_expectation(answer.table, rest)
            elif kind in ("out", "reply", "in"):
                side, frame = rest.split()
                if kind == "in":
                    delivered.append(bytes.fromhex(frame))
                    continue
                answer.outputs.append((side, bytes.fromhex(frame), kind == "reply"))
                answer.has_answered |= kind == "reply"
        return delivered


def ether_type(packet):
    return b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"


def out_side(frame):
    """Where the box's routes lead this frame."""
    if is_ipv6(frame):
        return SIDES[0] if frame[38:42] == b"\xfd\0\0\1" else SIDES[1]
    return SIDES[0] if frame[30] == 10 and not frame[31] & 0x80 else SIDES[1]


def fitted(answer, question):
    """The kernel's answer to its own packet, as an answer to ours: they differ in the port that was
    drawn for the sender, if at all."""
    layout, asked = layout_of(answer), layout_of(question)
    packet = bytearray(answer)
    quote = quoted_at(answer, layout)
    if quote is not None:
        packet[quote:] = question[:len(packet) - quote]
    elif identifiers(answer, layout) and layout.protocol == asked.protocol:
        theirs, mine = identifiers(answer, layout), identifiers(question, asked)
        if len(theirs) == len(mine):
            for to, at in zip(theirs, reversed(mine)):
                packet[to:to + 2] = question[at:at + 2]
    # The kernel may leave the checksum to a NIC.
    return with_checksum(packet, layout)


def with_checksum(packet, layout):
    if layout.transport is None or layout.is_fragment or layout.protocol not in CHECKSUM_AT:
        return bytes(packet)
    at = layout.transport + CHECKSUM_AT[layout.protocol]
    packet[at:at + 2] = b"\0\0"
    body = bytes(packet[layout.transport:])
    pseudo = b"".join(packet[offset:offset + layout.width] for offset in layout.addresses)
    pseudo += struct.pack(">II", len(body), layout.protocol)
    packet[at:at + 2] = struct.pack(
        ">H", checksum((b"" if layout.protocol == ICMP else pseudo) + body))
    return bytes(packet)
