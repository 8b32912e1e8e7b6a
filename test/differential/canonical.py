"""Packets and table lines with what was drawn at random made equal.

Both sides draw ports, ICMP identifiers and addresses of a pool. A number that the sequence itself
names stays as it is. Any other becomes the range that it is in, so that sides agree when the same
numbers are kept and the same ones are changed, in the same range. In the table, flows of one source
that have one such number on one side must have so on the other (a source keeps its mapping). An
address of a pool of several becomes "pool". Checksums that depend on these must be right and are
left out, as are SCTP's in the packets that ICMP errors quote.
"""
import re
import socket
import struct

from compare import checksum, is_ipv6
from emitted import ICMP, ICMPV6, TCP, UDP, identifiers, layout_of, quoted_at

NUMBERS = re.compile(r"(?::|\bid |\bport )(\d+)\b")
FIELD = re.compile(r"\b(src|dst|sport|dport|id)=(\S+)")
CLASSES = ((0, 511), (512, 599), (600, 1023), (1024, 65535))
WIDE = 64  # numbers of a range in which two flows do not have the same one by chance
CHECKSUM_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2, 136: 6, 132: 8}
SCTP_CHECKSUM = 132


def numbers_in(lines):
    """Ports and identifiers that steps name."""
    return {int(number) for line in lines for number in NUMBERS.findall(line)}


class Canonical:
    """Of one side of one sequence."""

    def __init__(self, known, ranges, pools):
        """`known`: numbers that stay; `ranges`: of ports, in rules; `pools`: packed addresses, first
        and last."""
        self.known, self.ranges = known, ranges
        self.pools = pools

    def number(self, value, is_icmp=False):
        if value in self.known:
            return str(value)
        if is_icmp:
            return "drawn"
        first, last = self._range(value)
        return f"drawn({first}-{last})"

    def _range(self, value):
        for first, last in self.ranges:
            if first <= value <= last:
                return first, last
        return next(bounds for bounds in CLASSES if bounds[0] <= value <= bounds[1])

    def is_pooled(self, packed):
        return any(len(first) == len(packed) and first <= packed <= last
                   for first, last in self.pools)

    # -- packets -----------------------------------------------------------------------------------

    def packet(self, frame, is_own=False):
        """`is_own`: the box made it, so the identification and whether it may be cut are its."""
        raw = bytearray(frame[14:])
        length = 40 + struct.unpack_from(">H", raw, 4)[0] if is_ipv6(frame) else \
            struct.unpack_from(">H", raw, 2)[0]
        del raw[length:]
        notes = []
        if is_own and not is_ipv6(frame):
            if checksum(raw[:(raw[0] & 15) * 4]) != 0:
                notes.append("wrong IPv4 checksum")
            raw[4:8], raw[10:12] = bytes(4), bytes(2)
        self._headers(raw, 0, notes, not is_own)
        return " ".join([*notes, raw.hex()])

    def _headers(self, raw, at, notes, checks_header):
        """Blanks what was drawn, in this packet and in what it quotes. True: something was."""
        layout = layout_of(raw, at)
        if layout is None:
            return False
        if layout.family == 4:
            header = (raw[at] & 15) * 4
            if checks_header and checksum(raw[at:at + header]) != 0:
                notes.append("wrong IPv4 checksum")
        elif layout.is_fragment:
            raw[at + 44:at + 48] = bytes(4)
        drawn = [(offset, layout.width, "pool") for offset in layout.addresses
                 if self.is_pooled(bytes(raw[offset:offset + layout.width]))]
        for offset in identifiers(raw, layout):
            value = struct.unpack_from(">H", raw, offset)[0]
            if value not in self.known:
                is_icmp = layout.protocol in (ICMP, ICMPV6)
                drawn.append((offset, 2, self.number(value, is_icmp)))
        before = bytes(raw)
        quoted, is_quote_changed = quoted_at(raw, layout), False
        if quoted is not None:
            is_quote_changed = self._headers(raw, quoted, notes, True)
            is_quote_changed |= blank_unverifiable(raw, quoted)
        if drawn or is_quote_changed:
            self._blank_checksum(raw, before, at, layout, notes)
            if layout.family == 4 and drawn:
                raw[at + 10:at + 12] = b"\0\0"
        for offset, width, label in drawn:
            raw[offset:offset + width] = bytes(width)
            notes.append(label)
        return bool(drawn or is_quote_changed)

    @staticmethod
    def _blank_checksum(raw, before, at, layout, notes):
        if layout.transport is None:
            return
        offset = layout.transport + CHECKSUM_AT.get(layout.protocol, len(raw))
        if offset + 2 > len(raw):
            return
        if not is_right(before, at, layout):
            notes.append("wrong transport checksum")
        width = 4 if layout.protocol == SCTP_CHECKSUM else 2
        raw[offset:offset + width] = bytes(width)

    # -- lines of the table ------------------------------------------------------------------------

    def table(self, table):
        """{line: seconds} with drawn numbers and addresses replaced."""
        found, mappings = {}, {}
        for line in sorted(table, key=lambda line: (FIELD.sub(self._shown, line), line)):
            shown = FIELD.sub(self._shown, line) + self._mapping(line, mappings)
            while shown in found:
                shown += " again"
            found[shown] = table[line]
        return found

    def _shown(self, field):
        key, text = field.groups()
        if key in ("src", "dst"):
            family = socket.AF_INET6 if ":" in text else socket.AF_INET
            return f"{key}=pool" if self.is_pooled(socket.inet_pton(family, text)) else field[0]
        return f"{key}={self.number(int(text), key == 'id')}"

    def _mapping(self, line, mappings):
        """Which of the numbers drawn for its source this flow has: " #1", " #2" ..."""
        fields = [value for _, value in FIELD.findall(line)]
        if len(fields) != 8 or fields[7] == fields[2] or int(fields[7]) in self.known:
            return ""
        first, last = self._range(int(fields[7]))
        if last - first < WIDE:
            return ""
        drawn = mappings.setdefault((line.split()[2], fields[0], fields[2]), [])
        if fields[7] not in drawn:
            drawn.append(fields[7])
        return f" #{drawn.index(fields[7]) + 1}"


def blank_unverifiable(raw, at):
    """Of a quoted packet: the checksum of SCTP, which Linux makes anew over what is quoted, though
    more may be missing; and of ICMP that was cut before its identifier."""
    layout = layout_of(raw, at)
    if layout is None or layout.transport is None:
        return False
    first = layout.transport + CHECKSUM_AT.get(layout.protocol, 0)
    if layout.protocol == SCTP_CHECKSUM:
        last = first + 4
    elif layout.protocol in (ICMP, ICMPV6) and len(raw) < layout.transport + 6:
        last = first + 2
    else:
        return False
    raw[first:last] = bytes(len(raw[first:last]))
    return True


def is_right(packet, at, layout):
    """Whether the transport checksum is; True as well where it cannot be known."""
    start = layout.transport
    if layout.family == 4:
        end = at + struct.unpack_from(">H", packet, at + 2)[0]
    else:
        end = at + 40 + struct.unpack_from(">H", packet, at + 4)[0]
    if layout.is_fragment or end > len(packet) or layout.protocol not in CHECKSUM_AT or \
            layout.protocol == SCTP_CHECKSUM:
        return True
    body = packet[start:end]
    if layout.protocol == UDP and body[6:8] == b"\0\0":
        return True
    pseudo = b"".join(packet[offset:offset + layout.width] for offset in layout.addresses)
    pseudo += struct.pack(">II", len(body), layout.protocol)
    return checksum((b"" if layout.protocol == ICMP else pseudo) + body) == 0
