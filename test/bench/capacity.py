"""Memory per flow, how many flows keep their speed, and what ageing costs."""
import pathlib
import time

import page as pattern
from connections import BY_NIC, wait_for_entries
from features import Namespace, routed
from lab import release_hugepages, reserve_hugepages
from measuring import Figure, Table, Variant, alternate
from programs import LASTING, CannotMeasure, Rampart, Testpmd, flows_name

HUGEPAGE = 2 << 20
WITHOUT_COUNTERS = "counters: false, " + LASTING
LEAST = "ipv6: false, " + WITHOUT_COUNTERS
LIMIT_BYTES = 6 << 30


def bytes_per_flow(setup, build):
    """Of the process, from two capacities, so that what does not depend on them falls out: the share of the heap
    that is kept for gaps has reached its limit with both."""
    capacities = (1 << 22, 6 << 20)
    sizes = []
    for flows in capacities:
        program = build(flows)
        try:
            sizes.append(program.resident_bytes())
        finally:
            program.close()
    return (sizes[1] - sizes[0]) / (capacities[1] - capacities[0])


def measure_memory(setup, _):
    table = Table("Memory per flow that the table has room for", ("ports", "bytes of the process"), setup.out)
    plain = bytes_per_flow(setup, lambda flows: Rampart(setup.plugin, setup.directory, flows=flows))
    table.row("bridged: one key per flow, IPv4 or IPv6", f"{plain:.0f}")
    bare = bytes_per_flow(setup, lambda flows: Rampart(setup.plugin, setup.directory, flows=flows, conntrack=WITHOUT_COUNTERS))
    table.row("the same with `counters: false`", f"{bare:.0f}")
    four = bytes_per_flow(setup, lambda flows: Rampart(setup.plugin, setup.directory, flows=flows, conntrack="ipv6: false, " + LASTING))
    table.row("IPv4 alone, `ipv6: false`", f"{four:.0f}")
    least = bytes_per_flow(setup, lambda flows: Rampart(setup.plugin, setup.directory, flows=flows, conntrack=LEAST))
    table.row("both", f"{least:.0f}")
    with Namespace() as namespace:
        two = bytes_per_flow(setup, lambda flows: routed(setup, namespace, flows=flows))
    table.row("routed: two keys, for translated flows", f"{two:.0f}")
    table.row("added for translation", f"{two - plain:.0f}")
    table.end()


def available_bytes():
    text = pathlib.Path("/proc/meminfo").read_text()
    number = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()}
    return number["MemAvailable"] * 1024 + number["HugePages_Free"] * HUGEPAGE


def measure_many(setup, rounds):
    """In one table, so that only the number of flows differs."""
    per_flow = bytes_per_flow(setup, lambda flows: Rampart(setup.plugin, setup.directory, flows=flows, conntrack=LEAST))
    room = min(LIMIT_BYTES, available_bytes() - (2 << 30)) - (256 << 20)
    most = 1 << 25
    while most * per_flow > room:
        most -= 1 << 20
    if most < 1 << 21:
        raise CannotMeasure("less than 1 GiB of memory is free")
    added = reserve_hugepages(int(most * per_flow / HUGEPAGE) + 200)
    table = Table(f"Many flows, UDP, in one table without counters and IPv6 with room for {most / (1 << 20):.0f} M: {most * per_flow / (1 << 30):.1f} GiB",
                  ("flows", "testpmd io", "rampartd", "above io", "cycles to 1 M"), setup.out)
    try:
        many_rows(setup, table, most, rounds)
    finally:
        release_hugepages(added)
    table.end()


def many_rows(setup, table, most, rounds):
    # A flow is replied to when all others of its step are open.
    steps = [1 << 20, 1 << 22, 1 << 23, 1 << 24, most]
    steps = sorted({min(step, most) for step in steps})
    io = Testpmd(setup.plugin, setup.directory)
    try:
        ours = Rampart(setup.plugin, setup.directory, flows=most, conntrack=LEAST)
        try:
            before = first = 0
            for flows in steps:
                io.resume()
                io.establish(flows, protocol=17, flags=BY_NIC, open_from=before)
                io.pause()
                ours.establish(flows, protocol=17, flags=BY_NIC, open_from=before)
                before = flows
                ours.lost()
                ours.pause()
                alone, figure = alternate([Variant(io), Variant(ours)], rounds, setup.seconds)
                ours.resume()
                first = first or figure.median
                entries, lost = ours.entries(), ours.lost()
                table.row(flows_name(flows), alone, figure, f"{figure.median - alone.median:.0f}",
                          f"{figure.median / first:.2f}", io=alone,
                          problems=[f"{entries} entries, lost {lost}"] if entries != flows or lost else [])
        finally:
            ours.close()
    finally:
        io.close()


AGEING_FLOWS = 1 << 22


def measure_ageing(setup, rounds):
    """4 k busy TCP flows; beside them 4 M flows of UDP without a reply, that all grow old and go."""
    table = Table("Ageing: cycles per packet of 4 k busy flows beside 4 M idle ones",
                  ("", "cycles per packet", "longest gap between bursts sent, µs"), setup.out)
    ours = Rampart(setup.plugin, setup.directory, flows=5592406, conntrack="timeouts: { udp: 12s }")
    load = {"mode": pattern.ESTABLISHED, "flows": 4096, "first": 0, "flags": BY_NIC | pattern.STAMPS, "protocol": 6}
    try:
        ours.establish(**{key: value for key, value in load.items() if key != "mode"})
        rows = [("no others", *busy(ours, rounds * 2 * setup.seconds))]
        ours.idle()
        ours.page.begin(mode=pattern.NEW, protocol=17, first=1 << 28, budget=AGEING_FLOWS, flags=BY_NIC)
        cpu_ns, _ = ours.page.finish()
        created = cpu_ns / 1e9
        ours.idle()
        ours.page.begin(**load)
        rows.append(("4 M others, none due", *busy(ours, rounds * 2 * setup.seconds)))
        while ours.entries() > 4096 + AGEING_FLOWS * 0.98:
            time.sleep(0.02)
        begin, gone = time.monotonic(), ours.entries()
        mark = ours.page.mark()
        ours.page.clear_latency()
        while ours.entries() > 4096 + AGEING_FLOWS * 0.1:
            time.sleep(0.02)
        gone, seconds = gone - ours.entries(), time.monotonic() - begin
        cpu, _, received, _ = (b - a for a, b in zip(mark, ours.page.mark()))
        hz = ours.page.tsc_hz
        rows.append((f"{gone / seconds / 1e6:.2f} M a second going", cpu * hz / 1e9 / received, longest_gap_us(ours)))
        wait_for_entries(ours, 4096)
        for name, cycles, gap in rows:
            table.row(name, f"{cycles:.1f}", f"{gap:.0f}")
        still, going = rows[1][1], rows[2][1]
        table.row("a flow that goes", f"{(going - still) * received / gone:.0f} cycles", "")
        table.row("scanning, share of the worker's cycles", f"{max(0.0, 1 - rows[0][1] / still):.1%}", "")
        setup.out(f"\nThe 4 M were created in {created:.1f} s of CPU time. A gap holds what else runs on the worker's CPU.")
    finally:
        ours.close()
    table.end()


def busy(ours, seconds):
    ours.page.mark()
    ours.page.clear_latency()
    figure = Figure([ours.window(seconds / 4)[0] for _ in range(4)])
    return figure.median, longest_gap_us(ours)


def longest_gap_us(program):
    return max(program.page.figures(side)["longest_gap"] for side in (0, 1)) / program.page.tsc_hz * 1e6
