"""A thread of another process that hangs, made by ptrace(2) alone: nothing in the process is prepared for it.

    with HaltedThread(pid, tid): ...        it does not run
    with SpinningThread(pid, tid): ...      it runs in a loop of one instruction (x86-64)
"""
import ctypes
import os
import pathlib
import platform
import time

PEEKTEXT, POKETEXT, GETREGS, DETACH, SEIZE, INTERRUPT = 1, 4, 12, 17, 0x4206, 0x4207
WALL = 0x40000000
JUMP_TO_ITSELF = 0xFEEB
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.restype = ctypes.c_long
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, tid, address=0, data=0):
    ctypes.set_errno(0)
    result = LIBC.ptrace(request, tid, address, data)
    if result == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result & 0xFFFFFFFFFFFFFFFF


def threads(pid):
    """{thread id: name}"""
    return {int(task.name): (task / "comm").read_text().strip()
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}


class HaltedThread:
    def __init__(self, pid, tid):
        self.pid, self.tid = pid, tid

    def seize(self):
        ptrace(SEIZE, self.tid)
        ptrace(INTERRUPT, self.tid)
        os.waitpid(self.tid, WALL)

    def __enter__(self):
        self.seize()
        return self

    def __exit__(self, *_):
        ptrace(DETACH, self.tid)


class SpinningThread(HaltedThread):
    is_possible = platform.machine() == "x86_64"

    def own_code(self):
        """Where the program itself is, not a library that other threads use as well."""
        program = os.readlink(f"/proc/{self.pid}/exe")
        for line in pathlib.Path(f"/proc/{self.pid}/maps").read_text().splitlines():
            if line.endswith(program) and " r-xp " in line:
                first, last = line.split()[0].split("-")
                return range(int(first, 16), int(last, 16))
        raise RuntimeError("no code")

    def instruction(self):
        registers = (ctypes.c_ulonglong * 27)()
        ptrace(GETREGS, self.tid, 0, ctypes.addressof(registers))
        return registers[16]

    def __enter__(self):
        code = self.own_code()
        for _ in range(1000):
            self.seize()
            self.address = self.instruction()
            if self.address in code:
                break
            ptrace(DETACH, self.tid)
            time.sleep(0.001)
        else:
            raise RuntimeError("the thread is never in the program's own code")
        self.word = ptrace(PEEKTEXT, self.tid, self.address)
        ptrace(POKETEXT, self.tid, self.address, self.word & ~0xFFFF | JUMP_TO_ITSELF)
        ptrace(DETACH, self.tid)
        return self

    def __exit__(self, *_):
        self.seize()
        ptrace(POKETEXT, self.tid, self.address, self.word)
        ptrace(DETACH, self.tid)
