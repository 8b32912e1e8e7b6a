"""A difference, for people to read: the sequence up to it, and what each side said."""
from compare import compare_answer, shown_classes, shown_table


def show(sequence, difference):
    lines = [f"FAIL {sequence.name} (profile {sequence.profile})"]
    if sequence.why:
        lines.append(f"    {sequence.why}")
    for index, step in enumerate(sequence.steps[:difference.index + 1]):
        mark = "-->" if index == difference.index else "   "
        lines.append(f"    {mark} {step}")
    restore = difference.names.restore
    lines.append(f"    {difference.aspect}")
    lines.append(f"        kernel:  {restore(difference.kernel)}")
    lines.append(f"        rampart: {restore(difference.ours)}")
    return "\n".join(lines)


def show_answers(result):
    """Every step with both answers."""
    lines, played = [], result.played
    for index, (step, theirs, mine) in enumerate(zip(played.steps, result.kernel, result.ours)):
        lines.append(step.line)
        if theirs is None:
            continue
        told = [("kernel", theirs), ("rampart", mine)]
        if compare_answer(index, theirs, mine) is None:
            told = [("both", theirs)]
        for side, answer in told:
            came_out = " ".join(port for port, *_ in answer.outputs) or f"dropped {answer.reason}"
            lines.append(f"    {side:<8} {shown_classes(answer)} | {came_out} | "
                         + played.names.restore(shown_table(answer.table)))
    return "\n".join(lines)
