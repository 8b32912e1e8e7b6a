"""Differences with translations that are intended; each names its row in docs/differences.md."""
KNOWN = ()  # of known.Known


def explanation(difference):
    return next((known for known in KNOWN if known.applies(difference)), None)
