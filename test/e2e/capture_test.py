"""`pcap` while traffic flows: files that tcpdump and tshark read hold what the hosts sent."""
import json
import os
import shutil
import signal
import subprocess
import unittest

from lab import ADDRESS4, ADDRESS6, RAMPARTCTL, Lab, run, wait_until
from routed_test import NETWORK, RoutedLab

RULES = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: est, state: established, action: accept }
      - { id: ping, in: inside, proto: [icmp, icmpv6], state: new, action: accept }
      - { id: web, in: inside, proto: tcp, dport: 8080, state: new, action: accept }
      - { id: noise, proto: udp, dport: 9, action: drop }
"""
TOOLS = [tool for tool in ("tcpdump", "tshark") if shutil.which(tool) is None]
# Sends what its arguments say: ADDRESS PORT COUNT PAYLOAD
SENDER = """
import socket, sys, time
address, port, count, payload = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
with socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.bind(('', 4000))
    for i in range(count):
        one.sendto(f'{payload}{i}'.encode(), (address, port))
        time.sleep(0.002)
"""
# Three datagrams in VLAN 7, as they are on the wire.
TAGGED = """
from scapy.all import Dot1Q, Ether, IP, UDP, sendp
sendp(Ether(src='02:00:00:00:00:01', dst='02:00:00:00:00:02') / Dot1Q(vlan=7) /
      IP(src='10.78.0.1', dst='10.78.0.2') / UDP(sport=4000, dport=9) / b'tagged', iface='eth0', count=3, verbose=False)
