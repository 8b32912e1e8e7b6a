"""Measures rampartd beside testpmd io on the same packets and core. Run by scripts/bench.sh.

Each row is a part; `quick` is the first ones only. Method: docs/benchmarking.md.
"""
import argparse
import dataclasses
import os
import pathlib
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test/e2e"), str(ROOT / "test/bench/pattern")]
import capacity  # noqa: E402
import connections  # noqa: E402
import established  # noqa: E402
import features  # noqa: E402
import peers  # noqa: E402
from lab import RAMPARTD, release_hugepages, reserve_hugepages  # noqa: E402
from programs import CannotMeasure  # noqa: E402

HUGEPAGES = 1536


@dataclasses.dataclass
class Setup:
    """What every part needs."""
    plugin: str
    directory: pathlib.Path
    seconds: float
    out: object


def first_match(pattern, text, otherwise="unknown"):
    found = re.search(pattern, text, re.M)
    return found[1] if found else otherwise


def output(*words):
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT).stdout.strip()


def machine():
    """The machine in a few lines; figures without it mean nothing."""
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    siblings = pathlib.Path("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list")
    shared = siblings.read_text().strip() if siblings.exists() else "0"
    return (f"{os.cpu_count()} CPUs {first_match(r'^model name.*: (.*)', cpuinfo)}"
            f"{', virtual' if ' hypervisor' in cpuinfo else ''}, CPU 0 shares its core with CPUs {shared}; "
            f"load {os.getloadavg()[0]:.1f} at the start\n"
            f"kernel {platform.release()}, DPDK {output('pkg-config', '--modversion', 'libdpdk')}, rampartd "
            f"{output(RAMPARTD, '--version')} at {output('git', 'describe', '--always', '--dirty')}, "
            f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC")


def build_plugin():
    done = subprocess.run([ROOT / "test/bench/pattern/build.sh"], capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotMeasure(done.stderr.strip())
    plugin = done.stdout.strip()
    # EAL loads no plugin from a folder that others can write to, or below one.
    for folder in pathlib.Path(plugin).parents:
        if folder.stat().st_mode & 0o002:
            raise CannotMeasure(f"{folder} is writable for everybody, and DPDK loads no plugin below such a folder\n"
                                "    hint: run from another folder")
    return plugin


# Each with how often it repeats its windows.
QUICK = {"established": (established.measure, 5)}
PEERS = {"peers": (peers.measure, 5)}
PARTS = {
    "established": (established.measure, 9),
    "new-flows": (connections.measure_new, 9),
    "connections": (connections.measure_connections, 7),
    "memory": (capacity.measure_memory, 1),
    "many-flows": (capacity.measure_many, 7),
    "ageing": (capacity.measure_ageing, 4),
    "flood": (connections.measure_flood, 5),
    "reload": (features.measure_reloads, 4),
    "workers": (features.measure_workers, 9),
    "features": (features.measure_features, 9),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", default=[],
                        help=f"quick, peers, or some of {', '.join(PARTS)}; default: all of them")
    parser.add_argument("--seconds", type=float, default=0.25, help="length of one window")
    options = parser.parse_args()
    sets = {"quick": QUICK, "peers": PEERS}
    parts = (sets[options.what[0]] if len(options.what) == 1 and options.what[0] in sets else
             {name: PARTS.get(name) for name in options.what or PARTS})
    if None in parts.values():
        parser.error(f"the parts are {', '.join(PARTS)}")
    if os.geteuid() != 0:
        sys.exit("bench: needs root, for hugepages and priorities")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended from outside"))  # what it started ends, too
    begun, added = time.monotonic(), reserve_hugepages(HUGEPAGES)
    try:
        setup = None
        # In memory: a guest's disk is played by its host, which may take the worker's CPU for that.
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        with tempfile.TemporaryDirectory(prefix="rampart-bench-", dir=memory) as directory:
            setup = Setup(build_plugin(), pathlib.Path(directory), options.seconds,
                          lambda line: print(line, flush=True))
            print(machine())
            for part, rounds in parts.values():
                part(setup, rounds)
        print(f"\nmeasured in {time.monotonic() - begun:.0f} s; load {os.getloadavg()[0]:.1f} at the end")
    except CannotMeasure as reason:
        sys.exit(f"bench: cannot measure: {reason}")
    finally:
        release_hugepages(added)


if __name__ == "__main__":
    main()
