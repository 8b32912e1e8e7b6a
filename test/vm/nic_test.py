"""Real drivers: rampartd at emulated NICs bound to vfio-pci, between two hosts.

One guest for each kind of NIC. Its tests run in the order of their names and restart the daemon only when
they want another mode: `bridged` with two workers, then `routed` with one.
"""
import os
import re
import unittest

from guest import Unavailable, prepare_image
from vm_lab import JUMBO, NETWORK, NETWORK6, ROOT, VmLab
import installation_test
from demo import PING_IN, RULES
from lab import ADDRESS4, ADDRESS6, RAMPARTCTL, RAMPARTD, wait_until

CONNTRACK = "{ max: 16384 }"
ROUTED = """\
chains:
  input:
    policy: drop
    rules:
      - { id: in_ping, in: inside, proto: [icmp, icmpv6], action: accept }
      - { id: in_nd, family: ipv6, proto: icmpv6, icmpv6: neighbour-discovery, action: accept }
  forward:
    policy: drop
    rules:
      - { id: established, state: [established, related], action: accept }
      - { id: out, in: inside, out: outside, state: new, action: accept }
nat:
  postrouting:
    - { id: masq, out: outside, src: 10.77.1.0/24, masquerade: true }
"""
# One datagram from each of 64 ports: enough that no queue stays empty by chance.
MANY_FLOWS = """
import socket, sys
for port in range(20000, 20064):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("", port))
        s.sendto(b"x", (sys.argv[1], 53))
"""
# 50 questions of ping that carry VLAN 7, each of a flow of its own.
TAGGED = """
import socket, struct
def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
    s.bind(("eth0", 0))
    for number in range(50):
        icmp = struct.pack("!BBHHH", 8, 0, 0, 1000 + number, 1) + bytes(24)
        icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(icmp), number, 0, 64, 1, 0,
                         socket.inet_aton("10.77.0.77"), socket.inet_aton("10.77.0.78"))
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        s.send(bytes.fromhex("ffffffffffff" "020000007701" "81000007" "0800") + ip + icmp)
"""
# Fetches slowly until something comes on stdin, then the rest.
TRICKLE = """
import select, sys, urllib.request
with urllib.request.urlopen(sys.argv[1]) as source, open(sys.argv[2], "wb") as target:
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        target.write(source.read(20000))
    target.write(source.read())
"""


def soon(condition):
    """Whether it comes true, on however busy a machine."""
    return wait_until(condition, 60, 0.1)


