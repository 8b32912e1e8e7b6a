"""Differences that are intended. Each names the section of docs/differences.md that gives the reason."""


def explanation(difference):
    """The reason why the two sides may differ so; None: there is none."""
    return None
