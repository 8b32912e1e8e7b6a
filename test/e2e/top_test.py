"""`top` on real traffic: what it shows agrees with the counters, piped, in batches and on a terminal."""
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
import time
import unittest

from lab import ADDRESS4, RAMPARTCTL, Lab, wait_until

RULES = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: est, state: established, action: accept }
      - { id: ping, in: inside, proto: icmp, state: new, action: accept }
      - { id: iperf, in: inside, proto: tcp, dport: 5201, state: new, action: accept }
      - { id: noise, proto: udp, dport: 9, action: drop }
"""


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Top(unittest.TestCase):
    def start(self, accounting=True, workers=2):
        self.lab = Lab(workers=workers).__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        self.lab.start(self.lab.configuration(
            RULES, conntrack="{ accounting: %s }" % str(accounting).lower()))

    def transfer(self, seconds=30, rate="20M"):
        self.lab.spawn("outside", "iperf3", "-s")
        self.assertTrue(self.lab.listening("outside", 5201))
        self.lab.spawn("inside", "iperf3", "-c", ADDRESS4["outside"], "-t", seconds, "-b", rate)
        self.assertTrue(wait_until(lambda: self.lab.rule_counts()["est"] > 1000, 20))

    def documents(self, *words):
        lines = self.lab.ctl("--json", "top", *words).stdout.splitlines()
        return [json.loads(line) for line in lines]

    def test_rates_talkers_rules_and_drops_agree_with_the_counters(self):
        self.start()
        self.transfer()
        self.lab.spawn("inside", "ping", "-i", "0.05", ADDRESS4["outside"])
        noise = "import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n" \
                f"while True:\n    s.sendto(b'x', ('{ADDRESS4['outside']}', 9)); time.sleep(0.01)"
        self.lab.spawn("inside", "/usr/bin/python3", "-c", noise)
        self.assertTrue(wait_until(lambda: self.lab.rule_counts()["noise"] > 10, 10))

        counted = lambda: {p["name"]: p["received_packets"] for p in self.lab.ctl_json("stats")["ports"]}
        before, began = counted(), time.monotonic()
        first, second = self.documents("-d", "1.5", "-n", "2")
        after, ended = counted(), time.monotonic()
        self.assertNotEqual(first["time_ns"], second["time_ns"])
        for shown in (first, second):
            self.assertGreaterEqual(shown["seconds"], 1.5)
        # What top saw lies between the two looks of this test.
        ports = {port["name"]: port for port in second["ports"]}
        for name in ("inside", "outside"):
            seen = sum(next(p for p in shown["ports"] if p["name"] == name)["received_packets_s"] * shown["seconds"]
                       for shown in (first, second))
            self.assertGreater(seen, 0)
            self.assertLessEqual(seen, after[name] - before[name] + 1)
        self.assertGreater(ended, began)

        flow = second["talkers"]["flows"][0]
        self.assertEqual((flow["proto"], flow["src"], flow["dst"], flow["dport"]),
                         ("tcp", ADDRESS4["inside"], ADDRESS4["outside"], 5201))
        self.assertEqual(second["talkers"]["sources"][0]["address"], ADDRESS4["inside"])
        self.assertGreaterEqual(second["talkers"]["sources"][0]["bits_s"], flow["bits_s"])
        # The transfer is nearly all of the traffic. A busy machine reads flows a little later than ports.
        both_ways = ports["inside"]["received_bits_s"] + ports["outside"]["received_bits_s"]
        self.assertLess(flow["bits_s"], both_ways * 1.5)
        self.assertGreater(flow["bits_s"], both_ways * 0.5)
        self.assertIn("icmp", {entry["proto"] for entry in second["talkers"]["flows"]})
        self.assertEqual(second["rules"][0]["rule"], "est")
        self.assertIn("noise", {rule["rule"] for rule in second["rules"]})
        self.assertEqual(second["drops"][0]["reason"], "rule")
        self.assertGreater(second["drops"][0]["packets_s"], 0)
        self.assertEqual(second["flows_max"], self.lab.ctl_json("status")["flows_max"])
        self.assertEqual(len(second["workers"]), 2)

    def test_pages_for_people_and_what_is_missing_without_accounting(self):
        self.start(accounting=False)
        self.transfer(seconds=15)
        text = self.lab.ctl("top", "-b", "-d", "0.5", "-n", "2").stdout
        self.assertEqual(text.count("packets/s: received"), 2)
        self.assertIn("forward est", text)
        self.assertIn("accounting: true", text)
        self.assertNotIn("\x1b", text)
        self.assertIsNone(self.documents("-n", "1", "-d", "0.2")[0]["talkers"])
        for wrong in (("-d", "0"), ("-d", "soon"), ("-n", "-1"), ("-l", "0")):
            self.assertEqual(self.lab.ctl("top", *wrong, check=False).returncode, 2, wrong)

    def test_a_reload_and_a_reset_while_it_runs(self):
        self.start()
        process = subprocess.Popen([str(RAMPARTCTL), "--socket", str(self.lab.socket), "--json", "top", "-d", "0.1"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        shown = lambda: json.loads(process.stdout.readline())
        self.assertEqual(shown()["generation"], 1)
        self.lab.ping("inside", ADDRESS4["outside"])
        self.lab.ctl("counters", "reset")
        self.assertEqual(self.lab.apply(self.lab.config.read_text()).returncode, 0)
        while shown()["generation"] != 2:
            pass
        self.lab.spawn("inside", "ping", "-i", "0.05", ADDRESS4["outside"])
        while not any(rule["rule"] == "est" for rule in shown()["rules"]):
            pass
        process.terminate()
        self.assertEqual(process.wait(10), 0)

    def on_terminal(self, environment):
        """What it writes to a terminal of 24 lines until the first page is there, and after `q`."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        process = subprocess.Popen([str(RAMPARTCTL), "--socket", str(self.lab.socket), "top", "-d", "0.2"],
                                   stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                   env={**os.environ, "TERM": "xterm-256color", **environment})
        os.close(slave)
        self.addCleanup(os.close, master)
        written = b""
        while b"Ports" not in written:
            written += os.read(master, 65536)
        os.write(master, b"q")
        while process.poll() is None or not written.endswith(b""):
            try:
                written += os.read(master, 65536)
            except OSError:
                break
        self.assertEqual(process.wait(10), 0)
        return written.decode()

    def test_on_a_terminal_it_has_the_screen_until_q(self):
        self.start()
        coloured = self.on_terminal({})
        self.assertIn("\x1b[?1049h", coloured)   # another screen, and back
        self.assertIn("\x1b[?1049l", coloured)
        self.assertIn("\x1b[36m", coloured)
        self.assertNotIn("\x1b[36m", self.on_terminal({"NO_COLOR": "1"}))


if __name__ == "__main__":
    unittest.main()
