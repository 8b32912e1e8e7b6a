"""Rampart's side: the program differential-subject, which answers line by line (subject.cc)."""
import os
import pathlib
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("RAMPART_BUILD", ROOT / "build"))
PROGRAM = BUILD / "test/differential-subject"
PIPE_BYTES = 16384


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
        text = "\n".join([*lines, "end", ""])
        # What the pipe holds can be written at once; with more, both would wait for each other.
        writer = threading.Thread(target=self._write, args=(text,))
        if len(text) <= PIPE_BYTES:
            self._write(text)
        else:
            writer.start()
        for answer in self.process.stdout:
            if answer == ".\n":
                break
            yield answer[:-1]
        else:
            raise RuntimeError(f"{PROGRAM.name} ended: status {self.process.wait()}")
        if len(text) > PIPE_BYTES:
            writer.join()

    def _write(self, text):
        try:
            self.process.stdin.write(text)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the reader says so

    def configure(self, profile):
        self.configure_text(profile.yaml(), f"profile {profile.name}")

    def configure_text(self, text, name):
        answer = "".join(self.ask(["config", text + "."]))
        if answer != "ok":
            raise RuntimeError(f"{name}: {answer}")

    def set_network(self, lines):
        """Addresses and routes of routed ports; before the first configuration."""
        list(self.ask(["network", *lines, "."]))

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
