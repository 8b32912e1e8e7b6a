"""The hosts of a sequence and their addresses.

A sequence names its hosts: in1, in2, out1 ... for IPv4, in1v6 ... for IPv6. Each sequence that is
played gets a number, and each host of each number an address of its own, so that thousands of
sequences can be played side by side without meeting in the connection table.
"""
import re
import socket
import struct

SIDES = ("inside", "outside")
HOSTS_PER_SIDE = 7
NUMBERS = 1 << 20  # sequences until addresses come again
NET4 = {"inside": "10.0.0.0/9", "outside": "10.128.0.0/9"}
NET6 = {"inside": "fd00:1::/32", "outside": "fd00:2::/32"}
NAME = re.compile(r"\b(in|out)([1-7])(v6)?\b")


def side_of(name):
    return "inside" if name.startswith("in") else "outside"


def address(name, number):
    """The address of a host in the sequence of that number, as inet_ntop prints it."""
    kind, host, is_ipv6 = NAME.fullmatch(name).groups()
    side, host = int(kind == "out"), int(host)
    if is_ipv6:
        packed = struct.pack(">HHIII", 0xfd00, side + 1, 0, number % NUMBERS, host)
        return socket.inet_ntop(socket.AF_INET6, packed)
    packed = struct.pack(">I", 10 << 24 | side << 23 | (number % NUMBERS) << 3 | host)
    return socket.inet_ntop(socket.AF_INET, packed)


class Names:
    """The two-way dictionary of one played sequence."""

    def __init__(self, number):
        self.number = number
        self.address_of = {}

    def resolve(self, text):
        return NAME.sub(lambda found: self._address(found[0]), text)

    def _address(self, name):
        if name not in self.address_of:
            self.address_of[name] = address(name, self.number)
        return self.address_of[name]

    def restore(self, text):
        """Addresses back into names, for people to read."""
        for name, value in sorted(self.address_of.items(), key=lambda item: -len(item[1])):
            text = re.sub(rf"(?<![0-9a-f.:]){re.escape(value)}(?![0-9a-f.])", name, text)
        return text
