"""The kernel's side: a router between two networks, made of namespaces, and packets through it.

    hosts namespace                      router namespace
    inside  (AF_PACKET) ---- veth ----  inside   nft, conntrack, forwarding
    outside (AF_PACKET) ---- veth ----  outside

The process moves into the router's namespace for good and stays on one CPU. A frame that is sent
into a veth pair is then received, tracked and forwarded before send() returns, or at the latest
before the marker that is sent behind it. Needs root.
"""
import ctypes
import os
import pathlib
import socket
import subprocess
import time

from hosts import NET4, NET6, SIDES
from nflog import PacketLog

LOG_GROUP = 5
ROUTER_MAC, HOST_MAC = "02:00:00:00:00:0b", "02:00:00:00:00:0a"  # those of test/support/frame.h
MARKER = "udp 198.18.0.1:9 > 198.18.255.255:9"
CLONE_NEWNET = 0x40000000
SOL_PACKET, PACKET_QDISC_BYPASS, PACKET_IGNORE_OUTGOING = 263, 20, 23
ETH_P_ALL = 3

SYSCTLS = {
    "net/ipv4/ip_forward": 1,
    "net/ipv4/conf/all/rp_filter": 0,
    "net/ipv4/conf/default/rp_filter": 0,
    "net/ipv4/conf/all/send_redirects": 0,
    "net/ipv4/icmp_ratelimit": 0,
    "net/ipv4/icmp_msgs_per_sec": 1000000,
    "net/ipv4/icmp_msgs_burst": 1000000,
    "net/ipv4/ipfrag_high_thresh": 256 << 20,
    "net/ipv4/ipfrag_low_thresh": 192 << 20,
    "net/ipv4/ipfrag_max_dist": 0,
    "net/netfilter/nf_conntrack_frag6_high_thresh": 256 << 20,
    "net/netfilter/nf_conntrack_frag6_low_thresh": 192 << 20,
    "net/ipv6/conf/all/forwarding": 1,
    "net/ipv6/conf/all/accept_dad": 0,
    "net/ipv6/conf/default/accept_dad": 0,
    "net/ipv6/conf/default/router_solicitations": 0,
    "net/ipv6/conf/default/addr_gen_mode": 1,
    "net/ipv6/icmp/ratelimit": 0,
}


def observer():
    """Rules that log the class of each packet before it is judged, and catch the marker."""
    log = 'log prefix "{}" group ' + f"{LOG_GROUP} queue-threshold 1"
    classes = [(f"ct state {name}", f"{name} -") for name in ("invalid", "untracked")]
    classes += [(f"ct state {name} ct direction {direction}", f"{name} {direction}")
                for name in ("new", "established", "related")
                for direction in ("original", "reply")]
    rules = [f"    {match} {log.format(name)} accept" for match, name in classes]
    return "\n".join([
        "table inet observer {",
        "  chain marker {",
        "    type filter hook prerouting priority -1000; policy accept;",
        f"    ip daddr 198.18.255.255 {log.format('marker')} drop",
        "  }",
        "  chain classes {",
        "    type filter hook prerouting priority -150; policy accept;",
        *rules, "  }", "}", ""])


class Unavailable(Exception):
    """This machine cannot play the kernel's part; says why."""


def run(*words, text=None, check=True):
    return subprocess.run(words, input=text, text=True, check=check, capture_output=True)


def enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", "rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def write_sysctl(name, value):
    pathlib.Path("/proc/sys", name).write_text(str(value))


def is_noise(frame):
    """What the router says of its own accord: no IP, neighbour and multicast housekeeping, or that
    a datagram was not completed in time."""
    if frame[12:14] == b"\x86\xdd":
        is_own = frame[22:26] == b"\xfd\0\0\xff"
        return frame[22:24] == b"\xfe\x80" or frame[22:38] == bytes(16) or \
            is_own and frame[54:56] == b"\3\1"
    return frame[12:14] != b"\x08\x00"


