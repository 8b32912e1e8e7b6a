"""New flows, whole TCP connections, and a flood of SYNs beside established traffic."""
import time

import page as pattern
from measuring import Figure, Table, Variant, alternate
from programs import DEMO_RULES, CannotMeasure, Rampart, Testpmd

RULES = 10000
FLOWS, CAPACITY = 1 << 20, 1398102  # 75 %
NEW_AT_A_TIME = 1 << 16
SLICE = 1 << 17
BY_NIC = pattern.RSS_HASH | pattern.CHECKSUMS_GOOD


def many_rules(count=RULES):
    """Rules that no packet of ours matches, before those of the demo that admit it."""
    line = ("      - {{ id: r{0}, in: inside, src: 172.{1}.{2}.{3}, dst: 198.18.{3}.0/24, proto: udp, dport: {4}, "
            "state: new, action: accept }}\n")
    unmatched = "".join(line.format(i, 16 + (i >> 16), i >> 8 & 255, i & 255, 1000 + i % 500) for i in range(count - 7))
    head, tail = DEMO_RULES.split("      - { id: ping-out", 1)
    return head + unmatched + "      - { id: ping-out" + tail


def fill(program, flows, **control):
    """In slices, so that no flow expires before its reply."""
    for start in range(0, flows, SLICE):
        program.establish(min(flows, start + SLICE), open_from=start, **control)
    program.idle()


def open_new(program, first, protocol):
    """Cycles of the worker per new flow."""
    program.resume()
    try:
        program.idle()
        program.page.begin(mode=pattern.NEW, protocol=protocol, first=first, budget=NEW_AT_A_TIME, flags=BY_NIC)
        cpu_ns, packets = program.page.finish()
        program.idle()
    finally:
        program.page.begin(first=0)
        program.pause()
    return cpu_ns * program.page.tsc_hz / 1e9 / packets


def wait_for_entries(ours, count, seconds=30):
    end = time.monotonic() + seconds
    while ours.entries() > count:
        if time.monotonic() > end:
            raise CannotMeasure(f"{ours.entries()} entries do not go down to {count}")
        time.sleep(0.2)


def measure_new(setup, rounds):
    table = Table(f"New flows with a verdict from {RULES:,} rules, table 75 % full with 1 M flows: cycles per flow",
                  ("protocol", "testpmd io", "rampartd", "above io", "a second and core"), setup.out)
    io = Testpmd(setup.plugin, setup.directory)
    try:
        io.pause()
        ours = Rampart(setup.plugin, setup.directory, flows=CAPACITY, rules=many_rules(),
                       conntrack="timeouts: { udp: 2s, udp_stream: 1h, tcp_syn_sent: 2s }")
        try:
            fill(ours, FLOWS, protocol=17, flags=BY_NIC)
            for name, protocol in (("UDP", 17), ("TCP", 6)):
                alone, with_verdict = Figure([]), Figure([])
                ours.lost()
                for i in range(rounds):
                    first = (1 << 28) + NEW_AT_A_TIME * i
                    alone.values.append(open_new(io, first, protocol))
                    with_verdict.values.append(open_new(ours, first, protocol))
                    ours.resume()
                    wait_for_entries(ours, FLOWS)
                lost = ours.lost()
                table.row(name, alone, with_verdict, f"{with_verdict.median - alone.median:.0f}",
                          f"{ours.page.tsc_hz / with_verdict.median / 1e6:.2f} M", io=alone,
                          problems=[f"packets were lost: {lost}"] if lost else [])
        finally:
            ours.close()
    finally:
        io.close()
    table.end()


