"""A lab of real hosts: network namespaces joined only by rampartd.

    inside host  --- TAP or veth ---  rampartd (its own namespace)  --- TAP or veth ---  outside host
    10.77.0.1/24, fd77::1/64                                            10.77.0.2/24, fd77::2/64

Everything the lab makes has the process id in its name and is removed by close(): processes by pid,
namespaces by name, the hugepages it reserved, its directory.
"""
import ipaddress
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("RAMPART_BUILD", ROOT / "build"))
RAMPARTD = BUILD / "app/rampartd/rampartd"
RAMPARTCTL = BUILD / "app/rampartctl/rampartctl"
HUGEPAGES = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")

SIDES = ("inside", "outside")
ADDRESS4 = {"inside": "10.77.0.1", "outside": "10.77.0.2"}
ADDRESS6 = {"inside": "fd77::1", "outside": "fd77::2"}


def run(*words, check=True, timeout=60, **options):
    """Runs a command and returns its CompletedProcess with text output."""
    return subprocess.run([str(w) for w in words], check=check, timeout=timeout, text=True,
                          capture_output=True, **options)


def reserve_hugepages(count):
    """Tries to have `count` free 2 MB pages; returns how many it added (to give back)."""
    try:
        had = int(HUGEPAGES.read_text())
        free = int(HUGEPAGES.with_name("free_hugepages").read_text())
        if free < count:
            HUGEPAGES.write_text(str(had + count - free))
        return int(HUGEPAGES.read_text()) - had
    except OSError:
        return 0


def release_hugepages(count):
    if count > 0:
        HUGEPAGES.write_text(str(max(0, int(HUGEPAGES.read_text()) - count)))


def wait_until(condition, seconds, step=0.05):
    """Polls `condition` until it is true; returns whether it ever was."""
    end = time.monotonic() + seconds
    while True:
        if condition():
            return True
        if time.monotonic() > end:
            return False
        time.sleep(step)