class NicCase:
    """The tests that every kind of NIC passes."""
    kind = driver = None
    queues = 1  # that the device is made with
    receive_queues = 1  # that the driver offers to two workers
    filled_queues = 1  # of these, those that the device spreads packets over
    steering = "software"
    mtu = JUMBO  # of routed ports

    @classmethod
    def setUpClass(cls):
        try:
            prepare_image()
        except Unavailable as why:
            raise unittest.SkipTest(str(why)) from None
        cls.lab = VmLab(cls.kind, queues=cls.queues, routed_mtu=cls.mtu).__enter__()
        cls.addClassCleanup(cls.lab.__exit__, None, None, None)
        cls.bound = cls.lab.bind().stdout
        cls.lab.serve_http("inside", 22, 8080)
        cls.lab.serve_http("outside", 80)
        cls.large = os.urandom(8_000_000)
        (cls.lab.directory / "www" / "large").write_bytes(cls.large)

    def setUp(self):
        self.addCleanup(self.tell)

    def tell(self):
        """The daemon's words, once something went wrong."""
        outcome = self._outcome.result
        if any(case is self for case, _ in outcome.failures + outcome.errors) and self.lab.log.exists():
            print(self.lab.log.read_text()[-2000:])

    def fetch(self, side, address, *options, port=80):
        """What a host gets from another one's web server."""
        target = self.lab.directory / "got"
        target.unlink(missing_ok=True)
        self.lab.host(side, "curl", "-s", "-m", "100", *options, "-o", target,
                      f"http://{address}:{port}/large", check=False, timeout=120)
        return target.read_bytes() if target.exists() else None

    def bridged(self):
        self.lab.run_as("bridge", RULES, CONNTRACK, workers=2)
        self.assertTrue(soon(lambda: self.lab.ping("inside", ADDRESS4["outside"])))

    def routed(self):
        self.lab.run_as("routed", ROUTED, CONNTRACK, workers=1)
        self.assertTrue(soon(lambda: self.lab.ping("inside", NETWORK["outside"] + ".2")))

    def test_1_the_script_bound_them_and_the_driver_is_found(self):
        self.bridged()
        for side, port in self.lab.ports().items():
            with self.subTest(side):
                self.assertIn(f"{self.lab.address(side)} is bound to vfio-pci", self.bound)
                self.assertEqual(port["driver"], self.driver)
                self.assertTrue(port["link"])
                self.assertEqual(port["receive_queues"], self.receive_queues)
        self.assertEqual(self.lab.ctl_json("status")["steering"], self.steering)

    def test_2_rules_and_states_hold_between_two_hosts(self):
        self.bridged()
        lab = self.lab
        for address in (ADDRESS4, ADDRESS6):
            self.assertTrue(lab.ping("inside", address["outside"]))
            self.assertFalse(lab.ping("outside", address["inside"]))
        self.assertTrue(lab.can_connect("outside", ADDRESS4["inside"], 22, 30))
        self.assertFalse(lab.can_connect("outside", ADDRESS4["inside"], 8080, 1))
        self.assertGreater(lab.drops()["policy"], 0)
        listed = lab.ctl("conntrack", "-L").stdout
        self.assertRegex(listed, r"tcp +6 \d+ \w+ src=10\.77\.0\.2 dst=10\.77\.0\.1 sport=\d+ dport=22 "
                                 r"src=10\.77\.0\.1 dst=10\.77\.0\.2 .*\[ASSURED\]")

    def test_3_a_transfer_and_full_frames_are_whole(self):
        self.bridged()
        self.assertEqual(self.fetch("inside", ADDRESS4["outside"]), self.large)
        full = self.lab.host("inside", "ping", "-c", "3", "-i", "0.2", "-s", "1472", "-M", "do", "-W", "2",
                             ADDRESS4["outside"]).stdout
        self.assertIn("3 received", full)
        for side, port in self.lab.ports().items():
            for what in ("receive_missed", "receive_errors", "receive_no_mbuf", "transmit_errors"):
                self.assertEqual(port[what], 0, (side, what))

    def test_3_tagged_frames_come_through(self):
        self.bridged()
        received = lambda: int(self.lab.host("outside", "cat", "/sys/class/net/eth0/statistics/rx_packets").stdout)
        passed, before = self.lab.rule_counts()["ping-out"], received()
        self.lab.host("inside", "/usr/bin/python3", "-c", TAGGED)
        self.assertTrue(soon(lambda: self.lab.rule_counts()["ping-out"] >= passed + 50))
        self.assertTrue(soon(lambda: received() >= before + 50))

    def test_4_both_workers_see_flows(self):
        self.bridged()
        self.lab.host("inside", "/usr/bin/python3", "-c", MANY_FLOWS, ADDRESS4["outside"])
        flows = lambda: [w["flows"] for w in self.lab.ctl_json("workers")["workers"]]
        self.assertTrue(soon(lambda: sum(flows()) >= 64))
        self.assertGreater(min(flows()), 8)
        received = self.lab.received_by_queue("inside")
        self.assertGreater(min(received[:self.filled_queues]), 0)
        self.assertEqual(sum(received[self.filled_queues:]), 0)

    def test_5_a_pulled_cable_is_noticed_and_traffic_goes_on_after(self):
        self.bridged()
        lab = self.lab
        link = lambda: lab.ports()["outside"]["link"]
        lab.set_cable("outside", False)
        self.assertTrue(soon(lambda: not link()))
        self.assertFalse(lab.ping("inside", ADDRESS4["outside"]))
        lab.set_cable("outside", True)
        self.assertTrue(soon(link))
        self.assertTrue(soon(lambda: lab.ping("inside", ADDRESS4["outside"])))
        log = lambda: re.findall("interface 'outside': the link is (down|up)", lab.log.read_text())
        self.assertTrue(soon(lambda: log() == ["down", "up"]), log())

    def test_6_a_reload_under_traffic_loses_nothing(self):
        self.bridged()
        lab = self.lab
        pings = lab.spawn("inside", "ping", "-q", "-c", "200", "-i", "0.02", "-W", "2",
                          ADDRESS4["outside"], stdout=-1, text=True)
        transfer = lab.spawn("inside", "/usr/bin/python3", "-c", TRICKLE,
                             f"http://{ADDRESS4['outside']}/large", lab.directory / "slow", stdin=-1)
        for more in (PING_IN, "", PING_IN):
            applied = lab.apply(lab.configuration(RULES + more, CONNTRACK))
            self.assertEqual(applied.returncode, 0, applied.stderr)
        transfer.communicate(b"\n", timeout=60)
        self.assertEqual(transfer.returncode, 0)
        self.assertIn("200 received", pings.communicate(timeout=60)[0])
        self.assertEqual((lab.directory / "slow").read_bytes(), self.large)
        self.assertTrue(lab.ping("outside", ADDRESS4["inside"]))

    def test_7_it_routes_and_translates(self):
        self.routed()
        lab = self.lab
        self.assertTrue(soon(lambda: lab.ping("inside", NETWORK6["outside"] + "2")))
        self.assertTrue(lab.ping("inside", NETWORK["inside"] + ".1"))
        self.assertFalse(lab.ping("outside", NETWORK["outside"] + ".1"))
        self.assertEqual(self.fetch("inside", NETWORK["outside"] + ".2"), self.large)
        jumbo = lab.host("inside", "ping", "-c", "3", "-i", "0.2", "-s", self.mtu - 28, "-M", "do", "-W", "2",
                         NETWORK["outside"] + ".2").stdout
        self.assertIn("3 received", jumbo)
        self.assertRegex(lab.ctl("conntrack", "-L", "-p", "tcp").stdout,
                         r"src=10\.77\.1\.2 dst=10\.77\.2\.2 .*dport=80 src=10\.77\.2\.2 dst=10\.77\.2\.1 ")

    def test_8_twins_follow_the_cable(self):
        self.routed()
        lab = self.lab
        carrier = lambda: "NO-CARRIER" not in lab.guest.run("ip", "link", "show", "outside").stdout
        self.assertTrue(carrier())
        lab.set_cable("outside", False)
        self.assertTrue(soon(lambda: not carrier()))
        lab.set_cable("outside", True)
        self.assertTrue(soon(carrier))
        self.assertTrue(soon(lambda: lab.ping("inside", NETWORK["outside"] + ".2")))

    def test_9_it_stops_in_order(self):
        self.assertTrue(self.lab.stop())
        self.assertIn("stopped", self.lab.log.read_text())


