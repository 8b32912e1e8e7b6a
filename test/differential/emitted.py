"""Packets that came out, taken apart far enough to answer them."""
import dataclasses
import re
import socket
import struct

TCP, UDP, UDPLITE, SCTP, ICMP, ICMPV6 = 6, 17, 136, 132, 1, 58
WITH_PORTS = (TCP, UDP, UDPLITE, SCTP)
FRAGMENT_HEADER = 44
ERRORS = {ICMP: (3, 4, 5, 11, 12), ICMPV6: (1, 2, 3, 4)}
ECHOES = {ICMP: (0, 8), ICMPV6: (128, 129)}


@dataclasses.dataclass
class Layout:
    """Where things stand in an IP packet."""
    family: int
    protocol: int
    addresses: tuple   # offsets of source and destination
    width: int         # bytes of an address
    transport: int     # offset; None: a later fragment, or the packet is too short
    is_fragment: bool


def layout_of(packet, at=0):
    if len(packet) < at + 20:
        return None
    if packet[at] >> 4 == 4:
        length = (packet[at] & 15) * 4
        word = struct.unpack_from(">H", packet, at + 6)[0] & 0x3fff
        transport = None if word & 0x1fff else at + length
        return Layout(4, packet[at + 9], (at + 12, at + 16), 4, transport, bool(word))
    if packet[at] >> 4 != 6 or len(packet) < at + 40:
        return None
    protocol, transport, is_fragment = packet[at + 6], at + 40, False
    if protocol == FRAGMENT_HEADER and len(packet) >= at + 48:
        is_fragment, protocol = True, packet[at + 40]
        offset = struct.unpack_from(">H", packet, at + 42)[0] & ~7
        transport = None if offset else at + 48
    return Layout(6, protocol, (at + 8, at + 24), 16, transport, is_fragment)


def identifiers(packet, layout):
    """Offsets of the ports of a packet, or of its ICMP identifier."""
    at = layout.transport
    if at is None:
        return []
    if layout.protocol in WITH_PORTS:
        return [offset for offset in (at, at + 2) if offset + 2 <= len(packet)]
    if len(packet) >= at + 6 and packet[at] in ECHOES.get(layout.protocol, ()):
        return [at + 4]
    return []


def quoted_at(packet, layout):
    """Where the packet begins that an ICMP error quotes; None: it is no error."""
    at = layout.transport
    if at is None or len(packet) <= at or packet[at] not in ERRORS.get(layout.protocol, ()):
        return None
    return at + 8


COMMAS = re.compile(rb"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)")
EXTENDED = re.compile(rb"\|([12]?)\|([^|]*)\|(\d+)\|")
OFFERED = re.compile(rb"DCC \w+ (?:\S+ )?(\d{6,}) (\d+)")
MEDIA = re.compile(rb"c=IN IP[46] (\S+)\r.*?m=audio (\d+) ", re.S)


class Emitted:
    """What steps say about a packet that came out: {name.src}, {name.end} ..."""

    def __init__(self, side, packet, sent=None):
        """`sent`: the packet before, as its sender wrote it."""
        self.side, self.packet = side, packet
        self.next = Emitted(side, sent).end if sent else 0
        layout = layout_of(packet)
        family = socket.AF_INET if layout.family == 4 else socket.AF_INET6
        self.srchost, self.dsthost = (
            socket.inet_ntop(family, packet[at:at + layout.width]) for at in layout.addresses)
        ports = [struct.unpack_from(">H", packet, at)[0] for at in identifiers(packet, layout)]
        self.src, self.dst = self.srchost, self.dsthost
        if layout.protocol in WITH_PORTS and len(ports) == 2:
            self.src, self.dst = end_of(self.srchost, ports[0]), end_of(self.dsthost, ports[1])
            self.sport, self.dport = ports
        self.id = ports[0] if len(ports) == 1 else 0
        self.seq = self.ack = self.end = 0
        if layout.protocol == TCP and layout.transport is not None:
            self._read_tcp(packet, layout.transport)

    @property
    def said(self):
        """The end that the payload announces, as FTP, IRC and SIP write it."""
        if found := COMMAS.search(self.packet):
            numbers = [int(number) for number in found.groups()]
            return end_of(".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5])
        if found := EXTENDED.search(self.packet):
            host = found[2].decode() if found[2] else self.srchost
            return end_of(host, int(found[3]))
        if found := OFFERED.search(self.packet):
            return end_of(socket.inet_ntoa(struct.pack(">I", int(found[1]))), int(found[2]))
        if found := MEDIA.search(self.packet):
            return end_of(found[1].decode(), int(found[2]))
        raise AttributeError("said")

    def _read_tcp(self, packet, at):
        self.seq, self.ack, words, flags = struct.unpack_from(">IIBB", packet, at + 4)
        length = len(packet) - at - (words >> 4) * 4 + (flags & 1) + (flags >> 1 & 1)
        self.end = self.seq + length & 0xffffffff


def end_of(host, port):
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
