"""A difference, for people to read: the sequence up to it, and what each side said."""


def show(sequence, difference):
    lines = [f"FAIL {sequence.name} (profile {sequence.profile})"]
    if sequence.why:
        lines.append(f"    {sequence.why}")
    for index, step in enumerate(sequence.steps[:difference.step + 1]):
        mark = "-->" if index == difference.step else "   "
        lines.append(f"    {mark} {step}")
    restore = difference.names.restore
    lines.append(f"    {difference.aspect}")
    lines.append(f"        kernel:  {restore(difference.kernel)}")
    lines.append(f"        rampart: {restore(difference.ours)}")
    return "\n".join(lines)
