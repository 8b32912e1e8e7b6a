"""Differences that are intended. Each names its row in docs/differences.md, which gives the reason.

A difference that is not explained here fails the test. run.py checks that every row exists.
"""
import dataclasses
import pathlib
from typing import Callable

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs/differences.md"


@dataclasses.dataclass(frozen=True)
class Known:
    row: str                 # how the row in the document begins
    applies: Callable        # Difference -> bool


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


KNOWN = (
    Known("IPv4 source routes (LSRR, SSRR) and malformed options", dropped_for("ip_options")),
    Known("sources 0.0.0.0/8", dropped_for("ip_source")),
    Known("destinations 0.0.0.0/8", dropped_for("ip_destination")),
    Known("IPv6 header chains", dropped_for("ipv6_extension")),
    Known("ICMP errors that quote something else than an IP header", quotes_no_ip_header),
)


def explanation(difference):
    """The row that explains it; None: nothing does."""
    return next((known.row for known in KNOWN if known.applies(difference)), None)


def missing_rows():
    text = DOCUMENT.read_text()
    return [known.row for known in KNOWN if f"\n| {known.row}" not in text]
