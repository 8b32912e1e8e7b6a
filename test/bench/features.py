"""What routing, translation, IPv6, fragments and counters add to established flows; two workers; reloads."""
import os
import subprocess
import time

import page as pattern
from connections import many_rules
from established import PROTOCOLS, problems
from lab import wait_until
from measuring import Figure, Table, Variant, alternate
from programs import CONTROL_CPU, DEMO_RULES, LASTING, WORKER_CPU, CannotMeasure, Rampart, Testpmd, flows_name

BY_NIC = pattern.RSS_HASH | pattern.CHECKSUMS_GOOD
FLOWS = 4096
PUBLIC = "192.0.2.2"
GATEWAYS = {"inside": ("192.0.2.65", "10.0.0.0/10", "02:70:61:74:01:00"),
            "outside": ("192.0.2.1", "198.18.0.0/15", "02:70:61:74:01:01")}
NAT = f"nat:\n  postrouting:\n    - {{ id: out, out: outside, snat: {PUBLIC} }}\n"


class Namespace:
    """Where the twins of routed ports are, with routes to clients and servers behind one gateway each."""
    count = 0

    def __enter__(self):
        Namespace.count += 1
        self.name = f"rpbench{os.getpid()}-{Namespace.count}"
        self.ip("netns", "add", self.name, inside=False)
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *_):
        self.ip("netns", "del", self.name, inside=False)

    def ip(self, *words, inside=True, check=True):
        return subprocess.run(["ip", *(["-n", self.name] if inside else []), *words], check=check,
                              capture_output=True, text=True)

    def add_routes(self):
        """Once the twins exist."""
        for side, (gateway, network, mac) in GATEWAYS.items():
            if not wait_until(lambda s=side: " UP" in self.ip("link", "show", s, check=False).stdout.replace(",UP", " UP"), 20):
                raise CannotMeasure(f"the twin {side} does not come up")
            self.ip("neigh", "replace", gateway, "lladdr", mac, "dev", side, "nud", "permanent")
            self.ip("route", "replace", network, "via", gateway, "dev", side)
        time.sleep(0.5)  # what changes in the kernel is followed within 20 ms


def routed(setup, namespace, nat="", **options):
    ours = Rampart(setup.plugin, setup.directory, interface=("address: [192.0.2.66/26]", f"address: [{PUBLIC}/26]"),
                   namespace=namespace.name, nat=nat, **options)
    namespace.add_routes()
    return ours


class Compared:
    """One program of the table of features, with 4 k flows of one kind open."""

    def __init__(self, program, **control):
        self.program = program
        self.control = {"flags": BY_NIC, "ip_version": 4, "nat": 0} | control

    def open(self, protocol, flows=FLOWS):
        self.program.resume()
        self.program.idle()
        if isinstance(self.program, Rampart):
            self.program.ctl("conntrack", "-F")
        plain = self.control | {"flags": self.control["flags"] & ~pattern.FRAGMENTS}
        self.program.establish(flows, protocol=protocol, **plain)
        if isinstance(self.program, Rampart):
            self.program.lost()
        self.program.pause()
        return Variant(self.program, self.control)


def measure_features(setup, rounds):
    table = Table(f"What features add, {flows_name(FLOWS)} established flows, one worker: cycles per packet",
                  ("", "protocol", "testpmd io", "without", "with", "added", "rate with / without"), setup.out)
    with Namespace() as one, Namespace() as two:
        programs = []

        def start(build, *arguments, **options):
            programs.append(build(*arguments, **options))
            programs[-1].pause()
            return programs[-1]

        try:
            io = start(Testpmd, setup.plugin, setup.directory)
            plain = start(Rampart, setup.plugin, setup.directory)
            counting = start(Rampart, setup.plugin, setup.directory, conntrack="accounting: true, " + LASTING)
            router = start(routed, setup, one)
            translator = start(routed, setup, two, nat=NAT)
            rows = (("routed / bridged", Compared(plain), Compared(router)),
                    ("source NAT / routed", Compared(router), Compared(translator, nat=0xc0000202)),
                    ("counters per flow / none", Compared(plain), Compared(counting)),
                    ("IPv6 / IPv4", Compared(plain), Compared(plain, ip_version=6)),
                    ("fragments / whole", Compared(plain), Compared(plain, flags=BY_NIC | pattern.FRAGMENTS)))
            for name, without, having in rows:
                for protocol, number in PROTOCOLS.items():
                    if name.startswith("fragments") and protocol == "TCP":
                        continue
                    feature_row(setup, table, name, protocol, number, (Compared(io, **having.control), without, having), rounds)
        finally:
            for program in programs:
                program.close()
    table.end()
    setup.out("\nRules count always; that cannot be switched off. Fragments: two to a datagram, each counts as a packet.")


