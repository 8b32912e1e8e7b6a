"""A gateway with masquerade, a port forward with hairpin, FTP and TFTP: real clients. The lab is gateway.py's."""
import os
import unittest

from gateway import PUBLIC, SERVER, SERVER6, GatewayCase, rules
from lab import wait_until
from routed_test import needs


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Gateway(GatewayCase):
    rules = rules(
        helpers=["ftp", "tftp"],
        raw=["{ id: ftp, proto: tcp, dport: 21, helper: ftp }",
             "{ id: tftp, proto: udp, dport: 69, helper: tftp }"],
        prerouting=['{ id: web, in: outside, proto: tcp, dport: 8080, dnat: "10.77.1.2:80", hairpin: true }'])

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
