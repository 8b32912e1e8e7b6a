"""Connection tracking between real hosts: fragments, the raw chain, a full table."""
import os
import unittest

from daemon_test import STATEFUL, conservation
from lab import ADDRESS4, ADDRESS6, Lab, wait_until

UNTRACKED_DNS = """\
chains:
  raw:
    rules:
      - { id: ask, in: inside, proto: udp, dport: 53, action: notrack }
      - { id: answer, in: outside, proto: udp, sport: 53, action: notrack }
  forward:
    policy: drop
    rules:
      - { id: untracked, state: untracked, action: accept }
"""
SENDER = """
import socket, sys
for port in range(2000, 2200):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"x", (sys.argv[1], port))
"""


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Tracking(unittest.TestCase):
    def test_large_pings_pass_in_fragments_between_two_workers(self):
        with Lab("net_tap", workers=2) as lab:
            lab.start(lab.configuration(STATEFUL))
            for address in (ADDRESS4["outside"], ADDRESS6["outside"]):
                self.assertTrue(lab.ping("inside", address))
                done = lab.host("inside", "ping", "-c", "5", "-W", "1", "-i", "0.2", "-s", "5000", address)
                self.assertIn("5 received", done.stdout)
            totals = conservation(lab)
            # Ten requests and ten answers of four fragments each.
            self.assertEqual(totals["datagrams"], 20)
            self.assertEqual(totals["merged"], 60)
            self.assertEqual(totals["cut"], 80)
            # The host outside does not get its own large pings through, in fragments or not.
            self.assertNotIn(" 0% packet loss", lab.host(
                "outside", "ping", "-c", "2", "-W", "1", "-s", "5000", ADDRESS4["inside"],
                check=False).stdout)

    def test_what_raw_exempts_leaves_no_flow(self):
        with Lab() as lab:
            lab.start(lab.configuration(UNTRACKED_DNS))
            lab.serve_dns("outside")
            self.assertTrue(lab.resolves("inside", ADDRESS4["outside"]))
            self.assertEqual(lab.flows(proto="udp"), [])
            counts = lab.rule_counts()
            self.assertGreaterEqual(counts["ask"], 1)
            self.assertGreaterEqual(counts["answer"], 1)

    def test_a_full_table_warns_and_lets_new_connections_in(self):
        with Lab() as lab:
            lab.start(lab.configuration(STATEFUL, conntrack="{ max: 50, warn_at: 80% }"))
            lab.serve_http("outside", 80)
            # A datagram each to two hundred ports where nobody listens.
            lab.host("inside", "/usr/bin/python3", "-c", SENDER, ADDRESS4["outside"])
            self.assertEqual(int(lab.ctl("conntrack", "-C").stdout), 50)
            self.assertTrue(lab.can_connect("inside", ADDRESS4["outside"], 80))
            self.assertGreater(lab.ctl_json("conntrack", "-S")[0]["early_drop"], 100)
            self.assertEqual(lab.drops()["table_full"], 0)
            self.assertTrue(wait_until(lambda: "warn_at: 80%" in lab.log.read_text(), 5))


if __name__ == "__main__":
    unittest.main()
