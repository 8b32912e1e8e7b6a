"""Packet lines for transports that the line language of the scenarios has no words for.

    sctp A:PORT > B:PORT tag N CHUNK...     CHUNK: init=TAG init-ack=TAG data sack abort abort-t shutdown
                                            shutdown-ack shutdown-complete cookie-echo cookie-ack
                                            heartbeat heartbeat-ack error, TYPE:HEX; bad-checksum
    udplite A:PORT > B:PORT [cov N] [len N] [bad-checksum] [no-checksum]
    gre A > B [version N] [key N] [proto 0xN] [len N]

Each becomes an `ip` line with these bytes behind the IP header, also as a quoted packet.
"""
import ipaddress
import re
import struct

START = re.compile(r"(^| about )(sctp|udplite|gre) ")
CHUNK_TYPES = {"data": 0, "init": 1, "init-ack": 2, "sack": 3, "heartbeat": 4, "heartbeat-ack": 5,
               "abort": 6, "shutdown": 7, "shutdown-ack": 8, "error": 9, "cookie-echo": 10,
               "cookie-ack": 11, "shutdown-complete": 14}
CHUNK_BODIES = {"data": struct.pack(">IHHI", 1, 0, 0, 0) + b"data", "sack": struct.pack(">IIHH", 1, 1500, 0, 0),
                "shutdown": struct.pack(">I", 1), "cookie-echo": b"cook", "error": b"\0\x01\0\x04",
                "heartbeat": b"\0\x01\0\x08time", "heartbeat-ack": b"\0\x01\0\x08time"}


def expand(line):
    """Replaces the last such packet of a line; in an ICMP error that is the quoted one."""
    found = None
    for found in START.finditer(line):
        pass
    if found is None:
        return line
    head, kind, words = line[:found.end(1)], found[2], line[found.end():].split()
    src, dst, rest = words[0], words[2], words[3:]
    return head + {"sctp": sctp, "udplite": udplite, "gre": gre}[kind](src, dst, rest)


def ip_line(src, dst, protocol, payload, rest=()):
    return " ".join(["ip", src, ">", dst, "proto", str(protocol), *rest, "data", payload.hex()])


def split_port(endpoint):
    host, _, port = endpoint.rpartition(":")
    return host.strip("[]"), int(port)


def crc32c_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        table.append(value)
    return table


CRC32C = crc32c_table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def chunk(word):
    name, _, value = word.partition("=")
    if ":" in name:
        kind, body = name.split(":")
        return struct.pack(">BBH", int(kind), 0, 4 + len(body) // 2) + bytes.fromhex(body)
    flags = 0
    if name.endswith("-t"):
        name, flags = name[:-2], 1
    if name.startswith("init"):
        body = struct.pack(">IIHHI", int(value or 1), 65535, 1, 1, 1)
    else:
        body = CHUNK_BODIES.get(name, b"")
    if name == "data":
        flags = 3
    header = struct.pack(">BBH", CHUNK_TYPES[name], flags, 4 + len(body))
    return header + body + bytes(-len(body) % 4)


def sctp(src, dst, words):
    (src, sport), (dst, dport) = split_port(src), split_port(dst)
    tag, chunks, is_bad, cut = 0, b"", False, None
    words = iter(words)
    for word in words:
        if word == "tag":
            tag = int(next(words))
        elif word == "cut":
            cut = int(next(words))
        elif word == "bad-checksum":
            is_bad = True
        else:
            chunks += chunk(word)
    packet = struct.pack(">HHII", sport, dport, tag, 0) + chunks
    crc = crc32c(packet) ^ (1 if is_bad else 0)
    packet = packet[:8] + struct.pack("<I", crc) + packet[12:]
    return ip_line(src, dst, 132, packet[:cut])


def udplite(src, dst, words):
    (src, sport), (dst, dport) = split_port(src), split_port(dst)
    options = {"cov": None, "len": 8}
    flags = {word for word in words if word.endswith("-checksum")}
    plain = [word for word in words if word not in flags]
    options.update(zip(plain[::2], map(int, plain[1::2])))
    coverage = 0 if options["cov"] is None else options["cov"]
    packet = struct.pack(">HHHH", sport, dport, coverage, 0) + b"a" * options["len"]
    value = 0
    if "no-checksum" not in flags:
        addresses = ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
        covered = packet[:coverage or len(packet)]
        summed = addresses + struct.pack(">II", len(packet), 136) + covered
        value = internet_checksum(summed) or 0xffff
        if "bad-checksum" in flags:
            value ^= 0x5555
    return ip_line(src, dst, 136, packet[:6] + struct.pack(">H", value) + packet[8:])


def gre(src, dst, words):
    options = {"version": "0", "key": None, "proto": "0x0800", "len": "8"}
    options.update(zip(words[::2], words[1::2]))
    version = int(options["version"])
    flags = version | (0x2000 if options["key"] is not None else 0)
    packet = struct.pack(">HH", flags, int(options["proto"], 16))
    if version == 1:
        packet += struct.pack(">HH", int(options["len"]), int(options["key"] or 0))
    elif options["key"] is not None:
        packet += struct.pack(">I", int(options["key"]))
    return ip_line(src, dst, 47, packet + b"a" * int(options["len"]))


def internet_checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
