"""The kernel's packet log (nfnetlink_log): one message per packet that a `log group` rule saw.

Only what this test needs: bind a group, read the prefixes of its messages, and the packets.
"""
import errno
import select
import socket
import struct

NETLINK_NETFILTER = 12
SUBSYSTEM_ULOG = 4 << 8
MESSAGE_PACKET, MESSAGE_CONFIG = SUBSYSTEM_ULOG | 0, SUBSYSTEM_ULOG | 1
REQUEST, ACKNOWLEDGE = 1, 4
ACKNOWLEDGEMENT = 2  # the type of message that answers
CONFIG_COMMAND, CONFIG_MODE, CONFIG_THRESHOLD = 1, 2, 5
COMMAND_BIND, COPY_META, COPY_PACKET = 1, 1, 2
ATTRIBUTE_PAYLOAD, ATTRIBUTE_PREFIX = 9, 10


def attribute(kind, payload):
    padding = b"\0" * (-len(payload) % 4)
    return struct.pack("=HH", 4 + len(payload), kind) + payload + padding


class PacketLog:
    """Messages of one log group. Make it inside the network namespace it shall belong to."""

    def __init__(self, group, mode=COPY_META):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((0, 0))
        self._configure(group, attribute(CONFIG_COMMAND, bytes([COMMAND_BIND])))
        # struct nfulnl_msg_config_mode: how much of the packet, what, padding
        self._configure(group, attribute(CONFIG_MODE, struct.pack(">IBB", 65535, mode, 0)))
        self._configure(group, attribute(CONFIG_THRESHOLD, struct.pack(">I", 1)))

    def _configure(self, group, attributes):
        body = struct.pack(">BBH", socket.AF_UNSPEC, 0, group) + attributes
        header = struct.pack("=IHHII", 16 + len(body), MESSAGE_CONFIG, REQUEST | ACKNOWLEDGE, 1, 0)
        self.socket.send(header + body)
        answer = self.socket.recv(65536)
        while struct.unpack_from("=H", answer, 4)[0] != ACKNOWLEDGEMENT:
            answer = self.socket.recv(65536)  # a packet that was logged meanwhile
        error = -struct.unpack_from("=i", answer, 16)[0]
        if error:
            raise OSError(error, f"packet log: {errno.errorcode.get(error, error)}")

    def read(self, seconds=0):
        """The prefixes of the next datagram, or [] when none comes in time."""
        return [prefix for prefix, _ in self.read_packets(seconds)]

    def read_packets(self, seconds=0):
        """[(prefix, bytes of the packet)] of the next datagram; no bytes unless COPY_PACKET."""
        if seconds:
            select.select([self.socket], [], [], seconds)
        try:
            data = self.socket.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return []
        messages, at = [], 0
        while at + 16 <= len(data):
            length, kind = struct.unpack_from("=IH", data, at)
            if kind == MESSAGE_PACKET:
                found = attributes_of(data, at + 20, at + length)
                prefix = found.get(ATTRIBUTE_PREFIX, b"").rstrip(b"\0").decode()
                messages.append((prefix, found.get(ATTRIBUTE_PAYLOAD, b"")))
            at += length + 3 & ~3
        return messages

    def close(self):
        self.socket.close()


def attributes_of(data, at, end):
    found = {}
    while at + 4 <= end:
        length, kind = struct.unpack_from("=HH", data, at)
        found[kind] = data[at + 4:at + length]
        at += length + 3 & ~3
    return found
