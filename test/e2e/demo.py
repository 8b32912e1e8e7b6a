"""The demonstration: the classic cases of a stateful firewall, and a home gateway, played with real tools.

Each step prints what it does, what should come out and what did. Exit status 0 only when all agree.
Run by scripts/demo.sh, and by the test suite.
"""
import argparse
import hashlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import demo_gateway
from lab import ADDRESS4, ADDRESS6, Lab, wait_until

RULES = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: invalid, state: invalid, action: drop }
      - { id: established, state: [established, related], action: accept }
      - { id: ping-out, in: inside, proto: icmp, icmp: echo-request, state: new, action: accept }
      - { id: ping6-out, in: inside, proto: icmpv6, icmpv6: echo-request, state: new, action: accept }
      - { id: ssh-in, in: outside, proto: tcp, dport: 22, state: new, action: accept }
      - { id: dns-out, in: inside, proto: udp, dport: 53, state: new, action: accept }
      - { id: web-out, in: inside, proto: tcp, dport: 80, state: new, action: accept }
"""
CONNTRACK = "{ timeouts: { icmp: 3s, icmpv6: 3s } }"
PING_IN = "      - { id: ping-in, in: outside, proto: icmp, icmp: echo-request, action: accept }\n"
BROKEN = "      - { proto: tcp, destination_port: 22, action: ACCEPT }\n"


class Demo:
    def __init__(self, lab):
        self.lab = lab
        self.passed = self.failed = 0

    def step(self, what, expected, actual):
        """One comparison. `expected` and `actual` are words for people."""
        good = expected == actual
        self.passed += good
        self.failed += not good
        mark = "ok  " if good else "FAIL"
        print(f"  {mark} {what}\n         expected: {expected}\n         actual:   {actual}", flush=True)

    def title(self, text):
        print(f"\n{text}", flush=True)

    def show(self, *words, lab=None):
        print("     $ rampartctl " + " ".join(words))
        for line in (lab or self.lab).ctl(*words).stdout.splitlines():
            print("       " + line)

    # -- the cases -------------------------------------------------------------------------------

    def pings(self):
        self.title("Ping: new in one direction only, replies are established")
        answered = {True: "answered", False: "no answer"}
        for family, address in (("IPv4", ADDRESS4), ("IPv6", ADDRESS6)):
            self.step(f"ping {family} inside -> outside", "answered",
                      answered[self.lab.ping("inside", address["outside"])])
            self.step(f"ping {family} outside -> inside", "no answer",
                      answered[self.lab.ping("outside", address["inside"])])

    def services(self):
        self.title("SSH-style: new TCP to port 22 is accepted, all else is left to the policy")
        connected = {True: "connected", False: "refused by the policy"}
        for family, address in (("IPv4", ADDRESS4), ("IPv6", ADDRESS6)):
            for port, wanted in ((22, "connected"), (8080, "refused by the policy")):
                self.step(f"TCP {family} outside -> inside port {port} (a service answers there)",
                          wanted,
                          connected[self.lab.can_connect("outside", address["inside"], port)])
        self.step("the service on port 8080, asked on its own host", "connected",
                  connected[self.lab.can_connect("inside", "127.0.0.1", 8080)])

    def datagrams(self):
        self.title("UDP: a question goes out, its answer comes back")
        resolved = {True: "resolved", False: "no answer"}
        for family, address in (("IPv4", ADDRESS4), ("IPv6", ADDRESS6)):
            self.step(f"DNS over {family} inside -> outside", "resolved",
                      resolved[self.lab.resolves("inside", address["outside"])])
        self.step("DNS over IPv4 outside -> inside (a server answers there)", "no answer",
                  resolved[self.lab.resolves("outside", ADDRESS4["inside"])])

    def invalid(self):
        self.title("INVALID: a TCP segment without flags belongs to no connection")
        before = self.lab.rule_counts()["invalid"]
        self.lab.host("outside", "/usr/bin/python3", __file__, "--send-null-segment")
        wait_until(lambda: self.lab.rule_counts()["invalid"] > before, 3)
        self.step("one such segment outside -> inside port 22", "1 packet dropped by rule 'invalid'",
                  f"{self.lab.rule_counts()['invalid'] - before} packet dropped by rule 'invalid'")

    def table(self):
        self.title("The connection table, in the words of conntrack-tools")
        self.lab.ping("inside", ADDRESS4["outside"])
        listing = self.lab.ctl("conntrack", "-L").stdout
        self.show("conntrack", "-L")
        shapes = {
            "a finished TCP connection with its state, ASSURED":
                r"^tcp      6 \d+ TIME_WAIT src=\S+ dst=\S+ sport=\d+ dport=22 "
                r"src=\S+ dst=\S+ sport=22 dport=\d+ \[ASSURED\] mark=0 use=1$",
            "an answered DNS question":
                r"^udp      17 \d+ src=\S+ dst=\S+ sport=\d+ dport=53 src=\S+ dst=\S+ sport=53 "
                r"dport=\d+ mark=0 use=1$",
            "a ping": r"^icmp     1 \d src=10\.77\.0\.1 dst=10\.77\.0\.2 type=8 code=0 id=\d+ "
                      r"src=10\.77\.0\.2 dst=10\.77\.0\.1 type=0 code=0 id=\d+ mark=0 use=1$",
            "an IPv6 connection":
                r"^tcp      6 \d+ TIME_WAIT src=fd77::2 dst=fd77::1 sport=\d+ dport=22 .*$",
        }
        for what, shape in shapes.items():
            found = re.search(shape, listing, re.MULTILINE) is not None
            self.step(f"it lists {what}", "listed", "listed" if found else "not listed")
        self.unreplied()
        gone = wait_until(lambda: not self.lab.flows(proto="icmp"), 6, 0.1)
        self.step("the ping's entry, 3 seconds after its last packet", "aged out",
                  "aged out" if gone else "still there")

    def unreplied(self):
        """A datagram that nothing answers: the host's own ICMP error is switched off."""
        self.lab.host("outside", "ip", "route", "add", "blackhole", "10.77.0.1/32", check=False)
        self.lab.host("inside", "dig", "+time=1", "+tries=1", f"@{ADDRESS4['outside']}", "x.example",
                      check=False)
        listing = self.lab.ctl("conntrack", "-L", "-p", "udp").stdout
        self.lab.host("outside", "ip", "route", "del", "blackhole", "10.77.0.1/32", check=False)
        shape = r"^udp      17 \d+ src=10\.77\.0\.1 \S+ sport=\d+ dport=53 \[UNREPLIED\] src=.*$"
        found = re.search(shape, listing, re.MULTILINE) is not None
        self.step("it lists a question nobody answered, [UNREPLIED]", "listed",
                  "listed" if found else "not listed")

    def reload(self):
        self.title("A new configuration while a transfer runs")
        lab = self.lab
        data = bytes(range(256)) * 4096 * 24
        (lab.directory / "www" / "large").write_bytes(data)
        fetched = lab.directory / "fetched"
        transfer = lab.spawn("inside", "curl", "--silent", "--limit-rate", "6M", "--output", fetched,
                             f"http://{ADDRESS4['outside']}/large")
        wait_until(lambda: fetched.exists() and fetched.stat().st_size > 1_000_000, 10)

        generation = lab.ctl_json("status")["generation"]
        applied = lab.apply(lab.configuration(RULES + PING_IN, CONNTRACK))
        self.step("apply a file that also accepts pings from outside", "exit status 0",
                  f"exit status {applied.returncode}")
        answered = {True: "answered", False: "no answer"}
        self.step("ping IPv4 outside -> inside now", "answered",
                  answered[lab.ping("outside", ADDRESS4["inside"])])

        broken = lab.apply(lab.configuration(RULES + BROKEN, CONNTRACK),
                           name="broken.yaml")
        line = (broken.stderr.strip() or "nothing printed").splitlines()[0]
        print("       " + "\n       ".join(broken.stderr.strip().splitlines()))
        self.step("apply a broken file", "exit status 4", f"exit status {broken.returncode}")
        shape = r".*broken\.yaml:\d+:\d+: error: unknown key 'destination_port'.*"
        self.step("its first message", "FILE:LINE:COL: error: ...",
                  "FILE:LINE:COL: error: ..." if re.fullmatch(shape, line) else line)
        self.step("the active generation", f"{generation + 1}",
                  f"{lab.ctl_json('status')['generation']}")
        self.step("ping IPv4 outside -> inside still", "answered",
                  answered[lab.ping("outside", ADDRESS4["inside"])])

        running = "still running" if transfer.poll() is None else "over already"
        self.step("the transfer while all this happened", "still running", running)
        lab.apply(lab.configuration(RULES, CONNTRACK))
        self.step("back to the first file: ping IPv4 outside -> inside", "no answer",
                  answered[lab.ping("outside", ADDRESS4["inside"])])
        try:
            transfer.wait(60)
        except subprocess.TimeoutExpired:
            pass
        whole = fetched.exists() and \
            hashlib.sha256(fetched.read_bytes()).digest() == hashlib.sha256(data).digest()
        self.step(f"the {len(data) >> 20} MiB it fetched", "complete and unchanged",
                  "complete and unchanged" if whole else "damaged")

    def sight(self):
        self.title("What the firewall saw")
        lab = self.lab
        self.show("list", "-v", "-n")
        self.show("drops")
        self.show("stats")
        counts = lab.rule_counts()
        used = all(counts[i] > 0 for i in
                   ("invalid", "established", "ping-out", "ping6-out", "ssh-in", "dns-out", "web-out"))
        self.step("every rule counted packets, over all reloads", "yes", "yes" if used else "no")
        self.step("the policy's drops are counted by reason", "yes",
                  "yes" if lab.drops()["policy"] > 0 else "no")

    def play(self):
        lab = self.lab
        lab.start(lab.configuration(RULES, CONNTRACK))
        print("rampartd runs: " + next((line for line in lab.log.read_text().splitlines()
                                        if "EAL: " in line), "(no EAL line)").strip())
        lab.serve_http("inside", 22, 8080)
        lab.serve_http("outside", 80)
        lab.serve_dns("inside")
        lab.serve_dns("outside")
        for case in (self.pings, self.services, self.datagrams, self.invalid, self.table,
                     self.reload, self.sight):
            case()

    def end(self):
        self.title("The end")
        status = self.lab.stop()
        self.step("SIGTERM stops the daemon", "exit status 0", f"exit status {status}")