"""


class Capture:
    """A running `rampartctl pcap`."""

    def __init__(self, lab, *words, path=None, **options):
        self.path = path
        words = [*words, "-w", str(path)] if path else list(words)
        options.setdefault("stdout", subprocess.PIPE)
        self.process = subprocess.Popen([str(RAMPARTCTL), "--socket", str(lab.socket), "pcap", *words],
                                        stderr=subprocess.PIPE, text=path is not None or "text" in options,
                                        **{k: v for k, v in options.items() if k != "text"})

    def is_running(self):
        """The daemon has agreed: the file has its header."""
        return self.process.poll() is None and self.path.exists() and self.path.stat().st_size >= 24

    def end(self):
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=20)
        assert self.process.returncode == 0, said
        return said


def frames(path, *words):
    """What tcpdump makes of a file, a line per packet."""
    return run("tcpdump", "-n", "-r", path, *words).stdout.splitlines()


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@unittest.skipIf(TOOLS, f"not installed: {', '.join(TOOLS)}")
class Pcap(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(workers=2).__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        self.lab.start(self.lab.configuration(RULES))
        self.assertTrue(wait_until(lambda: self.lab.ping("inside", ADDRESS4["outside"]), 10))

    def begin(self, *words, name="got.pcap"):
        capture = Capture(self.lab, *words, path=self.lab.directory / name)
        self.addCleanup(capture.process.communicate)
        self.addCleanup(capture.process.kill)
        self.assertTrue(wait_until(capture.is_running, 10))
        return capture

    def send(self, address=ADDRESS4["outside"], port=9, count=20, payload="datagram "):
        self.lab.host("inside", "/usr/bin/python3", "-c", SENDER, address, port, count, payload)

    def holds(self, capture, count, *words):
        self.assertTrue(wait_until(lambda: len(frames(capture.path, *words)) >= count, 15))

    def test_the_file_holds_what_the_host_sent_and_can_be_read_while_it_grows(self):
        sent = self.lab.directory / "sent.pcap"
        host = self.lab.spawn("inside", "tcpdump", "-U", "-n", "-i", "eth0", "-Q", "out", "-w", sent,
                              "icmp and host " + ADDRESS4["outside"])
        self.assertTrue(wait_until(lambda: sent.exists() and sent.stat().st_size >= 24, 10))
        capture = self.begin("-i", "inside", "icmp and src host " + ADDRESS4["inside"])
        self.lab.host("inside", "ping", "-c", "5", "-i", "0.05", "-s", "1400", ADDRESS4["outside"])
        self.holds(capture, 5)   # it is still open
        self.lab.host("inside", "ping", "-c", "5", "-i", "0.05", "-s", "64", ADDRESS4["outside"])
        self.holds(capture, 10)
        self.assertTrue(wait_until(lambda: len(frames(sent)) == 10, 10))
        said = capture.end()
        host.terminate()
        host.wait(10)
        dump = lambda path: run("tshark", "-r", path, "-T", "fields", "-e", "frame.len", "-e", "ip.id", "-e",
                                "icmp.seq", "-e", "data").stdout
        self.assertEqual(dump(capture.path), dump(sent))
        self.assertIn("10 packets captured\n0 packets lost", said)
        self.assertIn("Wireshark/tcpdump/... - nanosecond pcap", run("capinfos", "-t", capture.path).stdout)
        self.assertNotIn("alformed", run("tshark", "-r", capture.path).stdout)

    def test_filters_for_families_tags_directions_and_lengths(self):
        six = self.begin("ip6 and icmp6 and ip6[40] == 128", name="six.pcap")
        both = self.begin("-i", "outside", "icmp", "-s", "60", name="both.pcap")
        tagged = self.begin("vlan 7", "and", "ip", name="tagged.pcap")
        self.lab.host("inside", "ping", "-c", "3", "-i", "0.05", ADDRESS6["outside"])
        self.lab.host("inside", "ping", "-c", "3", "-i", "0.05", "-s", "1000", ADDRESS4["outside"])
        self.lab.host("inside", "/usr/bin/python3", "-c", TAGGED)
        self.holds(six, 6)     # each comes in and goes out
        self.holds(both, 6)    # requests go out there, replies come in
        self.holds(tagged, 3)
        for capture in (six, both, tagged):
            capture.end()
        self.assertEqual(len([line for line in frames(both.path) if "echo request" in line]), 3)
        self.assertEqual(len([line for line in frames(both.path) if "echo reply" in line]), 3)
        self.assertEqual(set(run("tshark", "-r", both.path, "-T", "fields", "-e", "frame.len", "-e",
                                 "frame.cap_len").stdout.splitlines()), {"1042\t60"})
        self.assertEqual(set(run("tshark", "-r", tagged.path, "-T", "fields", "-e", "vlan.id").stdout.split()), {"7"})

    def test_drops_by_reason_and_by_rule(self):
        every = self.begin("--drops", "udp", name="every.pcap")
        policy = self.begin("--drops=policy", "udp", name="policy.pcap")
        noise = self.begin("--rule", "noise", name="noise.pcap")
        ping = self.begin("--rule=ping", name="ping.pcap")
        refused = self.lab.ctl("pcap", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("4 captures are running already", refused.stderr)
        before = self.lab.drops()
        self.send(port=9, count=20)
        self.send(port=10, count=10)
        self.lab.host("inside", "ping", "-c", "3", "-i", "0.05", ADDRESS4["outside"])
        self.holds(every, 30)
        self.holds(policy, 10)
        self.holds(noise, 20)
        after = self.lab.drops()
        for capture in (every, policy, noise, ping):
            capture.end()
        self.assertEqual(after["rule"] - before["rule"], 20)
        self.assertEqual(len(frames(every.path, "port 9")), 20)
        self.assertEqual((len(frames(policy.path)), len(frames(policy.path, "port 10"))), (10, 10))
        self.assertEqual((len(frames(noise.path)), len(frames(noise.path, "udp port 9"))), (20, 20))
        # Each ping of its own begins one flow, and only its first packet is new.
        self.assertEqual([line for line in frames(ping.path) if "echo request" not in line], [])
        self.assertEqual(len(frames(ping.path)), 1)
        payload = run("tshark", "-r", noise.path, "-T", "fields", "-e", "data").stdout.split()
        self.assertEqual([bytes.fromhex(text).decode() for text in payload], [f"datagram {i}" for i in range(20)])

    def test_a_rule_is_followed_through_a_reload(self):
        capture = self.begin("--rule", "noise")
        self.send(count=10)
        self.holds(capture, 10)
        moved = RULES.replace("      - { id: noise", "      - { id: before, proto: udp, dport: 7, action: drop }\n"
                                                     "      - { id: noise")
        for rules in (moved, RULES, moved):
            self.assertEqual(self.lab.apply(self.lab.configuration(rules)).returncode, 0)
        self.send(count=10)
        self.holds(capture, 20)
        self.assertEqual(self.lab.apply(self.lab.configuration(RULES.replace("id: noise", "id: other"))).returncode, 0)
        self.send(count=10)
        self.assertEqual(self.lab.apply(self.lab.configuration(RULES)).returncode, 0)
        self.send(count=5)
        self.holds(capture, 25)
        capture.end()
        self.assertEqual(len(frames(capture.path)), 25)

    def test_a_client_that_goes_away_ends_its_capture(self):
        for _ in range(3):
            held = [self.begin("udp port 9", name=f"{i}.pcap") for i in range(4)]
            for capture in held:
                capture.process.kill()
                capture.process.wait()
            # As soon as the workers are through with their filters there is room for others.
            self.assertTrue(wait_until(
                lambda: self.lab.ctl("pcap", "-c", "1", "ip", check=False, timeout=20).returncode == 0
                if self.lab.spawn("inside", "ping", "-c", "20", "-i", "0.1", ADDRESS4["outside"]) else False, 20))
        self.assertTrue(self.lab.ping("inside", ADDRESS4["outside"]))

    def test_lines_for_people_documents_and_a_pipe_to_tcpdump(self):
        self.lab.spawn("inside", "ping", "-i", "0.05", ADDRESS4["outside"])
        lines = self.lab.ctl("pcap", "-i", "inside", "-c", "4", "icmp").stdout.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertRegex(lines[0], r"^\d\d:\d\d:\d\d\.\d{6} inside (received|sent) icmp 10\.77\.0\.\d > 10\.77\.0\.\d "
                                   r"type [08] code 0, 84 bytes, ttl 64(, rule (est|ping))?$")
        document = json.loads(self.lab.ctl("--json", "pcap", "-c", "1", "icmp").stdout.splitlines()[0])
        self.assertEqual((document["length"], document["point"] in ("received", "sent")), (98, True))
        piped = Capture(self.lab, "-c", "4", "-w", "-", "icmp", stdout=subprocess.PIPE)
        told = subprocess.run(["tcpdump", "-n", "-r", "-"], stdin=piped.process.stdout, capture_output=True, text=True,
                              timeout=20)
        piped.process.stdout.close()
        self.assertEqual(piped.process.wait(20), 0)
        piped.process.stderr.close()
        self.assertEqual(told.stdout.count("ICMP echo"), 4)

    def test_mistakes_are_named(self):
        for words, code, text in ((("no such word",), 2, "is no filter"), (("-i", "lan"), 2, "no interface"),
                                  (("--drops=polcy",), 2, "policy"), (("--rule", "nobody"), 1, "no rule"),
                                  (("-c", "many"), 2, "-c takes"), (("-s", "-1"), 2, "-s")):
            done = self.lab.ctl("pcap", *words, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(text, done.stderr)
        path = self.lab.directory / "never.pcap"
        self.assertEqual(self.lab.ctl("pcap", "-w", path, "no such word", check=False).returncode, 2)
        self.assertFalse(path.exists())
        self.lab.spawn("inside", "ping", "-i", "0.05", ADDRESS4["outside"])
        done = self.lab.ctl("pcap", "-w", "/proc/none/x.pcap", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/proc/none/x.pcap", done.stderr)

    def test_a_fast_transfer_is_captured_or_counted_as_lost(self):
        (self.lab.directory / "www").mkdir()
        (self.lab.directory / "www" / "large").write_bytes(os.urandom(20_000_000))
        self.lab.serve_http("outside", 8080)
        capture = self.begin("-i", "inside", "tcp port 8080")
        before = next(p for p in self.lab.ctl_json("stats")["ports"] if p["name"] == "inside")
        self.lab.host("inside", "curl", "-sS", "-o", "/dev/null", f"http://{ADDRESS4['outside']}:8080/large")
        after = next(p for p in self.lab.ctl_json("stats")["ports"] if p["name"] == "inside")
        self.assertTrue(wait_until(lambda: self.lab.flows(dport=8080) == [] or True, 1))
        said = capture.end()
        captured, lost = (int(line.split()[0]) for line in said.splitlines()[-2:])
        moved = sum(after[key] - before[key] for key in ("received_packets", "transmitted_packets"))
        self.assertEqual(len(frames(capture.path)), captured)
        self.assertGreater(captured, 0)
        # Neighbour discovery and the last segments may come beside.
        self.assertLess(abs(captured + lost - moved), 50)


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@unittest.skipIf(TOOLS, f"not installed: {', '.join(TOOLS)}")
class Translated(unittest.TestCase):
    def test_received_is_before_translation_and_sent_behind_it(self):
        rules = """\
