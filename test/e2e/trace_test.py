"""Why was that packet dropped? log, test and trace on real traffic."""
import json
import os
import subprocess
import unittest

from lab import ADDRESS4, RAMPARTCTL, Lab, wait_until

RULES = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: est, state: established, action: accept }
      - { id: ping, in: inside, proto: icmp, state: new, action: accept }
      - { id: ssh, proto: tcp, dport: 22, log: { prefix: "ssh: ", limit: 1/minute burst 2 }, action: drop }
"""


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Sight(unittest.TestCase):
    def knock(self, lab, count):
        """So many SYNs to port 22, one by one."""
        lab.host("inside", "/usr/bin/python3", "-c", f"""
import socket
for port in range({count}):
    with socket.socket() as one:
        one.settimeout(0.05)
        try:
            one.connect(("{ADDRESS4['outside']}", 22))
        except OSError:
            pass
""")

    def trace(self, lab, *words):
        process = subprocess.Popen([str(RAMPARTCTL), "--socket", str(lab.socket), "trace", *words],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIsNone(process.poll())
        return process

    def test_a_rule_logs_within_its_rate_and_counts_the_rest(self):
        with Lab() as lab:
            path = lab.directory / "rules.log"
            lab.start(lab.configuration(
                RULES, more=f"logging: {{ rules: {{ to: file, path: {path} }} }}\n"))
            self.knock(lab, 5)
            self.assertTrue(wait_until(lambda: path.read_text().count("ssh: IN=") == 2, 5))
            line = path.read_text().splitlines()[0]
            self.assertRegex(line, r"ssh: IN=inside OUT=outside MAC=[0-9a-f:]{41} "
                                   r"SRC=10\.77\.0\.1 DST=10\.77\.0\.2 LEN=60 TOS=0x[0-9A-F]{2} PREC=0x[0-9A-F]{2} "
                                   r"TTL=64 ID=\d+ DF PROTO=TCP SPT=\d+ DPT=22 WINDOW=\d+ RES=0x00 "
                                   r"SYN URGP=0 rule=ssh action=drop$")
            rule = [r for chain in lab.ctl_json("list")["chains"] for r in chain["rules"]
                    if r["id"] == "ssh"][0]
            self.assertEqual(rule["logged"], 2)
            self.assertEqual(rule["logged"] + rule["log_suppressed"], rule["packets"])

            refused = lab.apply(lab.configuration(
                RULES, more="logging: { rules: { to: file, path: /proc/none/rules.log } }\n"))
            self.assertEqual(refused.returncode, 4)
            self.assertIn("logging.rules", refused.stderr)

    def test_a_question_is_answered_by_the_running_rules_and_by_a_file(self):
        with Lab() as lab:
            lab.start(lab.configuration(RULES))
            words = ["test", "in=inside", "proto=tcp", "src=10.77.0.1", "dst=10.77.0.2", "dport=22"]
            answer = lab.ctl_json(*words)
            self.assertEqual((answer["verdict"], answer["reason"]), ("drop", "rule"))
            self.assertEqual([r["id"] for r in answer["rules"]], ["ssh"])
            self.assertEqual(lab.rule_counts()["ssh"], 0)
            local = lab.ctl(*words, "--config", lab.config).stdout
            self.assertEqual(lab.ctl(*words).stdout, local)
            self.assertEqual(lab.ctl(*words, "nonsense", check=False).returncode, 2)

    def test_live_packets_are_traced_stage_by_stage_until_enough_were_seen(self):
        with Lab() as lab:
            lab.start(lab.configuration(RULES))
            tracer = self.trace(lab, "-n", "6", "icmp", "--json")

            # The trace may begin in the middle of a ping of four packets: six hold a beginning.
            def ping_until_seen():
                lab.ping("inside", ADDRESS4["outside"], 2)
                return tracer.poll() is not None
            self.assertTrue(wait_until(ping_until_seen, 30))
            out, _ = tracer.communicate(timeout=20)
            self.assertEqual(tracer.returncode, 0)
            records = [json.loads(line) for line in out.splitlines() if line]
            self.assertEqual(len(records), 6)
            first = [record["state"] for record in records].index("new")
            self.assertEqual(records[first]["in"], "inside")
            self.assertEqual([r["id"] for r in records[first]["rules"]], ["ping"])
            self.assertEqual(records[first + 1]["state"], "established")
            self.assertEqual({r["verdict"] for r in records}, {"accept"})

            tracer = self.trace(lab, "-n", "1", "--drops", "-i", "inside")
            def knock_until_seen():
                self.knock(lab, 1)
                return tracer.poll() is not None
            self.assertTrue(wait_until(knock_until_seen, 10))
            out, _ = tracer.communicate(timeout=5)
            self.assertIn("10.77.0.2:22 S", out)
            self.assertIn("drop ssh", out)
            self.assertIn("drop, rule", out)

            bad = lab.ctl("trace", "no such word", check=False)
            self.assertEqual(bad.returncode, 2)
            self.assertIn("is no filter", bad.stderr)


if __name__ == "__main__":
    unittest.main()