def send_null_segment():
    """Sends one TCP segment without any flag from the outside host."""
    header = struct.pack("!HHIIBBHHH", 40000, 22, 1, 0, 5 << 4, 0, 1024, 0, 0)
    source, destination = (socket.inet_aton(ADDRESS4[s]) for s in ("outside", "inside"))
    whole = source + destination + struct.pack("!BBH", 0, 6, len(header)) + header
    total = sum(struct.unpack(f"!{len(whole) // 2}H", whole))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    header = header[:16] + struct.pack("!H", ~total & 0xffff) + header[18:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        raw.sendto(header, (ADDRESS4["inside"], 0))


def keep(lab):
    inside, outside = lab.names["inside"], lab.names["outside"]
    print(f"""
The lab keeps running. Try, in another terminal:
    ip netns exec {inside} ping {ADDRESS4['outside']}
    ip netns exec {outside} curl http://{ADDRESS4['inside']}:22/
    rampartctl --socket {lab.socket} conntrack -L
    edit {lab.config}, then: rampartctl --socket {lab.socket} apply {lab.config}
rampartctl is build/app/rampartctl/rampartctl. Press Ctrl-C here to end the lab.""", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="leave the lab running for play")
    parser.add_argument("--no-huge", action="store_true", help="do not use hugepages")
    parser.add_argument("--driver", default="net_tap", help="net_tap or net_af_packet")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--send-null-segment", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send_null_segment:
        return send_null_segment()
    if options.keep:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    started = time.monotonic()
    with Lab(options.driver, options.workers, "never" if options.no_huge else "auto") as lab:
        demo = Demo(lab)
        try:
            demo.play()
            demo_gateway.play(demo)
            if options.keep:
                keep(lab)
        except Exception as error:  # a broken lab is a failed step, with the daemon's last words
            demo.step("the lab", "works", f"{type(error).__name__}: {error}")
            if lab.log.exists():
                print(lab.log.read_text()[-3000:])
        demo.end()
    print(f"\n{time.monotonic() - started:.0f} seconds\n"
          f"{demo.passed} passed, {demo.failed} failed, 0 skipped")
    return 1 if demo.failed else 0


if __name__ == "__main__":
    sys.exit(main())
