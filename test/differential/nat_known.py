"""Differences with translations that are intended; each names its row in docs/differences.md."""
from emitted import ICMP, ICMPV6, layout_of, quoted_at
from known import Known


def is_own_about_invalid(difference):
    """The box complains about a packet that is INVALID, though a flow has its addresses."""
    mine = difference.answers[1]
    return difference.aspect == "output" and mine.has_answered and mine.classes == ["invalid -"]


def is_echo_of_taken_identifier(difference):
    """Linux changes an identifier before routing and calls the flow `dnat`, which rules let in."""
    theirs, mine = difference.answers
    layout = layout_of(mine.sent[14:])
    return layout.protocol in (ICMP, ICMPV6) and theirs.classes == mine.classes == \
        ["new original"] and mine.reason == "policy" and bool(theirs.outputs)


def quotes_itself(difference):
    """An error about a packet from an address to the same one."""
    packet = difference.answers[1].sent[14:]
    at = quoted_at(packet, layout_of(packet))
    quoted = at and layout_of(packet, at)
    if not quoted or difference.answers[1].reason != "icmp_unrelated":
        return False
    source, destination = (packet[offset:offset + quoted.width] for offset in quoted.addresses)
    return source == destination


KNOWN = (
    Known("the box's own errors about INVALID packets", is_own_about_invalid),
    Known("an echo whose identifier is taken", is_echo_of_taken_identifier),
    Known("ICMP errors about flows that translation has talk to themselves", quotes_itself),
)


def explanation(difference):
    return next((known for known in KNOWN if known.applies(difference)), None)
