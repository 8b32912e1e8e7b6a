#!/usr/bin/python3
"""The guest's end of the test's wire: runs commands, one at a time, and answers with what they said.

One JSON object per line in both directions, over a virtio port: {"words": [...], "timeout": seconds}
is answered by {"status": n, "out": "...", "err": "..."}. A command that shall go on says so itself
(`setsid ... &`) with its output elsewhere.
"""
import json
import os
import subprocess
import time


def open_port():
    while True:
        for name in os.listdir("/dev"):
            if name.startswith("vport"):
                return open(f"/dev/{name}", "r+b", buffering=0)
        time.sleep(0.02)


def answer(request):
    try:
        done = subprocess.run(request["words"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=request.get("timeout", 60))
        status, out, err = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        status, out, err = 124, late.stdout or b"", (late.stderr or b"") + b"\nit took too long\n"
    except OSError as error:
        status, out, err = 127, b"", str(error).encode()
    return {"status": status, "out": out.decode(errors="replace"),
            "err": err.decode(errors="replace")}


def main():
    port = open_port()

    def say(value):
        data = json.dumps(value).encode() + b"\n"
        while data:
            data = data[port.write(data):]

    say({"ready": True})
    pending = b""
    while True:
        chunk = port.read(65536)
        if not chunk:  # nobody listens any more
            time.sleep(0.05)
            continue
        pending += chunk
        while b"\n" in pending:
            line, pending = pending.split(b"\n", 1)
            say(answer(json.loads(line)))


if __name__ == "__main__":
    main()
