#!/usr/bin/python3
"""One rule more or less in a running firewall with many: how long until all workers use it.

Starts the daemon in a lab of namespaces with as many rules as asked for, measures the load, and then
adds and deletes rules at random places while a ping goes through. Needs root. Nothing is asserted:
the figures are for docs/performance.md.
"""
import argparse
import pathlib
import random
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from lab import ADDRESS4, RAMPARTCTL, Lab, run  # noqa: E402


def chains(count):
    """Networks and ports as a large filter has them."""
    lines = ["chains:", "  forward:", "    policy: drop", "    rules:",
             "      - { id: known, state: established, action: accept }",
             "      - { id: ping, proto: icmp, action: accept }"]
    for n in range(count):
        lines.append(f"      - {{ proto: {('tcp', 'udp')[n % 2]}, src: 10.{n >> 8 & 255}.{n & 255}.0/24, "
                     f"dst: 172.{16 + n % 16}.{n >> 4 & 255}.{n % 251}, dport: {1 + n * 7 % 65000}, "
                     f"action: {('accept', 'drop')[n % 3 == 0]} }}")
    return "\n".join(lines) + "\n"


def measure(count, changes):
    choose = random.Random(count)
    with Lab() as lab:
        text = lab.configuration(chains(count))
        lab.config.write_text(text)
        began = time.monotonic()
        run(RAMPARTCTL, "check", lab.config, timeout=300)
        checked = time.monotonic() - began
        began = time.monotonic()
        lab.start(text)
        started = time.monotonic() - began
        took, ids = {"add": [], "delete": []}, []
        for change in range(changes):
            rule = f"{{ proto: tcp, src: 192.0.2.{change % 250}, dport: {change + 1}, action: drop }}"
            done = lab.ctl_json("rule", "add", "forward", rule, "--at",
                                str(choose.randrange(1, count)))
            took["add"].append(done["took_us"])
            ids.append(done["id"])
        assert lab.ping("inside", ADDRESS4["outside"])
        for identity in ids:
            took["delete"].append(lab.ctl_json("rule", "delete", identity)["took_us"])
        print(f"{count} rules: check {checked:.2f} s, start {started:.2f} s", flush=True)
        for verb, times in took.items():
            print(f"  {verb:<6} median {statistics.median(times) / 1000:.2f} ms, "
                  f"longest {max(times) / 1000:.2f} ms of {len(times)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rules", nargs="*", type=int, default=[1000, 10000, 100000])
    parser.add_argument("--changes", type=int, default=50)
    options = parser.parse_args()
    for count in options.rules:
        measure(count, options.changes)


if __name__ == "__main__":
    main()
