"""What the runners here share: when they are skipped, and the two sides, ready to be played."""
import os
import shutil
import subprocess
import sys

from kernel import MARKER, Kernel, Unavailable
from subject import PROGRAM, Subject


def skip(why):
    print(f"skipped: {why}")
    print("0 passed, 0 failed, 1 skipped")
    return 0


def with_both_sides(play, *, tools=(), programs=(PROGRAM,), make_kernel=Kernel):
    """The exit status of play(kernel, subject), or of what is missing."""
    if os.geteuid() != 0:
        return skip("network namespaces need root")
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        return skip(f"not installed: {', '.join(missing)}")
    for program in programs:
        if not program.exists():
            print(f"{program} is missing: ninja -C build", file=sys.stderr)
            return 2
    with Subject() as subject:
        [marker] = subject.frames([MARKER])
        try:
            with make_kernel(marker) as kernel:
                return play(kernel, subject)
        except Unavailable as why:
            return skip(f"the kernel's side cannot be set up: {why}")
        except subprocess.CalledProcessError as error:
            print(f"{' '.join(error.cmd)}: {error.stderr}", file=sys.stderr)
            return 1
