"""The lab of test/e2e with rampartd in a guest of QEMU, at NICs bound to vfio-pci.

    inside host  --- TAP --- | NIC 0   rampartd   NIC 1 | --- TAP ---  outside host
                             |          guest           |

Where Lab starts processes in the firewall's namespace, they run in the guest; the lab's directory has
the same path there, and so has the source tree with its build, so that everything else of Lab works as
it is. QEMU makes its TAPs in the firewall's namespace, from where they go to the hosts.
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "test/e2e"), str(ROOT / "test/documents")]

from guest import Guest, Nic  # noqa: E402
from routed_test import NETWORK, NETWORK6  # noqa: E402
from lab import BUILD, RAMPARTCTL, RAMPARTD, SIDES, Lab, run, wait_until  # noqa: E402

JUMBO = 4000  # frames of more than one buffer
BIND_NICS = ROOT / "scripts/bind-nics.sh"


class VmLab(Lab):
    """One pair of NICs; more pairs follow in `kinds`, chosen by use_pair(). `guest_options`: of Guest."""

    def __init__(self, *kinds, queues=1, cpus=2, routed_mtu=JUMBO, **guest_options):
        super().__init__("net_tap", hugepages="always")
        self.kinds, self.queues, self.cpus = kinds, queues, cpus
        self.pair, self.mode = 0, None
        self.routed_mtu = routed_mtu
        self.guest, self.guest_options = None, guest_options
        # What the daemon writes stays in the guest, but for its log.
        self.socket = pathlib.Path("/run/rampart.sock")
        self.state = pathlib.Path("/run/rampart-state")

    # -- building and taking down ----------------------------------------------------------------

    def open(self):
        for name in self.names.values():
            run("ip", "netns", "add", name)
            run("ip", "-n", name, "link", "set", "lo", "up")
        nics = [Nic(kind, f"p{pair}-{side}", self.queues)
                for pair, kind in enumerate(self.kinds) for side in SIDES]
        shares = [(ROOT, "ro"), (self.directory, "rw")]
        if ROOT not in BUILD.parents:
            shares.append((BUILD, "ro"))
        self.guest = Guest(self.directory, nics, shares, self.names["firewall"], self.cpus,
                           **self.guest_options)
        self.guest.start()
        self.use_pair(0)
        self.guest.wait_for_boot()
        return self

    def close(self):
        if self.guest is not None:
            self.guest.stop()
        super().close()

    def use_pair(self, pair):
        """The hosts get the TAPs of this pair of NICs."""
        for side in SIDES:
            if pair != self.pair:
                run("ip", "-n", self.names[side], "link", "set", "eth0", "name",
                    f"p{self.pair}-{side}", "netns", self.names["firewall"])
            run("ip", "-n", self.names["firewall"], "link", "set", f"p{pair}-{side}", "netns",
                self.names[side])
            run("ip", "-n", self.names[side], "link", "set", f"p{pair}-{side}", "name", "eth0")
            self._address_host(side)
        self.pair = pair

    # -- the firewall ----------------------------------------------------------------------------

    def address(self, side):
        return Guest.address(self.number(side))

    def number(self, side):
        return 2 * self.pair + SIDES.index(side)

    device = address

    def run_as(self, mode, rules, conntrack, workers):
        """Starts the daemon as a `bridge` or `routed`, unless it runs like that."""
        if self.mode == mode:
            return
        self.stop()
        self.mode, self.workers = mode, workers
        for side in SIDES:
            self._address_host(side)
        self.start(self.configuration(rules, conntrack))

    def configuration(self, rules, conntrack="", more=""):
        if self.mode != "routed":
            return super().configuration(rules, conntrack, more)
        lines = ["version: 1", "interfaces:"]
        lines += [f'  {side}: {{ device: "{self.device(side)}", address: [{NETWORK[side]}.1/24], '
                  f'address6: ["{NETWORK6[side]}1/64"], mtu: {self.routed_mtu} }}' for side in SIDES]
        lines += [f"cores: {{ workers: {self.workers}, idle: {self.idle} }}",
                  f"memory: {{ hugepages: {self.hugepages} }}", f"conntrack: {conntrack}"]
        return "\n".join(lines) + "\n" + more + rules

    def _address_host(self, side):
        name = self.names[side]
        run("ip", "-n", name, "addr", "flush", "dev", "eth0", "scope", "global")
        run("ip", "-n", name, "link", "set", "eth0", "mtu",
            self.routed_mtu if self.mode == "routed" else 1500)
        if self.mode != "routed":
            super()._address_host(side)
            return
        run("ip", "-n", name, "addr", "add", NETWORK[side] + ".2/24", "dev", "eth0")
        run("ip", "-n", name, "-6", "addr", "add", NETWORK6[side] + "2/64", "dev", "eth0", "nodad")
        run("ip", "-n", name, "route", "replace", "default", "via", NETWORK[side] + ".1")
        run("ip", "-n", name, "-6", "route", "replace", "default", "via", NETWORK6[side] + "1")

    def bind(self):
        """Gives all NICs to vfio-pci, as an administrator would."""
        return self.guest.run(BIND_NICS, "bind", *map(Guest.address, range(2 * len(self.kinds))))

    def start(self, text=None, seconds=120):
        if text is not None:
            self.config.write_text(text)
        command = (f"setsid {RAMPARTD} --config {self.config} --socket {self.socket} "
                   f"--state {self.state} >>{self.log} 2>&1 </dev/null & echo $!")
        self.daemon = int(self.guest.run("sh", "-c", command).stdout)
        if not wait_until(lambda: not self.is_running() or self.is_ready(), seconds, 0.2) \
                or not self.is_running():
            self.daemon = None
            raise RuntimeError("rampartd did not start:\n" + self.log.read_text())
        return self

    def is_running(self):
        return self.guest.run("test", "-d", f"/proc/{self.daemon}", check=False).returncode == 0

    def is_ready(self):
        return self.ctl("status", check=False).returncode == 0

    def stop(self, seconds=60):
        """SIGTERM; whether it ended by itself."""
        if self.daemon is None or self.guest.process.poll() is not None:
            return None
        self.guest.run("kill", self.daemon, check=False)
        has_ended = wait_until(lambda: not self.is_running(), seconds, 0.2)
        if not has_ended:
            self.guest.run("kill", "-9", self.daemon, check=False)
        self.daemon = None
        return has_ended

    def ctl(self, *words, check=True, **options):
        return self.guest.run(RAMPARTCTL, "--socket", self.socket, *words, check=check, **options)

    def ports(self):
        """{side: what `rampartctl port` says of it}"""
        return {port["name"]: port for port in self.ctl_json("port")["ports"]}

    def received_by_queue(self, side):
        """Packets that each worker has received at a port: worker n has queue n."""
        [port] = [p for p in self.ctl_json("stats")["ports"] if p["name"] == side]
        return [queue["received_packets"] for queue in port["queues"]]

    def set_cable(self, side, plugged):
        self.guest.set_link(self.number(side), plugged)
