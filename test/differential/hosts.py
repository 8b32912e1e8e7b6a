"""The hosts of a sequence and their addresses.

A sequence names its hosts: in1, in2, out1 ... for IPv4, in1v6 ... for IPv6. Each sequence that is
played gets a number, and each host of each number an address of its own, so that thousands of
sequences can be played side by side without meeting in the connection table. vip1 ... are addresses
that only translation uses, boxin and boxout those of the router, which all sequences share.
"""
import re
import socket
import struct

SIDES = ("inside", "outside")
HOSTS_PER_SIDE = 7
NUMBERS = 1 << 20  # sequences until addresses come again
NET4 = {"inside": "10.0.0.0/9", "outside": "10.128.0.0/9"}
NET6 = {"inside": "fd00:1::/32", "outside": "fd00:2::/32"}
VIPS4, VIPS6 = "11.0.0.0/9", "fd00:3::/32"
NAME = re.compile(r"\b(in|out|vip)([0-7])(v6)?\b")  # number 0: the network of all seven
FIRST = {"in": 10 << 24, "out": 10 << 24 | 1 << 23, "vip": 11 << 24}
BLOCK = {"": 29, "v6": 96}  # bits of a sequence's networks
BOX = {"boxin": "198.18.0.1", "boxout": "198.18.1.1",
       "boxinv6": "fd00:ff::1", "boxoutv6": "fd00:ff::2"}
BOX_NAME = re.compile(r"\bbox(?:in|out)(?:v6)?\b")


def side_of(name):
    return "inside" if name.startswith("in") else "outside"


def address(name, number):
    """The address of a host in the sequence of that number, as inet_ntop prints it."""
    kind, host, is_ipv6 = NAME.fullmatch(name).groups()
    if is_ipv6:
        net = list(FIRST).index(kind) + 1
        packed = struct.pack(">HHIII", 0xfd00, net, 0, number % NUMBERS, int(host))
        return socket.inet_ntop(socket.AF_INET6, packed)
    packed = struct.pack(">I", FIRST[kind] | (number % NUMBERS) << 3 | int(host))
    return socket.inet_ntop(socket.AF_INET, packed)


class Names:
    """The two-way dictionary of one played sequence."""

    def __init__(self, number):
        self.number = number
        self.address_of = {}

    def resolve(self, text):
        text = BOX_NAME.sub(lambda found: BOX[found[0]], text)
        return NAME.sub(lambda found: self._address(found[0]), text)

    def _address(self, name):
        if name not in self.address_of:
            self.address_of[name] = address(name, self.number)
        return self.address_of[name]

    def restore(self, text):
        """Addresses back into names, for people to read."""
        names = {**self.address_of, **BOX}
        for name, value in sorted(names.items(), key=lambda item: -len(item[1])):
            text = re.sub(rf"(?<![0-9a-f.:]){re.escape(value)}(?![0-9a-f.])", name, text)
        return text