class Lab:
    def __init__(self, driver="net_tap", workers=1, hugepages="auto", idle="sleep"):
        self.driver, self.workers, self.hugepages, self.idle = driver, workers, hugepages, idle
        self.tag = f"rp{os.getpid()}"
        self.names = {side: f"{self.tag}-{side}" for side in SIDES}
        self.names["firewall"] = f"{self.tag}-fw"
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="rampart-lab-"))
        self.socket = self.directory / "rampart.sock"
        self.config = self.directory / "rampart.yaml"
        self.log = self.directory / "rampartd.log"
        self.state = self.directory / "state"
        self.daemon = None
        self.processes = []
        self.hugepages_added = 0

    # -- building and taking down ----------------------------------------------------------------

    def __enter__(self):
        try:
            return self.open()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    def open(self):
        if self.hugepages != "never":
            self.hugepages_added = reserve_hugepages(256)
        for name in self.names.values():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        if self.driver != "net_tap":
            for side in SIDES:
                self._make_veth(side)
        return self

    def _make_veth(self, side):
        firewall = self.names["firewall"]
        run("ip", "-n", firewall, "link", "add", f"fw-{side}", "type", "veth", "peer", "name",
            "eth0", "netns", self.names[side], "numrxqueues", "1", "numtxqueues", "1")
        run("ip", "-n", firewall, "link", "set", f"fw-{side}", "up")
        # Frames reach a user-space port as they are: the sender must finish its checksums itself.
        self.host(side, "ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off",
                  check=False)
        self._address_host(side)

    def _address_host(self, side):
        name = self.names[side]
        run("ip", "-n", name, "addr", "add", ADDRESS4[side] + "/24", "dev", "eth0")
        run("ip", "-n", name, "-6", "addr", "add", ADDRESS6[side] + "/64", "dev", "eth0", "nodad")
        run("ip", "-n", name, "link", "set", "eth0", "up")

    def device(self, side):
        number = SIDES.index(side)
        if self.driver == "net_tap":
            return f"vdev:net_tap{number},iface=fw-{side}"
        if self.driver == "net_af_packet":
            return f"vdev:net_af_packet{number},iface=fw-{side},qpairs={self.workers}"
        return f"vdev:{self.driver}{number},iface=fw-{side}"

    def close(self):
        try:
            self.stop()
        finally:
            self._take_down()

    def _take_down(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        for name in self.names.values():
            self._end_rest(name)
            run("ip", "netns", "del", name, check=False)
        release_hugepages(self.hugepages_added)
        self.hugepages_added = 0
        shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def _end_rest(name):
        """What servers started for their clients lives in the lab's namespaces only, and would outlive them."""
        for pid in run("ip", "netns", "pids", name, check=False).stdout.split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass

    # -- the firewall ----------------------------------------------------------------------------

    def configuration(self, rules, conntrack="", more=""):
        """A whole file around the given `chains` section."""
        lines = ["version: 1", "interfaces:"]
        for side, peer in zip(SIDES, reversed(SIDES)):
            lines.append(f'  {side}: {{ device: "{self.device(side)}", bridge: {peer} }}')
        lines.append(f"cores: {{ workers: {self.workers}, idle: {self.idle} }}")
        lines.append(f"memory: {{ hugepages: {self.hugepages} }}")
        if conntrack:
            lines.append(f"conntrack: {conntrack}")
        return "\n".join(lines) + "\n" + more + rules

    def start(self, text=None, seconds=30):
        """With a text, or again with the file as it is."""
        if text is not None:
            self.config.write_text(text)
        with self.log.open("a" if text is None else "w") as log:
            self.daemon = subprocess.Popen(
                ["ip", "netns", "exec", self.names["firewall"], str(RAMPARTD), "--config",
                 str(self.config), "--socket", str(self.socket), "--state", str(self.state)],
                stdout=log, stderr=log, start_new_session=True)
        if not wait_until(lambda: self.daemon.poll() is not None or self.is_ready(), seconds, 0.1) \
                or self.daemon.poll() is not None:
            raise RuntimeError("rampartd did not start:\n" + self.log.read_text())
        if self.driver == "net_tap":
            for side in SIDES:
                run("ip", "-n", self.names["firewall"], "link", "set", f"fw-{side}", "netns",
                    self.names[side])
                run("ip", "-n", self.names[side], "link", "set", f"fw-{side}", "name", "eth0")
                self._address_host(side)
        return self

    def is_ready(self):
        return run(RAMPARTCTL, "--socket", self.socket, "status", check=False).returncode == 0

    def stop(self, seconds=15):
        """SIGTERM; returns the daemon's exit status, or None when it did not run."""
        if self.daemon is None:
            return None
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(seconds)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        status, self.daemon = self.daemon.returncode, None
        refused = re.findall(r"system call \w+ (?:was )?refused.*", self.log.read_text())
        if refused:
            raise AssertionError("missing in lib/control/system_call_filter.cc: " + "; ".join(refused))
        return status

    def kill(self):
        """SIGKILL, as a crash or a power failure would have it."""
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None

    def ctl(self, *words, check=True, **options):
        return run(RAMPARTCTL, "--socket", self.socket, *words, check=check, **options)

    def ctl_json(self, *words):
        return json.loads(self.ctl(*words, "--json").stdout)

    def apply(self, text, *options, name="edited.yaml", **more):
        path = self.directory / name
        path.write_text(text)
        return self.ctl("apply", path, *options, check=False, **more)

    def rule_counts(self):
        """{rule id: packets} of all chains, those of `nat` as well."""
        listed = self.ctl_json("list")
        chains = [chain["rules"] for chain in listed["chains"]] + list(listed["nat"].values())
        return {rule["id"]: rule["packets"] for rules in chains for rule in rules}

    def drops(self):
        return {d["reason"]: d["packets"] for d in self.ctl_json("drops")["drops"]}

    def flows(self, **wanted):
        """Entries of the connection table whose orig tuple has the given values."""
        return [f for f in self.ctl_json("conntrack", "-L")
                if all(f["orig"].get(k) == v for k, v in wanted.items())]

    # -- the hosts -------------------------------------------------------------------------------

    def host(self, side, *words, check=True, timeout=60, **options):
        return run("ip", "netns", "exec", self.names[side], *words, check=check, timeout=timeout,
                   **options)

    def spawn(self, side, *words, **options):
        """A process on a host that lives until the lab closes."""
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        process = subprocess.Popen(["ip", "netns", "exec", self.names[side]] +
                                   [str(w) for w in words], **options)
        self.processes.append(process)
        return process

    def ping(self, side, address, count=1, wait=1):
        return self.host(side, "ping", "-c", count, "-W", wait, "-i", "0.2", address,
                         check=False).returncode == 0

    def listening(self, side, port, kind="t"):
        return wait_until(
            lambda: f":{port} " in self.host(side, "ss", f"-Hln{kind}").stdout, 10)

    def serve_http(self, side, *ports):
        """Web servers on IPv4 and IPv6 that serve the lab's directory `www`."""
        (self.directory / "www").mkdir(exist_ok=True)
        for port in ports:
            self.spawn(side, "/usr/bin/python3", "-m", "http.server", port, "--bind", "::",
                       "--directory", self.directory / "www")
        for port in ports:
            if not self.listening(side, port):
                raise RuntimeError(f"no web server on port {port}")

    def serve_dns(self, side, name="answer.example", address="192.0.2.53"):
        self.spawn(side, "dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts",
                   "--conf-file=/dev/null", "--pid-file=", "--user=root", "--port=53",
                   "--bind-interfaces", "--listen-address=" + ADDRESS4[side],
                   "--listen-address=" + ADDRESS6[side], f"--address=/{name}/{address}")
        if not self.listening(side, 53, "u"):
            raise RuntimeError("no DNS server")

    def can_connect(self, side, address, port, seconds=2):
        literal = f"[{address}]" if ipaddress.ip_address(address).version == 6 else address
        return self.host(side, "curl", "--silent", "--max-time", seconds, "--output", "/dev/null",
                         f"http://{literal}:{port}/", check=False).returncode == 0

    def resolves(self, side, address, name="answer.example"):
        answer = self.host(side, "dig", "+time=1", "+tries=1", "+short", f"@{address}", name,
                           check=False)
        return answer.stdout.strip() == "192.0.2.53"
