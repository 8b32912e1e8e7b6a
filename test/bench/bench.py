"""Cycles per packet of testpmd io and of rampartd, side by side. Run by scripts/bench.sh.

Both programs move the same 60-byte packets from net_pcap (infinite_rx) to net_null (no-rx) on one
worker core in bursts of 64; the clock is the worker thread's own CPU time, so that whatever else the
machine does counts against neither. Flows are played in both directions, in random order.
"""
import argparse
import json
import os
import pathlib
import random
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/e2e"))
from lab import RAMPARTCTL, RAMPARTD, release_hugepages, reserve_hugepages, wait_until  # noqa: E402

CONTROL_CPU, WORKER_CPU = 0, 1
PACKETS_AT_LEAST = 4096

RULES = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: invalid, state: invalid, action: drop }
      - { id: established, state: [established, related], action: accept }
      - { id: ping-out, in: inside, proto: icmp, icmp: echo-request, state: new, action: accept }
      - { id: ping6-out, in: inside, proto: icmpv6, icmpv6: echo-request, state: new, action: accept }
      - { id: ssh-in, in: outside, proto: tcp, dport: 22, state: new, action: accept }
      - { id: dns-out, in: inside, proto: udp, dport: 53, state: new, action: accept }
      - { id: web-out, in: inside, proto: tcp, dport: 80, state: new, action: accept }
