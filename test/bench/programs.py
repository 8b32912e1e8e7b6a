"""The programs that the benchmarks measure, each with net_pattern's two ports on one worker core.

Several may be up at a time: all but the one that is measured are stopped (SIGSTOP), so that
alternating costs no start. `resume` and `pause` switch; times are of the worker's own CPU clock.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test/e2e"), str(ROOT / "test/bench/pattern")]
import page as pattern  # noqa: E402
from lab import RAMPARTCTL, RAMPARTD, wait_until  # noqa: E402

CONTROL_CPU, WORKER_CPU = 0, 1
BURST = 64
# Flows live as long as a benchmark does; those of UDP would be gone while others open.
LASTING = "timeouts: { udp: 1h, udp_stream: 1h, tcp_syn_recv: 1h }"

DEMO_RULES = """\
      - { id: invalid, state: invalid, action: drop }
      - { id: established, state: [established, related], action: accept }
      - { id: ping-out, in: inside, proto: icmp, icmp: echo-request, state: new, action: accept }
      - { id: ping6-out, in: inside, proto: icmpv6, icmpv6: echo-request, state: new, action: accept }
      - { id: ssh-in, in: outside, proto: tcp, dport: 22, state: new, action: accept }
      - { id: dns-out, in: inside, proto: udp, dport: 53, state: new, action: accept }
      - { id: web-out, in: inside, proto: tcp, dport: 80, state: new, action: accept }
"""


def flows_name(flows):
    if flows >= 1 << 20:
        return f"{flows / (1 << 20):.4g} M"
    return f"{flows >> 10} k" if flows >= 1024 else str(flows)


class CannotMeasure(Exception):
    """Something that the measurement needs is missing; the message says what."""


class Program:
    """`page` says what its ports play. Subclasses start `self.process`."""
    count = 0
    namespace = None

    def __init__(self, directory):
        Program.count += 1
        self.page = pattern.Page(f"rampart-bench-{os.getpid()}-{Program.count}")
        self.log_path = directory / f"{type(self).__name__}-{Program.count}.log"
        self.log = self.log_path.open("w+")

    def start(self, words, **options):
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        self.process = subprocess.Popen([*inside, "nice", "-n", "-20", *map(str, words)], stdout=self.log,
                                        stderr=subprocess.STDOUT, **options)

    def wait_for_polls(self, seconds=60):
        """Until the worker polls the ports, for a second at least."""
        self.page.begin(mode=pattern.IDLE)
        if not wait_until(lambda: self.process.poll() is not None or
                          self.page.figures(0)["mark_version"] != 0, seconds) or self.process.poll() is not None:
            self.close()
            raise CannotMeasure(f"{type(self).__name__} did not start:\n" +
                                "".join(self.log_path.read_text().splitlines(True)[-15:]))

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def idle(self):
        self.page.begin(mode=pattern.IDLE, budget=0, rate=0, flood=0)
        self.page.mark()

    def establish(self, flows, seconds=120, open_from=0, **control):
        """Opens flows from `open_from` up to that number and then plays all at random, both directions."""
        self.idle()
        self.page.stage = 0
        self.page.begin(mode=pattern.ESTABLISHED, flows=flows, open_from=open_from, **control)
        if not wait_until(lambda: self.page.stage == pattern.STEADY, seconds, 0.01):
            raise CannotMeasure(f"{type(self).__name__} stays in stage {self.page.stage}: its ports are not polled")

    def window(self, seconds, queue=0):
        """Cycles of the worker's CPU time per packet that it received, and the share it sent on."""
        first = self.page.mark(queue)
        time.sleep(seconds)
        last = self.page.mark(queue)
        cpu, tsc, received, sent = (b - a for a, b in zip(first, last))
        if received == 0:
            raise CannotMeasure(f"{type(self).__name__} receives nothing")
        return cpu * self.page.tsc_hz / 1e9 / received, sent / received

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return sum(int(re.search(rf"{key}:\s+(\d+)", status)[1]) for key in ("VmRSS", "HugetlbPages")) * 1024

    def preemptions(self):
        """How often the workers' CPUs were given to other programs against their will."""
        switches = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if (task / "comm").read_text().startswith("rte-worker"):
                status = (task / "status").read_text()
                switches += int(re.search(r"nonvoluntary_ctxt_switches:\s+(\d+)", status)[1])
        return switches

    def close(self):
        try:
            if self.process.poll() is None:
                self.resume()
                self.process.terminate()
                try:
                    self.process.wait(30)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
        finally:
            self.log.close()
            self.page.close()