def feature_row(setup, table, name, protocol, number, compared, rounds):
    io, without, having = compared
    if without.program is having.program:  # what it plays is changed for each window
        figures = [Figure([]) for _ in range(4)]
        for _ in range(rounds):
            for figure, variant in zip(figures, (io, without, io, having)):
                figure.values += alternate([variant.open(number)], 1, setup.seconds)[0].values
                figure.sent = 1
        alone, before, after = figures[0], figures[1], figures[3]
        alone.values += figures[2].values
    else:
        alone, before, after = alternate([io.open(number), without.open(number), having.open(number)], rounds,
                                         setup.seconds)
    having.program.resume()
    found = problems(having.program, FLOWS, [before, after])
    having.program.pause()
    # Of neighbours in time: a machine that is slower for a while is so for both.
    added = [b - a for a, b in zip(before.values, after.values)]
    ratios = [a / b for a, b in zip(before.values, after.values)]
    table.row(name, protocol, alone, before, after, f"{Figure(added).median:+.0f}", f"{Figure(ratios).median:.2f}",
              io=alone, problems=found)


def rate(program, queues, seconds):
    """Packets a second of all workers, each by its own CPU time."""
    first = [program.page.mark(q) for q in range(queues)]
    time.sleep(seconds)
    last = [program.page.mark(q) for q in range(queues)]
    return sum((b[2] - a[2]) / ((b[0] - a[0]) / 1e9) for a, b in zip(first, last))


def measure_workers(setup, rounds):
    table = Table("Two workers and one, 64 k flows: millions of packets a second of the workers' CPU time",
                  ("protocol", "", "one", "two", "two / one", "normalised by io"), setup.out)
    cpus = {1: (WORKER_CPU,), 2: (WORKER_CPU, CONTROL_CPU)}
    for name, number in PROTOCOLS.items():
        rates = {}
        for workers, on in cpus.items():
            for kind in (Testpmd, Rampart):
                more = {"workers": workers} if kind is Testpmd else {}
                program = kind(setup.plugin, setup.directory, cpus=on, **more)
                try:
                    # Two queues look for flows of their own; one does as much.
                    program.establish(65536, protocol=number,
                                      flags=BY_NIC | (pattern.SPREAD if workers == 1 else 0))
                    rates[kind, workers] = Figure([rate(program, workers, setup.seconds) / 1e6 for _ in range(rounds)])
                finally:
                    program.close()
        ratios = {kind: rates[kind, 2].median / rates[kind, 1].median for kind in (Testpmd, Rampart)}
        for kind in (Testpmd, Rampart):
            table.row(name, "testpmd io" if kind is Testpmd else "rampartd", rates[kind, 1], rates[kind, 2],
                      f"{ratios[kind]:.2f}", "" if kind is Testpmd else f"{ratios[kind] / ratios[Testpmd]:.2f}")
    setup.out("\nWith two CPUs the second worker shares its CPU with control and with this benchmark; the CPUs may be "
              "threads of one core, which no guest can tell for sure. `io` has the same two.")
    table.end()


RELOAD_RATE = 500_000  # packets per second and direction


def measure_reloads(setup, rounds):
    table = Table("Reload of 10,000 rules every second, 64 k UDP flows, 1 M packets a second",
                  ("", "99 % within, µs", "99.9 %", "longest gap in what is sent, µs", "reloads", "packets lost",
                   "times preempted"), setup.out)
    ours = Rampart(setup.plugin, setup.directory, rules=many_rules())
    other = setup.directory / "other-rules.yaml"
    other.write_text(ours.config.read_text() + "      - { id: last, proto: gre, in: inside, action: accept }\n")
    figures = {False: [], True: []}
    cpus = os.sched_getaffinity(0)
    try:
        ours.establish(65536, protocol=17, flags=BY_NIC | pattern.STAMPS)
        # As with isolated CPUs: what is started from here begins, and stays, off the worker's.
        os.sched_setaffinity(0, {CONTROL_CPU})
        for _ in range(rounds):
            for reloads in (False, True):
                figures[reloads].append(under_load(ours, (other, ours.config) if reloads else (), 4))
        for reloads, name in ((False, "steady"), (True, "reloading")):
            columns = list(zip(*figures[reloads]))
            table.row(name, *(Figure(list(column)) for column in columns[:3]), *(sum(column) for column in columns[3:]))
        ratio = Figure([f[0] for f in figures[True]]).median / Figure([f[0] for f in figures[False]]).median
        table.row("reloading / steady", f"{ratio:.2f}", "", "", "", "", "")
    finally:
        os.sched_setaffinity(0, cpus)
        ours.close()
    table.end()


def under_load(ours, files, seconds):
    """p99 and p99.9 in microseconds, the longest gap, how many reloads, packets that were lost, preemptions."""
    ours.idle()
    ours.page.clear_latency()
    before = {name: ours.page.total(name) for name in ("received_good", "sent_good", "missed")}
    ours.page.begin(mode=pattern.ESTABLISHED, rate=RELOAD_RATE)
    preempted = ours.preemptions()
    done, begin = 0, time.monotonic()
    while time.monotonic() < begin + seconds:
        if files:
            ours.ctl("apply", files[done % 2])
            done += 1
        time.sleep(max(0.0, begin + done - time.monotonic()) if files else 0.2)
    gap = max(ours.page.figures(side)["longest_gap"] for side in (0, 1)) / ours.page.tsc_hz * 1e6
    preempted = ours.preemptions() - preempted
    ours.idle()
    now = {name: ours.page.total(name) - value for name, value in before.items()}
    lost = now["received_good"] + now["missed"] - now["sent_good"]
    return ours.page.percentile(0.99), ours.page.percentile(0.999), gap, done, lost, preempted
