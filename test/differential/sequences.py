"""Sequences of packets, as text, and the frames they stand for.

A step is one line:

    inside tcp in1:4000 > out1:80 S seq 1000      a packet, in the words of test/scenario/README.md
    inside piece 0-1000 id 7 of udp in1:1 > out1:2 len 3000
                                                  a fragment: these bytes of the IP payload
    wait 2.2s                                     nothing happens for so long

Hosts are those of hosts.py. A sequence is played with addresses of its own.
"""
import dataclasses
import re
import struct

from hosts import Names

WAIT = re.compile(r"wait ([0-9.]+)s")
PIECE = re.compile(r"piece (\d+)-(\d+)( more| last)?(?: id (\d+))? of (.*)")


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
        self.side = self.frame = self.piece = self.packet_line = None
        self.wait_s = 0.0
        if found := WAIT.fullmatch(line):
            self.wait_s = float(found[1])
            return
        self.side, _, packet = line.partition(" ")
        if found := PIECE.fullmatch(packet):
            first, end, kind, number, packet = found.groups()
            self.piece = (int(first), int(end), (kind or "").strip(), int(number or 0x1234))
        self.packet_line = names.resolve(packet)

    def set_frame(self, frame):
        self.frame = cut_piece(frame, *self.piece) if self.piece else frame


class Played:
    """A sequence with addresses; its steps become frames through `build`."""

    def __init__(self, sequence, number):
        self.sequence = sequence
        self.names = Names(number)
        self.steps = [Step(line, self.names) for line in sequence.steps]

    def packet_steps(self):
        return [step for step in self.steps if step.packet_line is not None]


def cut_piece(frame, first, end, kind, number):
    """A fragment of the packet in the frame. It is the last one when it reaches the packet's end,
    or when `kind` says so."""
    if frame[12:14] == b"\x86\xdd":
        return cut_piece6(frame, first, end, kind, number)
    header, payload = bytearray(frame[14:34]), frame[34:]
    more = has_more(end, len(payload), kind)
    part = payload[first:end]
    struct.pack_into(">HHH", header, 2, 20 + len(part), number & 0xffff, more << 13 | first // 8)
    struct.pack_into(">H", header, 10, 0)
    struct.pack_into(">H", header, 10, checksum(header))
    return frame[:14] + bytes(header) + part


def cut_piece6(frame, first, end, kind, number):
    header, payload = bytearray(frame[14:54]), frame[54:]
    more = has_more(end, len(payload), kind)
    part = payload[first:end]
    fragment = struct.pack(">BBHI", header[6], 0, first & ~7 | more, number)
    header[6] = 44
    struct.pack_into(">H", header, 4, len(fragment) + len(part))
    return frame[:14] + bytes(header) + fragment + part


def has_more(end, length, kind):
    return int(kind == "more" or (kind != "last" and end < length))


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) & ~1]))
    if len(data) % 2:
        total += data[-1] << 8
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
