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


KNOWN = (
    Known("IPv4 source routes (LSRR, SSRR) and malformed options", dropped_for("ip_options")),
    Known("sources 0.0.0.0/8", dropped_for("ip_source")),
    Known("destinations 0.0.0.0/8", dropped_for("ip_destination")),
    Known("IPv6 header chains", dropped_for("ipv6_extension")),
    Known("IP fragments", dropped_for("fragment")),
)


def explanation(difference):
    """The row that explains it; None: nothing does."""
    return next((known.row for known in KNOWN if known.applies(difference)), None)


def missing_rows():
    text = DOCUMENT.read_text()
    return [known.row for known in KNOWN if f"\n| {known.row}" not in text]
