"""Medians of alternating windows, and the table they end in."""
import dataclasses
import statistics

# testpmd does the same work in all of its windows: where they differ by more, the machine was not quiet.
QUIET = 0.05


@dataclasses.dataclass
class Figure:
    """Windows of one program, in cycles per packet unless a row says otherwise."""
    values: list

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


def alternate(variants, rounds, seconds, settle=0.1):
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
                cycles, sent = program.window(seconds)
            finally:
                program.pause()
            figure.values.append(cycles)
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
            problems.append(f"io moved by {io.unrest:.0%} between its windows")
        mark = ""
        if problems:
            self.remarks.append("; ".join(problems))
            mark = f" [{len(self.remarks)}]"
        self.out("| " + " | ".join(str(cell) for cell in cells) + mark + " |")

    def end(self):
        for number, remark in enumerate(self.remarks, 1):
            self.out(f"\n[{number}] {remark}" if number == 1 else f"[{number}] {remark}")
