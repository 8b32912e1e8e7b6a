"""`rampartctl conntrack` against the real `conntrack`: the same packets, the same lines.

    client --- rampartd (bridge) --- router: the kernel's conntrack --- server
    10.77.0.1, fd77::1               10.77.0.2 | 10.78.0.1             10.78.0.2, fd78::2

The router sees every packet that rampartd passes, with the same addresses and ports. What both print must be
equal byte for byte, after the remaining seconds, the ids and the times have been replaced.
"""
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

from lab import RAMPARTCTL, Lab, run, wait_until

SERVER4, SERVER6 = "10.78.0.2", "fd78::2"
TIMEOUTS = "udp: 30s"
CONFIG = """\
chains:
  forward: { policy: accept }
"""
SETTINGS = ("nf_conntrack_acct=1", "nf_conntrack_timestamp=1")

SERVE = r"""
import socket, threading, time
def tcp(family, port, linger):
    s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port)); s.listen()
    keep = []
    while True:
        c, _ = s.accept()
        c.send(c.recv(100))
        if linger: keep.append(c)
        else: c.recv(100); c.close()
def udp(family, port):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    while True:
        data, peer = s.recvfrom(2000)
        if data != b"quiet": s.sendto(data, peer)
for job in ((tcp, socket.AF_INET, 80, False), (tcp, socket.AF_INET, 443, True), (tcp, socket.AF_INET6, 8080, True),
            (udp, socket.AF_INET, 53), (udp, socket.AF_INET6, 5353)):
    threading.Thread(target=job[0], args=job[1:], daemon=True).start()
time.sleep(600)
"""

# Every protocol and most states, from fixed ports.
PLAY = r"""
import socket, struct, time
S4, S6 = "10.78.0.2", "fd78::2"
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8): crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff
def tcp(family, sport, address, port):
    s = socket.socket(family); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("", sport)); s.connect((address, port)); s.send(b"hello"); s.recv(10)
    return s
def udp(family, sport, address, port, data=b"x"):
    s = socket.socket(family, socket.SOCK_DGRAM); s.bind(("", sport)); s.connect((address, port)); s.send(data)
    if data != b"quiet": s.settimeout(3); s.recv(10)
    return s
keep = [tcp(socket.AF_INET, 40001, S4, 443), tcp(socket.AF_INET6, 40002, S6, 8080)]
closed = tcp(socket.AF_INET, 40003, S4, 80); closed.close()
try: tcp(socket.AF_INET, 40004, S4, 81)
except ConnectionRefusedError: pass
stream = udp(socket.AF_INET, 40005, S4, 53)
udp(socket.AF_INET, 40006, S4, 53); udp(socket.AF_INET, 40007, S4, 9, b"quiet"); udp(socket.AF_INET6, 40008, S6, 5353)
def sum16(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
# The kernel checks UDP-Lite with the protocol number of UDP.
pseudo = socket.inet_aton("10.77.0.1") + socket.inet_aton(S4) + struct.pack("!HH", 17, 12)
lite = struct.pack("!HHHH", 40009, 7, 0, 0) + b"lite"
lite = struct.pack("!HHHH", 40009, 7, 0, sum16(pseudo + lite)) + b"lite"
socket.socket(socket.AF_INET, socket.SOCK_RAW, 136).sendto(lite, (S4, 0))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253); raw.sendto(b"whatever", (S4, 0))
gre = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47); gre.sendto(b"\0\0\x08\0" + bytes(20), (S4, 0))
init = struct.pack("!HHI", 40010, 3868, 0) + bytes(4) + struct.pack("!BBHIIHHI", 1, 0, 20, 7, 65536, 1, 1, 1)
init = init[:8] + struct.pack("<I", crc32c(init)) + init[12:]
sctp = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132); sctp.sendto(init, (S4, 0))
time.sleep(2.3)
for _ in range(2): stream.send(b"y"); stream.recv(10)
print("played", flush=True)
time.sleep(600)
"""

# TCP 3 (a refused one leaves none), UDP 4, UDP-Lite, GRE, SCTP, protocol 253, two pings.
FLOWS = 13

