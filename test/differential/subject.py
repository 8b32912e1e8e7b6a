"""Rampart's side: the program differential-subject, which answers line by line (subject.cc)."""
import os
import pathlib
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("RAMPART_BUILD", ROOT / "build"))
PROGRAM = BUILD / "test/differential-subject"


class Subject:
    def __init__(self):
        self.process = subprocess.Popen([str(PROGRAM)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def ask(self, lines):
        """Sends commands and yields the answers to all of them."""
        writer = threading.Thread(target=self._write, args=(lines,))
        writer.start()
        for answer in self.process.stdout:
            if answer == ".\n":
                break
            yield answer[:-1]
        else:
            raise RuntimeError(f"{PROGRAM.name} ended: status {self.process.wait()}")
        writer.join()

    def _write(self, lines):
        try:
            self.process.stdin.write("\n".join([*lines, "end", ""]))
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the reader says so

    def configure(self, profile):
        answer = "".join(self.ask(["config", profile.yaml() + "."]))
        if answer != "ok":
            raise RuntimeError(f"profile {profile.name}: {answer}")

    def frames(self, packet_lines):
        """The frames of packet lines, built."""
        built = []
        answers = list(self.ask("build " + line for line in packet_lines))
        for line, answer in zip(packet_lines, answers):
            kind, _, rest = answer.partition(" ")
            if kind != "frame":
                raise ValueError(f"{line}: {rest}")
            built.append(bytes.fromhex(rest))
        return built
