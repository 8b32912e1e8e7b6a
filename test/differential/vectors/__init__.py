"""Hand-written sequences, one module per subject, one call of vector() per sequence.

    vector("what it shows", '''
        A S seq 1000                 | new original      | SYN_SENT 120 unreplied
        B SA seq 5000 ack 1001       | established reply | SYN_RECV 60
        wait 2.3s
    ''')

Columns: the step, the class, the entry; those at the end may be left out. `A` and `B` stand for the
ends of `ends`: "inside tcp in1:4000 > out1:80" and the way back. An entry is "none" (the table is
empty), "2 entries", or words that one line of the table must have: a state, seconds left,
unreplied, replied, assured.
"""
import importlib
import pathlib
import pkgutil
import re

from sequences import Sequence

TCP = ("inside tcp in1:4000 > out1:80", "outside tcp out1:80 > in1:4000")
UDP = ("inside udp in1:5000 > out1:53", "outside udp out1:53 > in1:5000")

HANDSHAKE = """
    A S seq 1000           | new original         | SYN_SENT 120 unreplied
    B SA seq 5000 ack 1001 | established reply    | SYN_RECV 60 replied
    A . seq 1001 ack 5001  | established original | ESTABLISHED 432000 assured
"""
# The same with small windows.
NARROW = """
    A S seq 1000 win 1000           | new original
    B SA seq 5000 ack 1001 win 1000 | established reply
    A . seq 1001 ack 5001 win 1000  | established original | ESTABLISHED 432000 assured
"""

# What older kernels do otherwise. Where one of these does not hold, there is nothing to compare.
PROBES = (
    "a SYN/ACK from the client in a live connection",
    "a connection is picked up in the middle",
    "a small overshoot of the window is ignored, a large one refused",
    "an inexact reset leaves the state and shortens the time",
    "an old retransmission is ignored, also with FIN",
    "in TIME_WAIT the server may open to the client",
    "protocol 33 by address pair",
)


def vector(name, text, profile="observe", ends=TCP):
    lines = [line for line in text.splitlines() if line.strip()]
    rows = [[column.strip() for column in line.split("|")] for line in lines]
    for row in rows:
        row[0] = re.sub(r"\b([AB])(?= )", lambda end: ends["AB".index(end[1])], row[0], count=1)
        row[0] = re.sub(r"(?<=about )(?:in|out)side ", "", row[0])
    return Sequence(name, profile, [row[0] for row in rows], [row[1:] for row in rows])


def all_vectors():
    found = []
    for module in pkgutil.iter_modules([str(pathlib.Path(__file__).parent)]):
        found += importlib.import_module(f"vectors.{module.name}").VECTORS
    return found