FORMS = ("", "-o extended", "-o id", "-o timestamp", "-o ktimestamp", "-o xml", "-o xml,ktimestamp", "-o save",
         "-o extended,id,timestamp,ktimestamp")


class Path(Lab):
    """The lab with a server behind the outside host, which becomes a router with connection tracking."""

    def __init__(self):
        super().__init__("net_af_packet", hugepages="never")
        self.server = f"{self.tag}-server"

    def open(self):
        super().open()
        router = self.names["outside"]
        run("ip", "netns", "add", self.server)
        run("ip", "-n", self.server, "link", "set", "lo", "up")
        run("ip", "-n", router, "link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns",
            self.server)
        for name, device, address4, address6 in ((router, "eth1", "10.78.0.1", "fd78::1"),
                                                 (self.server, "eth0", SERVER4, SERVER6)):
            run("ip", "-n", name, "addr", "add", address4 + "/24", "dev", device)
            run("ip", "-n", name, "-6", "addr", "add", address6 + "/64", "dev", device, "nodad")
            run("ip", "-n", name, "link", "set", device, "up")
            run("ip", "netns", "exec", name, "ethtool", "-K", device, "tx", "off", "tso", "off", "gso", "off",
                check=False)
        for name, via4, via6 in ((self.names["inside"], "10.77.0.2", "fd77::2"),
                                 (self.server, "10.78.0.1", "fd78::1")):
            run("ip", "-n", name, "route", "add", "default", "via", via4)
            run("ip", "-n", name, "-6", "route", "add", "default", "via", via6)
        self.host("outside", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        # A rule about the state is what makes the kernel track in this namespace.
        self.host("outside", "nft", "add table inet t; add chain inet t f { type filter hook forward priority 0; };"
                  " add rule inet t f ct state new counter")
        self.host("outside", "sysctl", "-qw", *(f"net.netfilter.{setting}" for setting in SETTINGS))
        return self

    def close(self):
        super().close()
        run("ip", "netns", "del", self.server, check=False)

    def start_all(self):
        self.start(self.configuration(
            CONFIG, f"{{ accounting: true, timestamp: true, timeouts: {{ {TIMEOUTS} }} }}"))
        self.processes.append(subprocess.Popen(
            ["ip", "netns", "exec", self.server, "/usr/bin/python3", "-c", SERVE],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_until(lambda: ":8080 " in run("ip", "netns", "exec", self.server, "ss", "-Hlnt").stdout, 10)

    def play(self):
        """Returns the process that holds the connections open."""
        player = self.spawn("inside", "/usr/bin/python3", "-c", PLAY, stdout=subprocess.PIPE, text=True)
        self.assert_played(player)
        self.ping("inside", SERVER4)
        self.ping("inside", SERVER6)
        return player

    @staticmethod
    def assert_played(player):
        line = player.stdout.readline().strip()
        if line != "played":
            raise RuntimeError("the traffic did not get through")

    def theirs(self, *words):
        return self.host("outside", "conntrack", *words, check=False)

    def ours(self, *words):
        return self.ctl("conntrack", *words, check=False)

    def flush(self):
        self.theirs("-F")
        self.ours("-F")


def without_own_traffic(line):
    """Neighbour discovery aside, the router itself talks to nobody; its multicast reports may show up."""
    return "ff02::" not in line and "224.0.0" not in line


def masked(line):
    """The line with what must differ replaced."""
    line = re.sub(r" \[USERSPACE\].*", "", line)
    line = re.sub(r"^\[\d{10}\.\d{6}\]\t", "[WHEN]\t", line)
    line = re.sub(r"^((?: *\[\w+\] |\[WHEN\]\t *\[\w+\] )?(?:ipv[46] +\d+ )?\w+ +\d+ )\d+ ", r"\1T ", line)
    line = re.sub(r"(?<=^-[AUD] )-t \d+", "-t T", line)
    line = re.sub(r" --orig-vtag \d+ --reply-vtag \d+", "", line)  # docs/differences.md
    line = re.sub(r"<timeout>\d+<", "<timeout>T<", line)
    line = re.sub(r" id=\d{6,}$", " id=N", line)  # an ICMP identifier is shorter
    line = re.sub(r"<id>\d+<", "<id>N<", line)
    line = re.sub(r"delta-time=\d+", "delta-time=D", line)
    line = re.sub(r"<deltatime>\d+<", "<deltatime>D<", line)
    line = re.sub(r"<(start|stop)>\d{19}<", r"<\1>S<", line)
    return re.sub(r"\[(start|stop)=\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\]", r"[\1=S]", line)


def comparable(text):
    return sorted(masked(line) for line in text.splitlines() if without_own_traffic(line))


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@unittest.skipUnless(shutil.which("conntrack") and shutil.which("nft"), "the packages conntrack and nftables")
class SameAsTheKernel(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.path = Path()
        cls.addClassCleanup(cls.path.close)
        cls.path.open()
        cls.path.start_all()

    def setUp(self):
        time.sleep(0.2)  # the farewells of the last test
        self.path.flush()

    def play(self):
        player = self.path.play()
        self.addCleanup(player.stdout.close)
        self.addCleanup(player.wait)
        self.addCleanup(player.kill)

    def assert_same(self, *words):
        """Compares both sides' answers, again and again for a while: a flow may be on its way."""
        last = []

        def is_same():
            last[:] = [self.path.ours(*words), self.path.theirs(*words)]
            return comparable(last[0].stdout) == comparable(last[1].stdout) and \
                last[0].stderr == last[1].stderr
        wait_until(is_same, 3, 0.1)
        ours, theirs = last
        self.assertEqual(comparable(ours.stdout), comparable(theirs.stdout), words)
        self.assertEqual(ours.stderr, theirs.stderr, words)
        self.assertEqual(ours.returncode, theirs.returncode, words)
        return ours.stdout

    def test_listings_in_all_forms(self):
        self.play()
        listed = self.assert_same("-L")
        self.assertEqual(len(listed.splitlines()), FLOWS, listed)
        for form in FORMS[1:]:
            self.assert_same("-L", *form.split())
        self.remaining_seconds_agree()

    def remaining_seconds_agree(self):
        def seconds(text):
            found = {}
            for line in text.splitlines():
                match = re.match(r"(\w+ +\d+) (\d+) (.*?) packets=", line)
                found[match[1], re.sub(r"^[A-Z_]+ ", "", match[3])] = int(match[2])
            return found
        ours, theirs = (seconds(side("-L").stdout) for side in (self.path.ours, self.path.theirs))
        for flow, left in ours.items():
            if flow in theirs:
                self.assertLessEqual(abs(left - theirs[flow]), 2, flow)

    def test_filters_choose_the_same_flows(self):
        self.play()
        for words in ("-p tcp", "-p udp", "-p 17", "-p TCP --state ESTABLISHED", "-p tcp --state TIME_WAIT",
                      "-p tcp --state CLOSE", "-p tcp --sport 40001", "-p tcp --dport 443 --orig-port-src 40001",
                      "-p udp --reply-port-src 53", "-p udp --reply-port-dst 40005", "-p udplite", "-p sctp",
                      "-p gre", "-p gre --srckey 0", "-p 253", "-p icmp", "-p icmp --icmp-type 8",
                      "-p icmp --icmp-type 9", "-p icmpv6 --icmpv6-type 128", "-p ipv6-icmp", "-s 10.77.0.1",
                      "-s 10.77.0.0/24 -p tcp", "-d 10.78.0.2", "-d 10.0.0.0/8 -p icmp", "-s fd77::/64",
                      "-s 10.77.0.9 --mask-src 255.255.255.0", "-s 10.0.0.1 --mask-src 255.0.0.255",
                      "-r 10.78.0.2", "-q fd77::1", "-f ipv4", "-f ipv6", "-u ASSURED", "-u SEEN_REPLY",
                      "-u !SEEN_REPLY", "-u UNREPLIED", "-u ASSURED,SEEN_REPLY",
                      "-u assured", "-u EXPECTED", "-u FIXED_TIMEOUT", "-u OFFLOAD", "-u UNSET", "-u SRC_NAT",
                      "-m 0", "-m 1", "-m 0/0xf", "-w 0", "-w 7", "--orig-zone 7", "--reply-zone 0", "-n", "-g",
                      "-j", "-n 10.78.0.2", "-g 10.78.0.2:80", "-f ipv6 -o xml", "-p tcp -d 9.9.9.9 -o xml",
                      "-p udp --dport 53 -o save", "-o ext -p icmp", "-ptcp", "--proto udp", "conntrack -p icmp"):
            with self.subTest(words=words):
                self.assert_same("-L", *words.split())

    def test_one_flow_by_its_tuple(self):
        self.play()
        tcp = "-p tcp -s 10.77.0.1 -d 10.78.0.2 --sport 40001 --dport 443"
        for words in (tcp, tcp + " -o id", tcp + " -o xml", tcp + " -o save", tcp + " -o extended",
                      tcp + " -q 9.9.9.9", tcp + " -i 1",
                      "-p tcp -s 10.78.0.2 -d 10.77.0.1 --sport 443 --dport 40001",
                      "-p tcp -s 10.77.0.1 -d 10.78.0.2 --sport 40001 --dport 444",
                      "-p tcp -r 10.78.0.2 -q 10.77.0.1 --reply-port-src 443 --reply-port-dst 40001",
                      "-p udp -s fd77::1 -d fd78::2 --sport 40008 --dport 5353",
                      "-p 253 -s 10.77.0.1 -d 10.78.0.2", "-p gre -s 10.77.0.1 -d 10.78.0.2 --srckey 0 --dstkey 0"):
            with self.subTest(words=words):
                self.assert_same("-G", *words.split())

    def test_deleting_prints_what_goes(self):
        self.play()
        for words in ("-D -p udp --dport 53 -s 10.77.0.1", "-D -p tcp --state TIME_WAIT -o xml",
                      "-D -p udplite -o save", "-D -p 253 -o extended,id", "-D -p sctp", "-D -p 99",
                      "-D -f ipv6 -u SEEN_REPLY"):
            # Not repeated: what is deleted is gone.
            time.sleep(0.1)
            ours, theirs = self.path.ours(*words.split()), self.path.theirs(*words.split())
            self.assertEqual(comparable(ours.stdout), comparable(theirs.stdout), words)
            self.assertEqual((ours.stderr, ours.returncode), (theirs.stderr, theirs.returncode), words)
        self.assert_same("-L")
        self.assert_same("-F")
        self.assert_same("-L")
        self.assertEqual(self.path.ours("-C").stdout, "0\n")

    def test_counters_begin_anew_after_they_were_shown(self):
        self.play()
        self.assert_same("-L", "-p", "icmp")
        for side in (self.path.ours, self.path.theirs):
            self.assertIn("packets=1", side("-L", "-z", "-f", "ipv4").stdout)
        listed = self.assert_same("-L", "-p", "icmp")
        self.assertIn("packets=0 bytes=0", listed)

    def test_command_lines_that_are_wrong(self):
        tables = {
            "": "-L -C|-L -L|-C -L -p foo|-L -p foo -C|-p tcp|--nonsense|-L extra|-L -e NEW|-V -L",
            "-L": "-p|-s|--nonsense|-X|-p foo|-p 300|-p udp --sport|--sport 11|--sport 11 -p udp|-p icmp --sport 11|"
                  "-p tcp --state FOO|-p tcp --state established|-p udp --state ESTABLISHED|"
                  "-p icmp --icmpv6-type 128|-u FOO|-u ASSURED,FOO|-u CONFIRMED|-u DYING|-u !UNREPLIED|-f ipv5|-f inet|"
                  "-s 1.1.1.1/33|-s 1.1.1.1/x|-s 1.1.1.1/-1|-s fd00::/129|-s 1.1.1.300|-s localhost|-s fd00::1 -d 1.1.1.1|"
                  "-f ipv4 -s fd00::1|-s 1.1.1.1 -f ipv6|-s 1.1.1.1 --mask-src fd00::|-r 2.2.2.0/24|-q 1.1.1.0/24|"
                  "-n 9.9.9.9:|-n 9.9.9.9:x|-n 9.9.9.x|-j -n|-j -g 9.9.9.9|-z -p tcp|-z -s 1.1.1.1|-z -m 0|-z -w 0|"
                  "--mask-src 1.1.1.1|-d 1.1.1.1 --mask-src 1.1.1.1|-o foo|-o id,foo|-o id,,extended|-o|-o save,id|-o xml,save|"
                  "-i 5|-b 5|-t 1 -i 5 -b 1|--tuple-src 1.1.1.1|-d 2.2.2.2/255.255.255.0|foo",
            "-G": "|-s 1.1.1.1|-p tcp|-p tcp -s 1.1.1.1 --sport 1 --dport 2|-p tcp -s 1.1.1.1 -d 2.2.2.2 --sport 1|"
                  "-p tcp -r 2.2.2.2|-p tcp -r 2.2.2.2 -q 1.1.1.1 --reply-port-src 20|-p icmp -s 1.1.1.1 -d 2.2.2.2|"
                  "-p gre -s 1.1.1.1 -d 2.2.2.2|-p 253 -s 1.1.1.0/24 -d 2.2.2.2|-p 253 -s 1.1.1.1 -d 2.2.2.2 -w 7|"
                  "-p 253 -s 1.1.1.1 -d 2.2.2.2 -f ipv4|-p 253 -s 1.1.1.1 -d 2.2.2.2 -m 1",
            "-D": "-z -s 1.1.1.1|-b 5|-e ALL|-j|-c 1|--sport 5|-p udp --state x|dying|--tuple-src 1.1.1.1",
            "-F": "-s 1.1.1.1|-p tcp|-o id -m 1 -s 1.1.1.1|-w 1|-i 4|-n|dying",
            "-C": "-s 1.1.1.1|-f ipv4|-o id|-z|dying",
            "-S": "-p tcp|-f ipv4",
            "-E": "foo|dying|-e FOO|-e NEW,FOO|-e|-o foo|-o save,id|-u ASSURED|-z|-i 4|-t 1",
        }
        for command, lines in tables.items():
            for words in lines.split("|"):
                with self.subTest(words=f"{command} {words}"):
                    self.assert_same(*command.split(), *words.split())

    def test_command_lines_that_are_right(self):
        for words in ("-V", "-C", "-C expect", "-L expect", "-F expect", "-L dying", "-L unconfirmed", "-L conntrack",
                      "--count", "--dump", "-L -o extended -o id", "-L -u SEEN_REPLY", "-D -p 99", "-F", "-L -o xml"):
            self.assert_same(*words.split())

    # -- events --------------------------------------------------------------------------------

    def listen(self, *words):
        """Both sides' events, as processes."""
        router = ["ip", "netns", "exec", self.path.names["outside"], "conntrack"]
        own = [str(RAMPARTCTL), "--socket", str(self.path.socket), "conntrack"]
        pair = [subprocess.Popen([*command, "-E", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                for command in (own, router)]
        self.path.processes += pair
        return pair

    def events_of(self, process):
        """What it printed, flow by flow: only the order of one flow's events is the same on both sides."""
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        flows = {}
        for line in map(masked, filter(without_own_traffic, out.splitlines())):
            tuples = re.search(r"src=\S+ dst=\S+ (?:[a-z]+=\S+ )*|<src>.*?</layer4>|-s .* -p .*", line)
            key = re.sub(r"(packets|bytes)=\d+ |--state \w+", "", tuples[0]) if tuples else "frame"
            protocol = re.search(r"(?:tcp|udp|icmp|udplite|icmpv6|sctp|gre|unknown) +\d+|protonum=\"\d+\"", line)
            flows.setdefault((key, protocol and protocol[0]), []).append(line)
        return flows, err, process.returncode

    def compare_events(self, listeners):
        time.sleep(0.5)
        for words, (ours, theirs) in listeners:
            ours, theirs = self.events_of(ours), self.events_of(theirs)
            self.assertEqual(ours[0], theirs[0], words)
            self.assertEqual(ours[1:], theirs[1:], words)
            self.assertTrue(ours[0], words)

    def test_events_in_all_forms(self):
        forms = ("", "-o timestamp", "-o extended,id", "-o xml", "-o xml,ktimestamp", "-o ktimestamp", "-o save",
                 "-e NEW", "-e UPDATES", "-e DESTROY", "-e NEW,DESTROY -p tcp", "-p udp --dport 53", "-f ipv6",
                 "-s 10.77.0.1 -p icmp", "-d 10.78.0.0/24 -o id,timestamp")
        listeners = [(words, self.listen(*words.split())) for words in forms]
        time.sleep(2)  # thirty programs start; a host that is kept waiting sends again
        self.play()
        for side in (self.path.ours, self.path.theirs):
            side("-D", "-p", "tcp")
            side("-F")
        self.compare_events(listeners)

    def test_flows_end_by_themselves(self):
        self.path.host("outside", "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=1")
        self.addCleanup(self.path.host, "outside", "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=30")
        applied = self.path.apply(self.path.config.read_text().replace("udp: 30s", "udp: 1s"))
        self.assertEqual(applied.returncode, 0, applied.stderr)
        self.addCleanup(self.path.apply, self.path.config.read_text())
        listeners = [(words, self.listen(*words.split())) for words in ("-p udp", "-e DESTROY -o xml -p udp")]
        time.sleep(0.5)
        self.path.host("inside", "bash", "-c", f"echo x > /dev/udp/{SERVER4}/9")
        time.sleep(3)
        self.path.theirs("-L")  # the kernel notices at the latest when somebody looks
        self.compare_events(listeners)

    # -- what is ours alone --------------------------------------------------------------------

    def test_the_command_under_its_other_name(self):
        alias = self.path.directory / "conntrack"
        if not alias.exists():
            alias.symlink_to(RAMPARTCTL)
        self.path.ping("inside", SERVER4)
        listed = run(alias, "-L", "-p", "icmp", env={**os.environ, "RAMPART_SOCKET": str(self.path.socket)})
        self.assertEqual(comparable(listed.stdout), comparable(self.path.theirs("-L", "-p", "icmp").stdout))

    def test_a_flush_of_one_family_leaves_the_other(self):
        self.play()
        before = self.path.ours("-L", "-f", "ipv4").stdout
        self.assertEqual(self.path.ours("-F", "-f", "ipv6").returncode, 0)
        self.assertEqual(self.path.ours("-L", "-f", "ipv6").stdout, "")
        self.assertEqual(len(self.path.ours("-L").stdout.splitlines()), len(before.splitlines()))

    def test_what_is_refused_here_but_not_there(self):
        for words in ("-D", "-L -p udp --sport x", "-L -p udp --sport 70000", "-L -m x", "-L -w 70000", "-D -m x",
                      "-L -p sctp --state FOO", "-I -p tcp", "-R file"):
            self.assertEqual(self.path.ours(*words.split()).returncode, 2, words)

    def test_json(self):
        self.play()
        flows = self.path.ctl_json("conntrack", "-L")
        self.assertEqual(len(flows), FLOWS)
        by_port = {flow["orig"].get("sport"): flow for flow in flows}
        self.assertEqual(by_port[40001]["state"], "ESTABLISHED")
        self.assertEqual(by_port[40001]["status"], ["SEEN_REPLY", "ASSURED"])
        self.assertGreater(by_port[40001]["accounting"]["orig"]["packets"], 2)
        self.assertAlmostEqual(by_port[40001]["start_ns"] / 1e9, time.time(), delta=60)
        self.assertEqual(self.path.ctl_json("conntrack", "-L", "-p", "99"), [])

    def test_invalid_packets_are_logged_when_asked_for(self):
        self.path.apply(self.path.config.read_text() + "logging: { invalid: 5/second }\n")
        self.addCleanup(self.path.apply, self.path.config.read_text())
        send = ("import socket, struct; s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)\n"
                f"for i in range(9): s.sendto(b'\\0\\0\\xff\\xff\\0\\0\\0\\0', ('{SERVER4}', 0))")
        self.path.host("inside", "/usr/bin/python3", "-c", send)
        wanted = "invalid icmp_no_request in=inside icmp 10.77.0.1 > 10.78.0.2 type 0 code 0 len 28"
        self.assertTrue(wait_until(lambda: wanted in self.path.log.read_text(), 3))
        self.assertLessEqual(self.path.log.read_text().count("invalid icmp_no_request"), 5)


if __name__ == "__main__":
    unittest.main()
