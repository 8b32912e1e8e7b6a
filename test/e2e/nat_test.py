"""What translation keeps an eye on: pools that fill up, ports the box serves itself, addresses that go.

The lab is that of gateway_test.py; the box masquerades TCP and has a tiny pool for UDP.
"""
import os
import subprocess
import unittest

from lab import wait_until
from routed_test import NETWORK, RoutedLab

PUBLIC, SECOND, POOL = "10.77.2.1", "10.77.2.50", "10.77.2.60"
SERVER = NETWORK["outside"] + ".2"
POOL_PORTS = 10
RULES = f"""\
chains:
  input: {{ policy: accept }}
  forward: {{ policy: accept }}
  output: {{ policy: accept }}
nat:
  prerouting:
    - {{ id: web, in: outside, proto: tcp, dport: [8080, 8443], dnat: "10.77.1.2" }}
  postrouting:
    - {{ id: tiny, out: outside, src: 10.77.1.0/24, proto: udp, snat: {{ to: {POOL}, ports: 2000-{1999 + POOL_PORTS} }} }}
    - {{ id: masq, out: outside, src: 10.77.1.0/24, masquerade: true }}
"""
# Sends datagrams from ports of its own to one place: each is a flow.
SEND = """
import socket, sys
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
for port in map(int, sys.argv[4:]):
    ends = socket.socket(socket.AF_INET, kind)
    ends.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ends.bind(("", port))
    if kind == socket.SOCK_DGRAM:
        ends.sendto(b"x", (sys.argv[2], int(sys.argv[3])))
    else:
        ends.settimeout(5)
        ends.connect((sys.argv[2], int(sys.argv[3])))
    ends.close()
"""


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Nat(unittest.TestCase):
    def setUp(self):
        self.lab = RoutedLab().__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        self.lab.start(self.lab.configuration(RULES))
        self.assertTrue(wait_until(lambda: self.lab.ping("inside", SERVER), 10))

    def send(self, protocol, port, *own_ports):
        self.lab.host("inside", "/usr/bin/python3", "-c", SEND, protocol, SERVER, port, *own_ports)

    def pool(self, name):
        rows = [row for row in self.lab.ctl_json("nat", "pools")["pools"] if row["pool"] == name]
        return rows[0] if rows else None

    def flows(self, **wanted):
        listed = self.lab.ctl_json("conntrack", "-L")
        return [flow for flow in listed if all(flow["orig"].get(key) == value for key, value in wanted.items())]

    def address(self, *words):
        subprocess.run(["ip", "-n", self.lab.names["firewall"], "addr", *words], check=True)

    def test_a_pool_fills_up_and_empties(self):
        name = f"{POOL}:2000-{1999 + POOL_PORTS}"
        self.assertEqual((self.pool(name)["ports"], self.pool(name)["udp"]), (POOL_PORTS, 0))
        self.send("udp", 9999, *range(5000, 5000 + POOL_PORTS))
        self.assertTrue(wait_until(lambda: self.pool(name)["udp"] == POOL_PORTS, 10))
        self.assertEqual(self.pool(name)["used_percent"], 100)
        self.assertTrue(wait_until(lambda: f"100% of the ports of {name} are in use" in self.lab.log.read_text(), 10))
        # The next ones find nothing.
        self.send("udp", 9999, 6000, 6001)
        self.assertTrue(wait_until(lambda: self.pool(name)["failed"] == 2, 10))
        drops = {drop["reason"]: drop["packets"] for drop in self.lab.ctl_json("drops")["drops"]}
        self.assertEqual(drops["nat_exhausted"], 2)
        self.assertTrue(wait_until(lambda: "2 packets dropped (nat_exhausted)" in self.lab.log.read_text(), 10))
        # Rules that come anew count in the same pool; flows that go give their ports back.
        self.lab.ctl("reload")
        self.assertEqual(self.pool(name)["udp"], POOL_PORTS)
        self.lab.ctl("conntrack", "-D", "-p", "udp")
        self.assertTrue(wait_until(lambda: self.pool(name)["udp"] == 0, 10))
        self.send("udp", 9999, 6000)
        self.assertTrue(wait_until(lambda: self.pool(name)["udp"] == 1, 10))
        self.assertIn("masquerade outside", self.lab.ctl("nat").stdout)

    def test_ports_that_the_box_serves_are_nobodys(self):
        self.lab.spawn("outside", "/usr/bin/python3", "-m", "http.server", "80")
        self.lab.spawn("firewall", "/usr/bin/python3", "-m", "http.server", "7070")
        self.assertTrue(wait_until(lambda: "7070" in self.lab.ctl_json("nat", "reserved")["listening"]["tcp"], 10))
        self.assertEqual(self.lab.ctl_json("nat", "reserved")["forwarded"]["tcp"], ["8080", "8443"])
        self.assertTrue(wait_until(lambda: self.connects(7071), 10))
        for own in (7070, 8080, 8443):
            self.send("tcp", 80, own)
            outside_port = self.flows(proto="tcp", sport=own)[0]["reply"]["dport"]
            self.assertGreaterEqual(outside_port, 1024)
            self.assertNotIn(outside_port, (7070, 8080, 8443))
        self.assertEqual(self.flows(proto="tcp", sport=7071)[0]["reply"]["dport"], 7071)

    def connects(self, own_port):
        try:
            self.send("tcp", 80, own_port)
            return True
        except subprocess.CalledProcessError:
            return False

    def test_flows_end_with_the_address_they_are_masqueraded_to(self):
        self.lab.spawn("outside", "/usr/bin/python3", "-m", "http.server", "80")
        self.assertTrue(wait_until(lambda: self.connects(7071), 10))
        self.assertEqual(self.flows(proto="tcp", sport=7071)[0]["reply"]["dst"], PUBLIC)
        self.address("add", SECOND + "/24", "dev", "outside")
        self.address("del", PUBLIC + "/24", "dev", "outside")
        self.address("replace", SECOND + "/24", "dev", "outside")
        self.assertTrue(wait_until(lambda: not self.flows(proto="tcp", sport=7071), 10))
        self.assertTrue(wait_until(
            lambda: "flows that were masqueraded to an address that has gone" in self.lab.log.read_text(), 10))
        self.assertTrue(wait_until(lambda: self.connects(7072), 10))
        self.assertEqual(self.flows(proto="tcp", sport=7072)[0]["reply"]["dst"], SECOND)


if __name__ == "__main__":
    unittest.main()
