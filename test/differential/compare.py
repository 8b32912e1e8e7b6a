"""Holds the two sides' answers against each other.

A router decrements the TTL or hop limit, writes new MAC addresses and drops what pads a frame; a
bridge does not. A router returns what is addressed to the side it came from; a bridge has one way
only. IPv6 fragments get a new identification from Linux when they leave. Exactly that is evened
out, and the IPv4 header checksum with it (it must be right on both sides). Timeouts may differ by
TOLERANCE_S; everything else must be equal.
"""
import dataclasses
import struct

TOLERANCE_S = 2
FRAGMENT_HEADER = 44


@dataclasses.dataclass
class Difference:
    index: int       # of the step
    aspect: str      # "class", "output", "table", or "expectation" of a vector
    kernel: str
    ours: str
    sequence: object = None
    names: object = None
    frame: bytes = b""
    answers: tuple = ()  # kernel's, Rampart's
    history: tuple = ()  # (frame, Rampart's reason) of all steps up to this one


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) & ~1]))
    if len(data) % 2:
        total += data[-1] << 8
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def is_ipv6(frame):
    return frame[12:14] == b"\x86\xdd"


def destination_of(frame):
    return frame[38:54] if is_ipv6(frame) else frame[30:34]


def source_of(frame):
    return frame[22:38] if is_ipv6(frame) else frame[26:30]


def packet_of(frame, hops):
    """The IP packet in a frame, with `hops` taken from its TTL."""
    packet = bytearray(frame[14:])
    if is_ipv6(frame):
        packet[7] -= hops
        if packet[6] == FRAGMENT_HEADER:
            packet[44:48] = bytes(4)
        return bytes(packet[:40 + struct.unpack_from(">H", packet, 4)[0]])
    header = (packet[0] & 15) * 4
    if checksum(packet[:header]) != 0:
        return b"wrong IPv4 checksum: " + bytes(packet)
    packet[8] -= hops
    packet[10:12] = b"\0\0"
    return bytes(packet[:struct.unpack_from(">H", packet, 2)[0]])


def shown_outputs(outputs):
    shown = []
    for side, frame, hops in outputs:
        if source_of(frame) == destination_of(frame):
            side = "somewhere"
        shown.append(f"{side} {packet_of(frame, hops).hex()}")
    return shown


def shown_table(table):
    return "; ".join(f"{line} ({seconds} s)" for line, seconds in sorted(table.items())) or "empty"


def shown_classes(answer):
    return ", ".join(answer.classes) or "none"


def tables_agree(kernel, ours, slack_s=0.0):
    for line in kernel.keys() | ours.keys():
        # An entry in its last second may be gone on one side already.
        if line not in kernel or line not in ours:
            if (kernel.get(line) or ours.get(line) or 0) > slack_s:
                return False
        elif abs(kernel[line] - ours[line]) > TOLERANCE_S + slack_s:
            return False
    return True


def compare_answer(index, kernel, ours):
    if kernel.classes != ours.classes:
        return Difference(index, "class", shown_classes(kernel), shown_classes(ours))
    kernel_outputs, our_outputs = shown_outputs(kernel.outputs), shown_outputs(ours.outputs)
    if kernel_outputs != our_outputs:
        return Difference(index, "output", "; ".join(kernel_outputs) or "dropped",
                          "; ".join(our_outputs) or f"dropped ({ours.reason})")
    if not tables_agree(kernel.table, ours.table, kernel.slack_s):
        return Difference(index, "table", shown_table(kernel.table), shown_table(ours.table))
    return None


def differences(result):
    """All of them in order; usually only the first says something."""
    played = result.played
    for index, (step, theirs, mine) in enumerate(zip(played.steps, result.kernel, result.ours)):
        if theirs is None:
            continue
        found = compare_answer(index, theirs, mine)
        if found:
            found.sequence, found.names = played.sequence, played.names
            found.frame, found.answers = step.frame, (theirs, mine)
            found.history = tuple(
                (past.frame, answer.reason)
                for past, answer in zip(played.steps[:index + 1], result.ours) if answer)
            yield found


# -- what a vector expects -----------------------------------------------------------------------

def unmet(sequence, answers, with_times):
    """(step, sentence) of the first expectation of a vector that the answers do not meet. Seconds
    are looked at only `with_times`: where time does not pass by itself."""
    for index, (answer, expected) in enumerate(zip(answers, sequence.expectations)):
        if answer is None or not expected:
            continue
        ct_class, *entry = expected
        if ct_class and not shown_classes(answer).startswith(ct_class):
            return index, f"expected class {ct_class}, got {shown_classes(answer)}"
        if entry and entry[0] and not table_meets(answer.table, entry[0], with_times):
            return index, f"expected entry {entry[0]}, got {shown_table(answer.table)}"
    return None


def table_meets(table, expected, with_times):
    """`expected`: "none", "2 entries", or words of an entry: state, seconds, unreplied, assured."""
    if expected == "none":
        return not table
    count, _, rest = expected.partition(" ")
    if rest == "entries":
        return len(table) == int(count)
    words = [word for word in expected.split() if with_times or not word.isdigit()]
    return any(entry_meets(line, seconds, words) for line, seconds in table.items())


def entry_meets(line, seconds, words):
    for word in words:
        if word.isdigit():
            if abs(seconds - int(word)) > 1:
                return False
        elif word in ("unreplied", "assured"):
            if f"[{word.upper()}]" not in line:
                return False
        elif word == "replied":
            if "[UNREPLIED]" in line:
                return False
        elif word not in line:
            return False
    return True
