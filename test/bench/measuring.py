"""Medians of alternating windows, and the table they end in."""
import dataclasses
import pathlib
import statistics

# testpmd does the same work in all of its windows: where they differ by more, the machine was not quiet.
QUIET = 0.05
# A sibling thread that works takes a third of a core's speed or more. Windows are repeated, so often, to find
# one in which the other CPUs rest.
RESTING, MORE_TRIES = 0.15, 2


@dataclasses.dataclass
class Figure:
    """Windows of one program, in cycles per packet unless a row says otherwise."""
    values: list
    busy: list = dataclasses.field(default_factory=list)  # the other CPUs in each window

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def unrest(self):
        """How far apart the quartiles are, as a share of the median."""
        if len(self.values) < 4:
            return (max(self.values) - min(self.values)) / self.median
        low, _, high = statistics.quantiles(self.values, n=4)
        return (high - low) / self.median

    def __str__(self):
        return f"{self.median:.1f} ({min(self.values):.0f}..{max(self.values):.0f})"


@dataclasses.dataclass
class Variant:
    """A program that plays flows already, and what to change in its packets while it is measured."""
    program: object
    control: dict = dataclasses.field(default_factory=dict)


def cpu_times(but):
    """Ticks of all CPUs but one: all, and those without work."""
    rows = [line.split() for line in pathlib.Path("/proc/stat").read_text().splitlines() if line.startswith("cpu")]
    times = [list(map(int, row[1:9])) for row in rows if row[0] not in ("cpu", f"cpu{but}")]
    return sum(map(sum, times)), sum(row[3] + row[4] for row in times)


def calm_window(program, seconds, cpu):
    """The window of a few in which the other CPUs worked least, and how much they did."""
    best = None
    for _ in range(1 + MORE_TRIES):
        before = cpu_times(cpu)
        window = program.window(seconds)
        ticks, idle = (b - a for a, b in zip(before, cpu_times(cpu)))
        busy = 1 - idle / ticks if ticks else 0
        if best is None or busy < best[1]:
            best = window, busy
        if busy <= RESTING:
            break
    return best


def alternate(variants, rounds, seconds, settle=0.1, cpu=1):
    """One window of each variant in turn, `rounds` times: a Figure for each. All are paused before and after."""
    figures, shares = [Figure([]) for _ in variants], [[] for _ in variants]
    for _ in range(rounds):
        for variant, figure, share in zip(variants, figures, shares):
            program = variant.program
            program.resume()
            try:
                if variant.control:
                    program.page.begin(**variant.control)
                program.window(settle)
                (cycles, sent), busy = calm_window(program, seconds, cpu)
            finally:
                program.pause()
            figure.values.append(cycles)
            figure.busy.append(busy)
            share.append(sent)
    for figure, share in zip(figures, shares):
        figure.sent = min(share)
    return figures


class Table:
    """A Markdown table that grows while the benchmark runs; `remarks` follow it."""

    def __init__(self, title, columns, out=print):
        self.out, self.remarks = out, []
        out(f"\n### {title}\n")
        out("| " + " | ".join(columns) + " |")
        out("|" + "---|" * len(columns))

    def row(self, *cells, io=None, problems=()):
        problems = list(problems)
        if io is not None and io.unrest > QUIET:
            busy = f", the other CPUs {statistics.mean(io.busy):.0%} busy" if io.busy else ""
            problems.append(f"io moved by {io.unrest:.0%} between its windows{busy}")
        mark = ""
        if problems:
            self.remarks.append("; ".join(problems))
            mark = f" [{len(self.remarks)}]"
        self.out("| " + " | ".join(str(cell) for cell in cells) + mark + " |")

    def end(self):
        for number, remark in enumerate(self.remarks, 1):
            self.out(f"\n[{number}] {remark}" if number == 1 else f"[{number}] {remark}")
