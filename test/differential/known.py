"""Differences that are intended. Each names its row in docs/differences.md, which gives the reason.

A difference that is not explained here fails the test. run.py checks that every row exists.
"""
import dataclasses
import pathlib
import struct
from typing import Callable

FRAGMENT_HEADER = 44
DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/differences.md"


@dataclasses.dataclass(frozen=True)
class Known:
    row: str                 # how the row in the document begins
    applies: Callable        # Difference -> bool
    goes_on: bool = False    # what follows can still be compared


def dropped_for(*reasons):
    return lambda difference: difference.answers[1].reason in reasons


def quotes_no_ip_header(difference):
    """An ICMP error whose quoted packet has another IP version than the error, or a header of less
    than twenty bytes."""
    frame = difference.frame
    is_ipv6 = frame[12:14] == b"\x86\xdd"
    quoted = frame[14 + 40 + 8:] if is_ipv6 else frame[14 + (frame[14] & 15) * 4 + 8:]
    if difference.answers[1].reason != "icmp_embedded" or not quoted:
        return False
    return quoted[0] >> 4 != (6 if is_ipv6 else 4) or (not is_ipv6 and quoted[0] & 15 < 5)


def pieces(outputs):
    """{side: {offset: bytes}} of what left; a whole packet is one piece."""
    found = {}
    for side, frame, _ in outputs:
        packet = frame[14:]
        if frame[12:14] == b"\x86\xdd":
            offset, payload = 0, packet[40:]
            if packet[6] == FRAGMENT_HEADER:
                offset, payload = struct.unpack_from(">H", packet, 42)[0] & ~7, packet[48:]
        else:
            header = (packet[0] & 15) * 4
            length, word = struct.unpack_from(">H2xH", packet, 2)
            offset, payload = (word & 0x1fff) * 8, packet[header:length]
        found.setdefault(side, {})[offset] = payload
    return found


def is_cut_otherwise(difference):
    """The same datagram left in other fragments, none larger than the largest of Linux."""
    if difference.aspect != "output":
        return False
    cuts = [pieces(answer.outputs) for answer in difference.answers]
    if not all(cuts) or datagram_of(difference.frame) is None:
        return False
    whole = [{side: b"".join(parts[at] for at in sorted(parts)) for side, parts in cut.items()}
             for cut in cuts]
    largest = [max(len(part) for parts in cut.values() for part in parts.values()) for cut in cuts]
    return whole[0] == whole[1] and largest[1] <= largest[0]


def datagram_of(frame):
    """What names the datagram that the fragment in this frame belongs to; None: no fragment."""
    if frame[12:14] == b"\x86\xdd":
        return frame[22:54] + frame[58:62] if frame[20] == FRAGMENT_HEADER else None
    is_fragment = struct.unpack_from(">H", frame, 20)[0] & 0x3fff
    return frame[18:20] + frame[23:24] + frame[26:34] if is_fragment else None


def after(*reasons):
    """A fragment of the same datagram was dropped for one of these reasons before, or is now."""
    def applies(difference):
        datagram = datagram_of(difference.frame)
        return datagram is not None and any(
            reason in reasons and datagram_of(frame) == datagram
            for frame, reason in difference.history)
    return applies


def is_atomic(difference):
    """An IPv6 fragment that is a whole datagram, with an identification that others used."""
    frame = difference.frame
    return datagram_of(frame) is not None and frame[12:14] == b"\x86\xdd" and \
        not struct.unpack_from(">H", frame, 56)[0] & 0xfff9 and \
        any(datagram_of(past) == datagram_of(frame) for past, _ in difference.history[:-1])


def rules_look_behind_ah(difference):
    """IPv6 with an authentication header, before rules that name ports."""
    frame = difference.frame
    at, kind = 54, frame[20]
    while frame[12:14] == b"\x86\xdd" and kind in (0, 43, 60) and at + 1 < len(frame):
        at, kind = at + 8 + frame[at + 1] * 8, frame[at]
    return kind == 51 and difference.sequence.profile in ("raw", "refusing")


KNOWN = (
    Known("IPv4 source routes (LSRR, SSRR) and malformed options", dropped_for("ip_options")),
    Known("sources 0.0.0.0/8", dropped_for("ip_source")),
    Known("destinations 0.0.0.0/8", dropped_for("ip_destination")),
    Known("IPv6 header chains", dropped_for("ipv6_extension")),
    Known("fragments that leave", is_cut_otherwise, goes_on=True),
    Known("fragments that contradict each other", after("fragment_overlap")),
    Known("IPv6 authentication headers", rules_look_behind_ah),
    Known("atomic IPv6 fragments", is_atomic),
    Known("a fragment whose length is no multiple of eight", after("fragment_length")),
    Known("ICMP errors that quote something else than an IP header", quotes_no_ip_header),
)


def explanation(difference):
    """The Known that explains it; None: nothing does."""
    return next((known for known in KNOWN if known.applies(difference)), None)


def missing_rows(every=KNOWN):
    text = DOCUMENT.read_text()
    return [known.row for known in every if f"\n| {known.row}" not in text]