class Testpmd(Program):
    """DPDK's own forwarder, which looks at nothing: what the ports themselves cost."""

    def __init__(self, plugin, directory, workers=1, control=CONTROL_CPU, cpus=(WORKER_CPU,)):
        super().__init__(directory)
        lcores = f"0@{control}," + ",".join(f"{i + 1}@{cpu}" for i, cpu in enumerate(cpus))
        devices = [word for device in self.page.devices() for word in ("--vdev", device)]
        self.start(["dpdk-testpmd", "--lcores", lcores, "--main-lcore", "0", "--no-pci", "--in-memory",
                    "--no-telemetry", "-m", "128", "-d", plugin, *devices, "--", "-i", "--forward-mode=io",
                    f"--nb-cores={workers}", f"--rxq={workers}", f"--txq={workers}", "--auto-start",
                    f"--burst={BURST}", "--total-num-mbufs=16384", "--no-mlockall"],
                   stdin=subprocess.PIPE)
        self.wait_for_polls()

    def close(self):
        if self.process.poll() is None:
            self.resume()
            try:
                self.process.stdin.write(b"quit\n")
                self.process.stdin.close()
                self.process.wait(10)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                pass
        super().close()


class Rampart(Program):
    """rampartd; `rules` are those of chain forward, `interface` what its two ports say."""

    def __init__(self, plugin, directory, flows=262144, rules=DEMO_RULES, conntrack=LASTING, nat="",
                 interface=('bridge: outside', 'bridge: inside'), cpus=(WORKER_CPU,), control=CONTROL_CPU,
                 policy="drop", more="", namespace=None):
        super().__init__(directory)
        self.namespace = namespace
        self.config, self.socket = directory / f"bench-{self.count}.yaml", directory / f"bench-{self.count}.sock"
        client, server = self.page.devices()
        # A new program asks those before it whether they live by connecting to their telemetry: stopped ones keep it waiting.
        self.text = (
            f'version: 1\ninterfaces:\n  inside: {{ device: "vdev:{client}", {interface[0]} }}\n'
            f'  outside: {{ device: "vdev:{server}", {interface[1]} }}\n'
            f"cores: {{ control: {control}, workers: [{', '.join(map(str, cpus))}] }}\n"
            f"memory: {{ hugepages: always }}\neal: [-d, {plugin}, --no-telemetry]\n"
            f"conntrack: {{ max: {flows}, {conntrack} }}\n{more}{nat}"
            f"chains:\n  forward:\n    policy: {policy}\n    rules:\n")
        self.config.write_text(self.text + rules)
        self.start([RAMPARTD, "--config", self.config, "--socket", self.socket, "--state",
                    directory / f"state-{self.count}"])
        self.wait_for_polls(120)
        self.lost_before = self.drops()

    def ctl(self, *words, check=True, timeout=120):
        # As with isolated CPUs: what is not the worker stays off its CPU.
        return subprocess.run(["taskset", "-c", str(CONTROL_CPU), RAMPARTCTL, "--socket", self.socket, *map(str, words)],
                              check=check, capture_output=True, text=True, timeout=timeout)

    def entries(self):
        return int(self.ctl("conntrack", "-C").stdout)

    def drops(self):
        drops = json.loads(self.ctl("drops", "--json").stdout)["drops"]
        return {d["reason"]: d["packets"] for d in drops if d["packets"]}

    def lost(self):
        """Drops by reason since the last call."""
        now = self.drops()
        lost = {reason: n - self.lost_before.get(reason, 0) for reason, n in now.items()}
        self.lost_before = now
        return {reason: n for reason, n in lost.items() if n}