chains:
  forward: { policy: accept }
nat:
  postrouting:
    - { id: masq, out: outside, masquerade: true }
"""
        with RoutedLab() as lab:
            lab.start(lab.configuration(rules))
            server = NETWORK["outside"] + ".2"
            self.assertTrue(wait_until(lambda: lab.ping("inside", server), 10))
            got = {}
            for side in ("inside", "outside"):
                got[side] = Capture(lab, "-i", side, "icmp[0] == 8", path=lab.directory / f"{side}.pcap")
                self.addCleanup(got[side].process.communicate)
                self.assertTrue(wait_until(got[side].is_running, 10))
            lab.host("inside", "ping", "-c", "3", "-i", "0.05", server)
            for side, source, hops in (("inside", ".2", "64"), ("outside", ".1", "63")):
                self.assertTrue(wait_until(lambda: len(frames(got[side].path)) == 3, 10),
                                frames(got[side].path))
                fields = run("tshark", "-r", got[side].path, "-T", "fields", "-e", "ip.src", "-e", "ip.ttl").stdout
                self.assertEqual(set(fields.splitlines()), {f"{NETWORK[side]}{source}\t{hops}"})
                got[side].end()
            refused = lab.ctl("pcap", "--rule", "masq", check=False)
            self.assertEqual((refused.returncode, "translates" in refused.stderr), (1, True))


if __name__ == "__main__":
    unittest.main()