class E1000e(NicCase, unittest.TestCase):
    """Two queues, but DPDK's driver has no RSS for it: the first one gets all packets."""
    kind, driver, receive_queues = "e1000e", "net_e1000_em", 2

    def test_0_the_commands_of_the_installation_guide_work(self):
        guide = self.lab.guest.shell(ROOT, RAMPARTD.parent, RAMPARTCTL.parent)
        self.addCleanup(guide, "kill $(cat /run/guide.pid) 2>/dev/null; rm -rf /etc/rampart")
        for kind, commands in installation_test.blocks():
            for command in commands if kind.startswith("tested") else ():
                for example, side in (("0000:01:00.0", "inside"), ("0000:01:00.1", "outside")):
                    command = command.replace(example, self.lab.address(side))
                if kind == "tested: daemon":
                    command += " >/run/guide.log 2>&1 & echo $! >/run/guide.pid"
                if kind == "tested: afterwards":
                    guide("kill $(cat /run/guide.pid); while [ -d /proc/$(cat /run/guide.pid) ]; do sleep 0.1; done")
                with self.subTest(command):
                    done = guide(command)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                if "/etc/rampart/rampart.yaml" in command and command.startswith("install"):
                    for example, side in (("0000:01:00.0", "inside"), ("0000:01:00.1", "outside")):
                        guide(f"sed -i s/{example}/{self.lab.address(side)}/ /etc/rampart/rampart.yaml")
                if kind == "tested: daemon":
                    self.assertTrue(soon(lambda: "ready" in guide("cat /run/guide.log").stdout.split()),
                                    guide("cat /run/guide.log").stdout)
        self.assertRegex(guide("readlink /sys/bus/pci/devices/0000:00:10.0/driver").stdout, "e1000e$")
        type(self).bound = self.lab.bind().stdout


class Vmxnet3(NicCase, unittest.TestCase):
    """Not with frames of more than one buffer: DPDK leaves maxNumRxSG at 0, which QEMU's device reads as 1."""
    kind, driver, receive_queues, mtu = "vmxnet3", "net_vmxnet3", 2, 1500


class Virtio(NicCase, unittest.TestCase):
    """RSS that the device does as it is told, so both directions of a flow meet the same worker."""
    kind, driver, queues, receive_queues, filled_queues = "virtio-rss", "net_virtio", 4, 2, 2
    steering = "hardware"


if __name__ == "__main__":
    unittest.main()