"""


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(proto, flow, reply):
    """60 bytes: one packet of the given flow and direction, with good checksums."""
    client = struct.pack("!I", 0x0a000000 + flow % 16384)
    server = struct.pack("!I", 0xc0a80000 + flow % 251)
    ports = (1024 + flow // 16384, 80 if proto == "tcp" else 53)
    source, destination, sport, dport = client, server, *ports
    if reply:
        source, destination, sport, dport = server, client, ports[1], ports[0]
    if proto == "tcp":
        number, body = 6, struct.pack("!HHIIBBHHH", sport, dport, 1000, 1000, 0x50, 0x10, 65000, 0, 0)
    else:
        number, body = 17, struct.pack("!HHHH", sport, dport, 26, 0) + bytes(18)
    pseudo = source + destination + struct.pack("!BBH", 0, number, len(body))
    at = 16 if proto == "tcp" else 6
    body = body[:at] + struct.pack("!H", checksum(pseudo + body)) + body[at + 2:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, number, 0, source,
                         destination)
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    ethernet = bytes.fromhex("020000000002" "020000000001" "0800")
    return (ethernet + header + body).ljust(60, b"\0")


def write_pcap(path, proto, flows):
    order = [(flow, reply) for flow in range(flows) for reply in (False, True)]
    order *= max(1, PACKETS_AT_LEAST // len(order))
    head = len(order) if flows == 1 else 0  # with one flow, request and reply simply alternate
    shuffled = order[head:]
    random.Random(1).shuffle(shuffled)
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        # Every flow is opened by its client before anything else is heard of it.
        opening = [(flow, False) for flow in range(flows)] if flows > 1 else []
        for flow, reply in opening + order[:head] + shuffled:
            data = frame(proto, flow, reply)
            out.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)
    return len(opening) + len(order)


def busiest_thread(pid, seconds=0.3):
    def times():
        return {t: int(pathlib.Path(f"/proc/{pid}/task/{t}/schedstat").read_text().split()[0])
                for t in os.listdir(f"/proc/{pid}/task")}
    before = times()
    time.sleep(seconds)
    return max((now - before.get(t, 0), t) for t, now in times().items())[1]


def tsc_hz():
    for line in subprocess.run(["dmesg"], capture_output=True, text=True).stdout.splitlines():
        found = re.search(r"tsc: Detected ([\d.]+) MHz", line)
        if found:
            return float(found[1]) * 1e6
    mhz = re.search(r"cpu MHz\s*: ([\d.]+)", pathlib.Path("/proc/cpuinfo").read_text())
    return float(mhz[1]) * 1e6


class Device:
    """A running program that moves packets; measure() is cycles per packet of its worker."""

    def measure(self, seconds):
        thread = busiest_thread(self.process.pid)
        stat = pathlib.Path(f"/proc/{self.process.pid}/task/{thread}/schedstat")
        packets, cpu = self.packets(), int(stat.read_text().split()[0])
        time.sleep(seconds)
        packets, cpu = self.packets() - packets, int(stat.read_text().split()[0]) - cpu
        return cpu / 1e9 * tsc_hz() / packets


class Testpmd(Device):
    def __init__(self, pcap, mbufs, directory):
        self.process = subprocess.Popen(
            ["stdbuf", "-oL", "dpdk-testpmd", "-l", f"{CONTROL_CPU},{WORKER_CPU}", "--main-lcore", str(CONTROL_CPU),
             "--no-pci", "--in-memory", "--no-telemetry", "--vdev",
             f"net_pcap0,rx_pcap={pcap},infinite_rx=1", "--vdev", "net_null0,no-rx=1", "--", "-i",
             "--forward-mode=io", "--nb-cores=1", "--burst=64", f"--total-num-mbufs={mbufs}",
             "--no-mlockall"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.ask("start")
        time.sleep(0.5)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def packets(self):
        self.ask("show port stats 1")
        for line in self.process.stdout:
            found = re.search(r"TX-packets: (\d+)", line)
            if found:
                return int(found[1])
        raise RuntimeError("testpmd ended")

    def close(self):
        self.ask("quit")
        self.process.wait(30)


class Rampart(Device):
    def __init__(self, pcap, mbufs, directory):
        config, self.socket = directory / "bench.yaml", directory / "bench.sock"
        config.write_text(
            "version: 1\ninterfaces:\n"
            f'  inside: {{ device: "vdev:net_pcap0,rx_pcap={pcap},infinite_rx=1", bridge: outside }}\n'
            '  outside: { device: "vdev:net_null0,no-rx=1", bridge: inside }\n'
            f"cores: {{ control: {CONTROL_CPU}, workers: [{WORKER_CPU}] }}\n"
            f"memory: {{ hugepages: always, mbufs: {mbufs} }}\n" + RULES)
        self.log = (directory / "rampartd.log").open("w+")
        self.process = subprocess.Popen(
            [str(RAMPARTD), "--config", str(config), "--socket", str(self.socket), "--state",
             str(directory / "state")],
            stdout=self.log, stderr=self.log)
        if not wait_until(lambda: self.process.poll() is not None or
                          self.ctl("status", check=False).returncode == 0, 30) or \
                self.process.poll() is not None:
            self.log.seek(0)
            raise RuntimeError("rampartd did not start:\n" + self.log.read())
        time.sleep(1.5)

    def ctl(self, *words, check=True):
        return subprocess.run([str(RAMPARTCTL), "--socket", str(self.socket), *words], check=check,
                              capture_output=True, text=True)

    def packets(self):
        counters = json.loads(self.ctl("stats", "--json").stdout)
        return counters["forwarded"]

    def entries(self):
        return int(self.ctl("conntrack", "-C").stdout)

    def lost(self):
        drops = json.loads(self.ctl("drops", "--json").stdout)["drops"]
        return {d["reason"]: d["packets"] for d in drops if d["packets"]}

    def close(self):
        self.process.terminate()
        self.process.wait(30)


def compare(proto, flows, options, directory):
    pcap = directory / f"{proto}-{flows}.pcap"
    count = write_pcap(pcap, proto, flows)
    mbufs = count + 16384
    io, ours, note = [], [], ""
    for _ in range(options.repetitions):
        for kind, figures in ((Testpmd, io), (Rampart, ours)):
            device = kind(pcap, mbufs, directory)
            try:
                figures.append(device.measure(options.seconds))
                if kind is Rampart and (device.entries() != flows or device.lost()):
                    note = f"  {device.entries()} entries, drops {device.lost()}"
            finally:
                device.close()
    a, b = statistics.median(io), statistics.median(ours)
    print(f"{proto:<5}{flows:>8}{a:>9.1f} ({min(io):.0f}..{max(io):.0f}){b:>10.1f} "
          f"({min(ours):.0f}..{max(ours):.0f}){b - a:>10.1f}{b / a:>8.2f}{note}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--flows", default="1,4096,65536")
    options = parser.parse_args()
    added = reserve_hugepages(768)
    print("cycles per packet, medians (min..max)\nproto   flows        testpmd io"
          "           rampartd      above io   ratio")
    try:
        with tempfile.TemporaryDirectory(prefix="rampart-bench-") as directory:
            for proto in ("udp", "tcp"):
                for flows in options.flows.split(","):
                    compare(proto, int(flows), options, pathlib.Path(directory))
    finally:
        release_hugepages(added)


if __name__ == "__main__":
    main()