class Kernel:
    def __init__(self, marker_frame):
        """`marker_frame`: the bytes of MARKER."""
        self.marker_frame = marker_frame
        self.tag = f"rd{os.getpid()}"
        self.router, self.hosts = f"{self.tag}-router", f"{self.tag}-hosts"
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.cpus = os.sched_getaffinity(0)
        self.defaults = {}
        self.log, self.ports = None, {}

    sysctls = SYSCTLS

    def rules(self):
        """What stands beside the rules of each profile."""
        return observer()

    def __enter__(self):
        try:
            self._open()
        except (OSError, subprocess.CalledProcessError) as error:
            self.close()
            told = getattr(error, "stderr", "") or ""
            raise Unavailable(f"{error} {told.strip()}".strip()) from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _open(self):
        os.sched_setaffinity(0, {max(self.cpus)})
        for namespace in (self.router, self.hosts):
            run("ip", "netns", "add", namespace)
        enter(self.router)
        for name, value in self.sysctls.items():
            write_sysctl(name, value)
        enter(self.hosts)
        write_sysctl("net/ipv6/conf/default/disable_ipv6", 1)
        for side in SIDES:
            self._connect(side)
        enter(self.router)
        run("ip", "link", "set", "lo", "up")
        for number, side in enumerate(SIDES):
            self._route(side, number)
        self.log = PacketLog(LOG_GROUP)
        # Whatever is missing shows here and not in the middle of the test.
        run("nft", "-f", "-", text=self.rules())
        self.table()

    def _connect(self, side):
        run("ip", "link", "add", side, "address", HOST_MAC, "type", "veth", "peer", "name", side,
            "address", ROUTER_MAC, "netns", self.router)
        run("ip", "link", "set", side, "arp", "off", "up")
        port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        port.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        port.bind((side, ETH_P_ALL))
        self.ports[side] = port

    def _route(self, side, number):
        # The router finishes the checksums of its own packets itself.
        offloads = [word for name in ("tx", "gro", "gso", "tso") for word in (name, "off")]
        run("ethtool", "-K", side, *offloads, check=False)
        run("ip", "link", "set", side, "up")
        # The router's own addresses, from which it complains.
        run("ip", "addr", "add", f"198.18.{number}.1/32", "dev", side)
        run("ip", "-6", "addr", "add", f"fd00:ff::{number + 1}/128", "dev", side, "nodad")
        for family, gateway, net in (("-4", "169.254.1.1", NET4[side]),
                                     ("-6", "fe80::1", NET6[side])):
            run("ip", family, "neigh", "add", gateway, "lladdr", HOST_MAC, "dev", side)
            run("ip", family, "route", "add", net, "via", gateway, "dev", side, "onlink")

    def close(self):
        for opened in [self.log, *self.ports.values()]:
            if opened is not None:
                opened.close()
        ctypes.CDLL(None).setns(self.home, CLONE_NEWNET)
        os.sched_setaffinity(0, self.cpus)
        for namespace in (self.router, self.hosts):
            run("ip", "netns", "del", namespace, check=False)

    # -- playing ---------------------------------------------------------------------------------

    def configure(self, profile):
        """Rules and options of a profile; options of the profile before go back to defaults."""
        for name, value in self.defaults.items():
            write_sysctl(name, value)
        for name, value in profile.sysctls().items():
            if name not in self.defaults:
                self.defaults[name] = pathlib.Path("/proc/sys", name).read_text().strip()
            write_sysctl(name, value)
        run("nft", "-f", "-", text="flush ruleset\n" + self.rules() + profile.nft())

    def send(self, side, frame):
        """Returns the time, the classes that rules saw, and [(side, frame, hops)] that came out."""
        self.ports[side].send(frame)
        now = time.monotonic()
        classes = self.log.read()
        if not classes:
            classes = self._wait_for_marker(side)
        return now, classes, self._read_outputs()

    def _wait_for_marker(self, side):
        self.ports[side].send(self.marker_frame)
        classes, end = [], time.monotonic() + 5
        while time.monotonic() < end:
            classes += self.log.read(1)
            if "marker" in classes:
                return [name for name in classes if name != "marker"]
        raise RuntimeError("the kernel does not answer: no marker within 5 s")

    def _read_outputs(self):
        frames = []
        for side, port in self.ports.items():
            while True:
                try:
                    frame = port.recv(65536, socket.MSG_DONTWAIT)
                except BlockingIOError:
                    break
                if not is_noise(frame):
                    frames.append((side, frame, 0))
        return frames

    def table(self):
        """Returns the time, by how much it may be wrong, and the lines of `conntrack -L -o
        extended`, both families."""
        before, lines = time.monotonic(), []
        for family in ("ipv4", "ipv6"):
            lines += run("conntrack", "-L", "-o", "extended", "-f", family).stdout.splitlines()
        after = time.monotonic()
        return (before + after) / 2, (after - before) / 2, lines

    def forget(self):
        for family in ("ipv4", "ipv6"):
            run("conntrack", "-F", "-f", family, check=False)
