"""Differences with translations that are intended; each names its row in docs/differences.md."""
from emitted import ICMP, ICMPV6, TCP, layout_of, quoted_at
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


def payloads(difference):
    """Of the kernel's packet, Rampart's, and of what was sent; only for TCP."""
    theirs, mine = difference.answers
    frames = [answer.outputs[0][1] for answer in (theirs, mine) if answer.outputs] + [mine.sent]
    packets = [frame[14:] for frame in frames]
    if len(packets) != 3 or any(layout_of(packet).protocol != TCP for packet in packets):
        return None
    return [packet[at + (packet[at + 12] >> 4) * 4:] for packet in packets
            for at in (layout_of(packet).transport,)]


def writes_short_address(difference):
    found = payloads(difference)
    return bool(found) and found[2].startswith(b"EPRT |2|") and \
        found[0].count(b":") == 7 and len(found[1]) < len(found[0])


def is_copy_of_announcement(difference):
    """Linux reads only what is new to it, and lets a late copy pass as it is."""
    found = payloads(difference)
    return bool(found) and found[0] == found[2] != found[1] and \
        found[2][:4].upper() in (b"PORT", b"EPRT", b"227 ", b"229 ")


def is_disconnect_notify(difference):
    found = payloads(difference)
    return bool(found) and all(text[4:10] == bytes.fromhex("1a2b3c4d000d") for text in found) and \
        found[1] == found[2]


KNOWN = (
    Known("IPv6 addresses that the FTP helper writes", writes_short_address),
    Known("a late copy of an FTP announcement", is_copy_of_announcement),
    Known("PPTP's Call-Disconnect-Notify", is_disconnect_notify, goes_on=True),
    Known("the box's own errors about INVALID packets", is_own_about_invalid),
    Known("an echo whose identifier is taken", is_echo_of_taken_identifier),
    Known("ICMP errors about flows that translation has talk to themselves", quotes_itself),
)


def explanation(difference):
    return next((known for known in KNOWN if known.applies(difference)), None)
