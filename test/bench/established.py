"""Packets of established flows: cycles above testpmd io, by the number of flows."""
import math

import page as pattern
from measuring import Table, Variant, alternate
from programs import Rampart, Testpmd, flows_name

PROTOCOLS = {"UDP": 17, "TCP": 6}
SOFTWARE, BY_NIC = {"flags": pattern.RSS_HASH}, {"flags": pattern.RSS_HASH | pattern.CHECKSUMS_GOOD}
# Numbers of flows, and the size of the table in which they are.
GROUPS = (((4096, 65536), 262144), ((1 << 20,), 1398102), ((4 << 20,), 5592406))


def measure(setup, rounds, groups=GROUPS):
    table = Table("Established flows, policy of the demo, one worker: cycles per packet, median (minimum..maximum)",
                  ("flows", "protocol", "testpmd io", "checksums verified here", "above io", "ours / io",
                   "verified by the NIC", "above io", "ours / io"), setup.out)
    io = Testpmd(setup.plugin, setup.directory)
    try:
        io.pause()
        for sizes, capacity in groups:
            measure_group(setup, table, io, sizes, capacity, rounds)
    finally:
        io.close()
    table.end()


def measure_group(setup, table, io, sizes, capacity, rounds):
    ours = Rampart(setup.plugin, setup.directory, flows=capacity)
    try:
        for name, number in PROTOCOLS.items():
            ours.idle()
            ours.ctl("conntrack", "-F")
            before = 0
            for flows in sizes:
                io.resume()
                io.establish(flows, protocol=number, **BY_NIC)
                io.pause()
                ours.establish(flows, protocol=number, open_from=before, **BY_NIC)
                before = flows
                ours.lost()
                ours.pause()
                figures = alternate([Variant(io), Variant(ours, SOFTWARE), Variant(ours, BY_NIC)], rounds,
                                    setup.seconds)
                ours.resume()
                table.row(flows_name(flows), name, *cells(figures), io=figures[0],
                          problems=problems(ours, flows, figures))
    finally:
        ours.close()


def cells(figures):
    io = figures[0]
    yield io
    for ours in figures[1:]:
        yield ours
        yield f"{ours.median - io.median:.0f}"
        yield f"{ours.median / io.median:.1f}"


def problems(ours, flows, figures):
    """What makes a row untrue: another number of flows, packets that did not come out."""
    found = []
    if ours.entries() != flows:
        found.append(f"{ours.entries()} entries instead of {flows}")
    lost = ours.lost()
    if lost or not all(math.isclose(f.sent, 1, abs_tol=1e-3) for f in figures):
        found.append(f"packets were lost: {lost or [round(f.sent, 3) for f in figures]}")
    return found
