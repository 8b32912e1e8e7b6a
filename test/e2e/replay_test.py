"""rampart-replay on small captures that are written and read here. Needs neither root nor scapy."""
import json
import pathlib
import socket
import struct
import subprocess
import tempfile
import unittest

from lab import BUILD, ROOT

REPLAY = BUILD / "app/rampart-replay/rampart-replay"
INSIDE, OUTSIDE = "10.0.0.2", "192.0.2.1"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START_NS = 1_700_000_000_000_001_000

CONFIG = """\
version: 1
interfaces:
  inside: { device: "0000:01:00.0", bridge: outside }
  outside: { device: "0000:01:00.1" }
bridge: { pass: [arp] }
conntrack: { max: 1024 }
chains:
  forward:
    policy: drop
    rules:
      - { id: established, state: [established, related], action: accept }
      - { id: no-telnet, in: inside, proto: tcp, dport: 23, action: reject }
      - { id: out, in: inside, state: new, action: accept }
"""


# -- packets -------------------------------------------------------------------------------------

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(payload, ether_type=0x0800, tag=b""):
    return b"\2\0\0\0\0\2\2\0\0\0\0\1" + tag + struct.pack("!H", ether_type) + payload


def ipv4(src, dst, protocol, payload):
    addresses = socket.inet_aton(src) + socket.inet_aton(dst)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0)
    return header[:10] + struct.pack("!H", checksum(header + addresses)) + addresses + payload


def transport(src, dst, protocol, segment, checksum_at):
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst)
    pseudo += struct.pack("!HH", protocol, len(segment))
    filled = struct.pack("!H", checksum(pseudo + segment))
    segment = segment[:checksum_at] + filled + segment[checksum_at + 2:]
    return ethernet(ipv4(src, dst, protocol, segment))


def tcp(src, sport, dst, dport, flags, seq, ack=0, data=b""):
    header = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 65535, 0, 0)
    return transport(src, dst, 6, header + data, 16)


def udp(src, sport, dst, dport, data=b"data"):
    return transport(src, dst, 17, struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data, 6)


def arp(sender, target):
    return ethernet(struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, b"\2\0\0\0\0\1",
                                socket.inet_aton(sender), b"\0" * 6, socket.inet_aton(target)),
                    0x0806)


def outbound(flags, seq, ack=0, data=b"", dport=80):
    return tcp(INSIDE, 4000, OUTSIDE, dport, flags, seq, ack, data)


def inbound(flags, seq, ack=0, data=b""):
    return tcp(OUTSIDE, 80, INSIDE, 4000, flags, seq, ack, data)


CONVERSATION = [
    outbound(SYN, 100), inbound(SYN | ACK, 500, 101), outbound(ACK, 101, 501),
    outbound(PSH | ACK, 101, 501, b"question"), inbound(PSH | ACK, 501, 109, b"answer"),
    outbound(FIN | ACK, 109, 507), inbound(FIN | ACK, 507, 110), outbound(ACK, 110, 508),
]


# -- capture files -------------------------------------------------------------------------------

def pcap(packets, nanoseconds=False, link=1):
    """`packets`: (seconds since START_NS, frame) or (seconds, frame, captured length)."""
    magic = 0xa1b23c4d if nanoseconds else 0xa1b2c3d4
    out = struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    for seconds, frame, *cut in packets:
        ns = START_NS + round(seconds * 1e9)
        captured = frame[:cut[0]] if cut else frame
        fraction = ns % 10**9 if nanoseconds else ns % 10**9 // 1000
        out += struct.pack("<IIII", ns // 10**9, fraction, len(captured), len(frame)) + captured
    return out


def read_pcap(path):
    """(nanoseconds since 1970, captured bytes, length on the wire) of each packet."""
    data = path.read_bytes()
    unit = {0xa1b2c3d4: 1000, 0xa1b23c4d: 1}[struct.unpack_from("<I", data)[0]]
    packets, at = [], 24
    while at < len(data):
        seconds, fraction, captured, length = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16:at + 16 + captured]
        packets.append((seconds * 10**9 + fraction * unit, frame, length))
        at += 16 + captured
    return packets


class ReplayTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="rampart-replay-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.input = self.directory / "in.pcap"
        self.output = self.directory / "out.pcap"
        self.config = self.directory / "fw.yaml"
        self.config.write_text(CONFIG)

    def run_words(self, *words):
        return subprocess.run([REPLAY, *map(str, words)], text=True, capture_output=True,
                              timeout=60)

    def replay(self, capture, *words, status=0):
        """Replays packets, or the bytes of a file."""
        self.input.write_bytes(capture if isinstance(capture, bytes) else pcap(capture))
        done = self.run_words(self.input, self.output, "--config", self.config, "--source",
                              "10.0.0.0/8=inside", "--from", "outside", *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def verdicts(self, capture, *words):
        lines = self.replay(capture, "--json", *words).stdout.splitlines()
        return [json.loads(line) for line in lines]

    def assert_refused(self, done, status, *texts):
        self.assertEqual(done.returncode, status, done.stderr)
        for text in texts:
            self.assertIn(text, done.stderr)

    # -- verdicts --------------------------------------------------------------------------------

    def test_a_tcp_conversation_passes_unchanged(self):
        packets = [(n * 0.01, frame) for n, frame in enumerate(CONVERSATION)]
        done = self.replay(packets, "--verdicts", "--flows", "-")
        *lines, flow = done.stdout.splitlines()
        self.assertEqual(len(lines), len(packets))
        place = self.config
        self.assertEqual(lines[0], f"1 0.000000000 inside > outside new, rule out {place}:13")
        self.assertEqual(lines[1],
                         f"2 0.010000000 outside > inside established, rule established {place}:11")
        for line in lines[2:]:
            self.assertRegex(line, r"^\d \S+ (inside > outside|outside > inside) established, ")
        self.assertEqual(
            flow, "tcp      6 120 TIME_WAIT src=10.0.0.2 dst=192.0.2.1 sport=4000 dport=80 "
            "src=192.0.2.1 dst=10.0.0.2 sport=80 dport=4000 [ASSURED] mark=0 use=1")
        self.assertEqual([(ns, frame) for ns, frame, _ in read_pcap(self.output)],
                         [(START_NS + n * 10_000_000, f) for n, f in enumerate(CONVERSATION)])
        self.assertIn("8 packets: 8 forwarded, 0 dropped, 0 replies", done.stderr)

    def test_bursts_give_the_same_verdicts(self):
        packets = [(0, frame) for frame in CONVERSATION]
        single = self.verdicts(packets)
        self.assertEqual(self.verdicts(packets, "--burst", "3"), single)
        self.assertEqual(self.verdicts(packets, "--burst", "64"), single)
        self.assertEqual([p[1] for p in read_pcap(self.output)], CONVERSATION)

    def test_the_policy_drops_what_comes_from_outside(self):
        done = self.replay([(0, inbound(SYN, 1))], "--verdicts")
        self.assertEqual(done.stdout, "1 0.000000000 outside drop policy new, policy of forward\n")
        self.assertIn("dropped policy", done.stderr)
        self.assertEqual(read_pcap(self.output), [])

    def test_an_invalid_packet_says_why(self):
        broken = CONVERSATION[0][:-1] + b"\xff"
        [verdict] = self.verdicts([(0, broken)])
        self.assertEqual((verdict["class"], verdict["invalid"], verdict["reason"]),
                         ("invalid", "checksum", "policy"))

    def test_udp_times_out_by_the_times_of_the_capture(self):
        ask, answer = udp(INSIDE, 4000, OUTSIDE, 53), udp(OUTSIDE, 53, INSIDE, 4000)
        in_time, late = (self.verdicts([(0, ask), (seconds, answer)]) for seconds in (29, 31))
        self.assertEqual((in_time[1]["verdict"], in_time[1]["class"]), ("forward", "established"))
        self.assertEqual((late[1]["verdict"], late[1]["reason"], late[1]["class"]),
                         ("drop", "policy", "new"))

    def test_time_neither_runs_backwards_nor_loses_count(self):
        ask, answer = udp(INSIDE, 4000, OUTSIDE, 53), udp(OUTSIDE, 53, INSIDE, 4000)
        years = 30 * 365 * 86400
        verdicts = self.verdicts([(0, ask), (-years, answer), (20, ask), (5, answer),
                                  (years, answer)])
        self.assertEqual([v["verdict"] for v in verdicts], ["forward"] * 4 + ["drop"])
        self.assertEqual(verdicts[1]["since_first"], f"-{years}.000000000")
        done = self.replay([(1, ask), (0, answer)], "--flows", "-")
        self.assertIn("1 packets are older", done.stderr)
        self.assertTrue(done.stdout.startswith("udp      17 30 src=10.0.0.2"), done.stdout)

    def test_a_rejected_packet_is_answered_in_its_place(self):
        telnet = outbound(SYN, 7, dport=23)
        for burst in ("1", "8"):
            verdicts = self.verdicts([(0, CONVERSATION[0]), (1, telnet), (2, CONVERSATION[1])],
                                     "--burst", burst)
            self.assertEqual(verdicts[1]["verdict"], "reject")
            self.assertEqual((verdicts[1]["rule"], verdicts[1]["answered"]), ("no-telnet", True))
            packets = read_pcap(self.output)
            self.assertEqual([ns - START_NS for ns, *_ in packets], [0, 10**9, 2 * 10**9])
            reset = packets[1][1]
            self.assertEqual(reset[:12], telnet[6:12] + telnet[:6])
            self.assertEqual(reset[26:34], socket.inet_aton(OUTSIDE) + socket.inet_aton(INSIDE))
            self.assertEqual(struct.unpack_from("!HHIIxB", reset, 34), (23, 4000, 0, 8, RST | ACK))
        self.assertIn("2 forwarded, 1 dropped, 1 replies",
                      self.replay([(0, CONVERSATION[0]), (1, telnet), (2, CONVERSATION[1])]).stderr)

    def test_the_source_decides_by_which_interface_a_packet_enters(self):
        tagged = CONVERSATION[0][:12] + b"\x81\0\0\5" + CONVERSATION[0][12:]
        verdicts = self.verdicts([(0, tagged), (0, arp(INSIDE, "10.0.0.9")),
                                  (0, arp(OUTSIDE, "10.0.0.9")), (0, b"\1\2\3")])
        self.assertEqual([v["in"] for v in verdicts], ["inside", "inside", "outside", "outside"])
        self.assertEqual([v["verdict"] for v in verdicts], ["forward"] * 3 + ["drop"])
        self.assertNotIn("class", verdicts[1])

        self.input.write_bytes(pcap([(0, inbound(SYN, 1))]))
        done = self.run_words(self.input, self.output, "--config", self.config, "--verdicts")
        self.assertIn(" inside > outside new, ", done.stdout)  # the first of the configuration

    def test_jumbo_frames_pass_whole(self):
        for size in (2040, 9000, 60000):
            frame = udp(INSIDE, 4000, OUTSIDE, 53, bytes(range(256)) * (size // 256 + 1))
            self.replay([(0, frame)] * 3, "--burst", "3")
            self.assertEqual([p[1] for p in read_pcap(self.output)], [frame] * 3)

    def test_frames_that_the_capture_cut_are_replayed_as_they_are(self):
        cut = arp(INSIDE, OUTSIDE) + b"\0" * 18
        done = self.replay([(0, cut, 42), (0, CONVERSATION[0], 50)], "--verdicts")
        self.assertIn("inside > outside -", done.stdout)
        self.assertIn("inside drop ", done.stdout)
        self.assertIn("note: 2 packets were cut short", done.stderr)
        self.assertEqual(read_pcap(self.output), [(START_NS, cut[:42], 60)])

    def test_nanoseconds_are_kept(self):
        self.replay(pcap([(0, CONVERSATION[0]), (1.5e-8, CONVERSATION[0])], nanoseconds=True))
        self.assertEqual(self.output.read_bytes()[:4], struct.pack("<I", 0xa1b23c4d))
        self.assertEqual([ns - START_NS for ns, *_ in read_pcap(self.output)], [0, 15])
        self.replay([(0, CONVERSATION[0])])
        self.assertEqual(self.output.read_bytes()[:4], struct.pack("<I", 0xa1b2c3d4))

    def test_two_runs_give_the_same(self):
        packets = [(n / 7, udp(INSIDE, 1000 + n % 300, OUTSIDE, 53)) for n in range(2000)]
        flows = self.directory / "flows"
        results = []
        for _ in range(2):
            done = self.replay(packets, "--verdicts", "--flows", flows)
            results.append((done.stdout, done.stderr, flows.read_text(), self.output.read_bytes()))
        self.assertEqual(results[0], results[1])
        self.assertGreater(len(results[0][2].splitlines()), 100)

    # -- what cannot be replayed -----------------------------------------------------------------

    def test_inputs_that_are_no_captures(self):
        for content, text in ((b"", "an empty file"), (b"abc", "not a capture"),
                              (b"x" * 4096, "not a capture"),
                              (pcap([], link=113), "link type LINUX_SLL"),
                              (pcap([])[:20], "not a capture")):
            self.assert_refused(self.replay(content, status=1), 1, "in.pcap", text)
        missing = self.run_words(self.directory / "none", self.output, "--config", self.config)
        self.assert_refused(missing, 1, "none: cannot be read: No such file")
        folder = self.run_words(self.directory, self.output, "--config", self.config)
        self.assert_refused(folder, 1, "cannot be read: Is a directory")

    def test_a_capture_without_packets(self):
        self.assertIn("0 packets", self.replay([]).stderr)
        self.assertEqual(read_pcap(self.output), [])

    def test_a_capture_that_breaks_off_is_replayed_so_far(self):
        done = self.replay(pcap([(0, frame) for frame in CONVERSATION])[:-5], status=1)
        self.assert_refused(done, 1, "7 packets: 7 forwarded", "truncated")
        self.assertEqual([p[1] for p in read_pcap(self.output)], CONVERSATION[:7])

    def test_outputs_that_cannot_be_written(self):
        self.input.write_bytes(pcap([(0, CONVERSATION[0])]))
        for output, text in ((self.directory / "no/out", "No such file"), ("/dev/full", "No space"),
                             (self.directory, "Is a directory")):
            self.assert_refused(self.run_words(self.input, output, "--config", self.config), 1,
                                "cannot be written: " + text)
        self.replay([(0, CONVERSATION[0])], "--flows", self.directory / "no/flows", status=1)
        self.replay([(0, CONVERSATION[0])], "--flows", "/dev/full", status=1)
        self.input.write_bytes(pcap([(0, CONVERSATION[0])] * 1000))
        with open("/dev/full", "w") as full:
            done = subprocess.run([REPLAY, self.input, self.output, "--config", self.config,
                                   "--verdicts"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assert_refused(done, 1, "standard output: cannot be written")

    def test_nothing_is_overwritten(self):
        self.input.write_bytes(pcap([(0, CONVERSATION[0])]))
        before = self.input.read_bytes()
        link = self.directory / "link.pcap"
        link.symlink_to(self.input)
        for words in ((self.input, self.input), (self.input, link), (self.input, self.config),
                      (self.input, self.output, "--flows", self.output),
                      (self.input, self.output, "--flows", self.input)):
            self.assert_refused(self.run_words(*words, "--config", self.config), 2, "same file")
        self.assertEqual((self.input.read_bytes(), self.config.read_text()), (before, CONFIG))

    def test_wrong_usage(self):
        self.input.write_bytes(pcap([]))
        good = (self.input, self.output, "--config", self.config)
        for words, text in (((*good, "--from", "lan"), "its interfaces are inside, outside"),
                            ((*good, "--source", "10.0.0.0/8=lan"), "no interface 'lan'"),
                            ((*good, "--source", "10.0.0.0/33=inside"), "not PREFIX=INTERFACE"),
                            ((*good, "--source", "inside"), "not PREFIX=INTERFACE"),
                            ((*good, "--burst", "65"), "--burst"),
                            ((*good, "--burst", "0"), "--burst"),
                            ((self.input, self.output), "--config"), ((), "required"),
                            ((*good, "--nonsense"), "--nonsense")):
            self.assert_refused(self.run_words(*words), 2, text)
        self.assertEqual(self.run_words("--help").returncode, 0)

    def test_a_configuration_with_errors(self):
        self.config.write_text(CONFIG.replace("action: reject", "action: refuse"))
        self.assert_refused(self.replay([], status=4), 4, f"{self.config}:12:", "1 error")
        self.assertFalse(self.output.exists())
        self.config.unlink()
        self.replay([], status=4)

    def test_the_configurations_that_come_with_it(self):
        for self.config in sorted((ROOT / "config").glob("*.yaml")):
            self.input.write_bytes(pcap([(0, CONVERSATION[0])]))
            done = self.run_words(self.input, self.output, "--config", self.config, "--verdicts")
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
