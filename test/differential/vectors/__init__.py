"""Hand-written sequences, one module per protocol, one function call per sequence."""
import importlib
import pathlib
import pkgutil

from sequences import Sequence

HANDSHAKE = """
    inside tcp in1:4000 > out1:80 S seq 1000 | new original | SYN_SENT 120 unreplied
    outside tcp out1:80 > in1:4000 SA seq 5000 ack 1001 | established reply | SYN_RECV 60
    inside tcp in1:4000 > out1:80 . seq 1001 ack 5001 | established original | ESTABLISHED 432000 assured
"""


def vector(name, text, profile="observe"):
    """`text`: STEP | CLASS | ENTRY on each line; columns at the end may be left out."""
    rows = [[column.strip() for column in line.split("|")] for line in text.splitlines() if line.strip()]
    return Sequence(name, profile, [row[0] for row in rows], [row[1:] for row in rows])


def all_vectors():
    found = []
    for module in pkgutil.iter_modules([str(pathlib.Path(__file__).parent)]):
        found += importlib.import_module(f"vectors.{module.name}").VECTORS
    return found