def measure_connections(setup, rounds):
    table = Table("Whole TCP connections, SYN to last ACK, 1 M open at a time: cycles per connection of six packets",
                  ("testpmd io", "rampartd", "above io", "connections a second and core", "entries at the end"),
                  setup.out)
    io = Testpmd(setup.plugin, setup.directory)
    try:
        ours = Rampart(setup.plugin, setup.directory, flows=1 << 22,
                       conntrack="timeouts: { tcp_time_wait: 1s, tcp_last_ack: 1s }")
        try:
            for program in (io, ours):
                program.page.begin(mode=pattern.CHURN, protocol=6, flows=FLOWS, flags=BY_NIC)
                end = time.monotonic() + 60
                while program.page.connections < 2 * FLOWS:
                    if time.monotonic() > end:
                        raise CannotMeasure("connections are not opened")
                    time.sleep(0.05)
                program.pause()
            ours.resume()
            ours.lost()
            ours.pause()
            alone, whole = alternate([Variant(io), Variant(ours)], rounds, 4 * setup.seconds, 2 * setup.seconds)
            for figure in (alone, whole):
                figure.values = [6 * value for value in figure.values]
            ours.resume()
            lost = ours.lost()
            table.row(alone, whole, f"{whole.median - alone.median:.0f}",
                      f"{ours.page.tsc_hz / whole.median / 1e6:.2f} M", f"{ours.entries():,}", io=alone,
                      problems=[f"packets were lost: {lost}"] if lost or whole.sent < 0.999 else [])
        finally:
            ours.close()
    finally:
        io.close()
    table.end()


RATES = (50_000, 100_000)  # packets per second and direction
FLOOD = 20                 # SYNs to each packet of the client's side: ten times the load of both directions
FLOODED_TABLE = 1 << 20


def measure_flood(setup, rounds):
    table = Table("SYNs of random sources at ten times the load of 16 k established TCP flows, table full",
                  ("load, packets a second", "SYNs a second", "goodput without flood", "with flood", "ratio",
                   "99 % within, µs: without, with", "SYNs a second let out"), setup.out)
    ours = Rampart(setup.plugin, setup.directory, flows=FLOODED_TABLE)
    try:
        ours.establish(16384, protocol=6, flags=BY_NIC | pattern.STAMPS)
        for rate in RATES:
            flood_row(setup, table, ours, rate, rounds)
    finally:
        ours.close()
    table.end()


def flood_row(setup, table, ours, rate, rounds):
    load = {"mode": pattern.ESTABLISHED, "rate": rate}
    ours.idle()
    ours.page.begin(**load, flood=FLOOD)
    end = time.monotonic() + 60
    while ours.entries() < FLOODED_TABLE - 1 and time.monotonic() < end:
        time.sleep(0.2)
    shares, late, others = {0: [], FLOOD: []}, {0: [], FLOOD: []}, []
    for _ in range(rounds):
        for flood in (0, FLOOD):
            share, rest = goodput(ours, load, flood, setup.seconds * 8)
            shares[flood].append(share)
            late[flood].append(ours.page.percentile(0.99))
            others.append(rest)
    entries = ours.entries()
    without, flooded = Figure(shares[0]).median, Figure(shares[FLOOD]).median
    table.row(f"{2 * rate:,}", f"{rate * FLOOD:,}", f"{without:.4f}",
              f"{flooded:.4f} ({min(shares[FLOOD]):.4f}..{max(shares[FLOOD]):.4f})", f"{flooded / without:.3f}",
              f"{Figure(late[0]).median:.0f}, {Figure(late[FLOOD]).median:.0f}", f"{Figure(others[1::2]).median:,.0f}",
              problems=[f"{entries} entries: the table is not full"] if entries < FLOODED_TABLE * 0.99 else [])


def goodput(ours, load, flood, seconds):
    """The share of good packets that came out, and how many others did per second."""
    ours.idle()
    ours.page.clear_latency()
    before = {name: ours.page.total(name) for name in ("received_good", "sent_good", "missed", "sent")}
    ours.page.begin(**load, flood=flood)
    time.sleep(seconds)
    ours.idle()
    now = {name: ours.page.total(name) - value for name, value in before.items()}
    return (now["sent_good"] / (now["received_good"] + now["missed"]),
            (now["sent"] - now["sent_good"]) / seconds)
