"""A gateway with one public address: masquerade, a port forward with hairpin, helpers; real clients.

    inside: clients, a web server    10.77.1.2      rampartd: 10.77.1.1 | 10.77.2.1      outside: servers 10.77.2.2
"""
import os
import unittest

from lab import wait_until
from routed_test import NETWORK, NETWORK6, RoutedLab, needs

RULES = """\
conntrack: { accounting: true }
chains:
  raw:
    - { id: ftp, proto: tcp, dport: 21, helper: ftp }
    - { id: tftp, proto: udp, dport: 69, helper: tftp }
  input:
    policy: drop
    rules:
      - { id: in_est, state: [established, related], action: accept }
      - { id: in_ping, in: inside, proto: [icmp, icmpv6], action: accept }
  forward:
    policy: drop
    rules:
      - { id: invalid, state: invalid, action: drop }
      - { id: established, state: established, action: accept }
      - { id: data, state: related, ct_helper: [ftp, tftp], action: accept }
      - { id: errors, state: related, proto: [icmp, icmpv6], action: accept }
      - { id: out, in: inside, out: outside, state: new, action: accept }
      - { id: forwarded, state: new, ct_status: dnat, action: accept }
  output: { policy: accept }
nat:
  prerouting:
    - { id: web, in: outside, proto: tcp, dport: 8080, dnat: "10.77.1.2:80", hairpin: true }
  postrouting:
    - { id: masq, out: outside, src: 10.77.1.0/24, masquerade: true }
"""
PUBLIC = "10.77.2.1"
SERVER = NETWORK["outside"] + ".2"
SERVER6 = NETWORK6["outside"] + "2"


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Gateway(unittest.TestCase):
    def setUp(self):
        self.lab = RoutedLab().__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        self.lab.start(self.lab.configuration(RULES))
        self.files = self.lab.directory / "files"
        self.files.mkdir()
        (self.files / "large").write_bytes(os.urandom(300_000))
        self.assertTrue(wait_until(lambda: self.lab.ping("inside", SERVER), 10))

    def curl(self, side, *words):
        """The file that the client gets; None: it gets none."""
        target = self.lab.directory / "got"
        target.unlink(missing_ok=True)
        done = self.lab.host(side, "curl", "-sS", "-m", "20", "-o", target, *words, check=False)
        return target.read_bytes() if done.returncode == 0 and target.exists() else None

    def serve_http(self, side, port):
        self.lab.spawn(side, "/usr/bin/python3", "-m", "http.server", str(port), "--directory", self.files)
        address = NETWORK[side] + ".2"
        self.assertTrue(wait_until(lambda: self.curl(side, f"http://{address}:{port}/large"), 10))

    def flows(self, **wanted):
        listed = self.lab.ctl_json("conntrack", "-L")
        return [flow for flow in listed if all(flow["orig"].get(key) == value for key, value in wanted.items())]

    def assert_got(self, data):
        self.assertEqual(data, (self.files / "large").read_bytes())

    def test_clients_share_the_public_address(self):
        self.serve_http("outside", 80)
        self.assert_got(self.curl("inside", f"http://{SERVER}/large"))
        flow = self.flows(dport=80, dst=SERVER)[0]
        self.assertEqual(flow["reply"]["dst"], PUBLIC)
        self.assertIn("SRC_NAT", flow["status"])
        self.assertEqual(self.flows(proto="icmp")[0]["reply"]["dst"], PUBLIC)

    def test_a_forwarded_port_is_reached_from_both_sides(self):
        self.serve_http("inside", 80)
        self.assertIsNone(self.curl("outside", "http://10.77.1.2/large"))
        self.assert_got(self.curl("outside", f"http://{PUBLIC}:8080/large"))
        self.assert_got(self.curl("inside", f"http://{PUBLIC}:8080/large"))
        hairpin = [flow for flow in self.flows(dport=8080) if flow["orig"]["src"] == "10.77.1.2"][0]
        self.assertEqual((hairpin["reply"]["src"], hairpin["reply"]["dst"]), ("10.77.1.2", "10.77.1.1"))

    @needs("curl")
    def test_ftp_active_and_passive_through_masquerade(self):
        for server, host in ((SERVER, SERVER), (SERVER6, f"[{SERVER6}]")):
            self.lab.spawn("outside", "/usr/bin/python3", "-m", "pyftpdlib", "-i", server, "-p", "21",
                           "-d", self.files)
            url = f"ftp://{host}/large"
            self.assertTrue(wait_until(lambda: self.curl("outside", url), 10))
            for words in (["-P", "-"], ["-P", "-", "--disable-eprt"], [], ["--disable-epsv"]):
                if ":" in server and len(words) % 2 == 1:
                    continue  # PORT and PASV know no IPv6
                with self.subTest(server=server, words=words):
                    self.assert_got(self.curl("inside", *words, url))
        self.assertGreater(self.lab.rule_counts()["data"], 0)
        masters = [flow for flow in self.lab.ctl_json("conntrack", "-L") if "master" in flow]
        self.assertTrue(masters)
        self.assertEqual(masters[0]["master"]["dport"], 21)

    @needs("curl", "dnsmasq")
    def test_tftp_through_masquerade(self):
        self.lab.spawn("outside", "dnsmasq", "-k", "--port=0", "--enable-tftp", "--user=root",
                       f"--tftp-root={self.files}", "--conf-file=/dev/null")
        self.assertTrue(wait_until(lambda: self.curl("outside", f"tftp://{SERVER}/large"), 10))
        self.assert_got(self.curl("inside", f"tftp://{SERVER}/large"))
        self.assertGreater(self.lab.rule_counts()["data"], 0)


if __name__ == "__main__":
    unittest.main()
