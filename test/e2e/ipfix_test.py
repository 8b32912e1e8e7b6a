"""Flows as IPFIX, read by collectors that others wrote: nfcapd (nfdump) over UDP, ipfixDump (libfixbuf) over TCP.

What a collector has must be what `conntrack -E` said of the same flows.
"""
import ipaddress
import json
import os
import re
import signal
import subprocess
import sys
import threading
import unittest

from lab import ADDRESS4, ADDRESS6, RAMPARTCTL, Lab, run, wait_until
from routed_test import NETWORK, RoutedLab, needs

PORT = 4739  # in a namespace of the test
BRIDGE = """\
chains:
  forward:
    policy: accept
    rules:
      - { id: marked, proto: udp, dport: 53, set_ct_mark: 0x2a }
"""
MASQUERADE = """\
chains:
  forward: { policy: accept }
  input: { policy: accept }
nat:
  postrouting:
    - { id: masq, out: outside, src: 10.77.1.0/24, masquerade: true }
"""
DATAGRAM = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as s:
    s.bind(("", int(sys.argv[3])))
    for size in (10, 20, 30):
        s.sendto(b"x" * size, (sys.argv[1], int(sys.argv[2])))
"""
TAKE = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        connection, _ = server.accept()
        with connection, open(sys.argv[2], "ab", buffering=0) as file:
            while data := connection.recv(65536):
                file.write(data)
"""


def section(**more):
    keys = {"collector": f'"127.0.0.1:{PORT}"', "domain": 7, **more}
    return "ipfix: { " + ", ".join(f"{key}: {value}" for key, value in keys.items()) + " }\n"


class Events:
    """What `conntrack -E` says, as JSON."""

    def __init__(self, lab, kinds="DESTROY"):
        self.lines = []
        self.process = subprocess.Popen(
            [*lab.ctl_command(), "conntrack", "-E", "-e", kinds, "--json"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.thread = threading.Thread(target=lambda: self.lines.extend(map(json.loads, self.process.stdout)))
        self.thread.start()

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.thread.join()
        self.process.wait()
        self.process.stdout.close()
        return self.lines


class Exporting:
    """With a lab: accounting, the section, and a collector in the firewall's namespace."""

    def configuration(self, rules, ipfix):
        return super().configuration(rules, more="conntrack: { max: 16384, accounting: true }\n" + ipfix)

    def ctl_command(self):
        return [str(RAMPARTCTL), "--socket", str(self.socket)]

    def collect(self, *command):
        process = subprocess.Popen(["ip", "netns", "exec", self.names["firewall"], *map(str, command)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def nfcapd(self):
        self.flows_folder = self.directory / "nfcapd"
        self.flows_folder.mkdir(exist_ok=True)
        self.nfcapd_process = self.collect("nfcapd", "-w", self.flows_folder, "-b", "127.0.0.1", "-p", PORT)
        listens = lambda: f":{PORT} " in run("ip", "netns", "exec", self.names["firewall"], "ss", "-lun").stdout
        assert wait_until(listens, 20)

    def captured(self):
        """What nfdump reads from the files of nfcapd, which ends."""
        self.nfcapd_process.terminate()
        self.nfcapd_process.wait(20)
        return json.loads(run("nfdump", "-R", self.flows_folder, "-o", "json").stdout)

    def counts(self):
        return self.ctl_json("status")["ipfix"]

    def end_all_flows(self, events):
        """By force; returns what the events said when the exporter has said as much."""
        self.ctl("conntrack", "-F")
        assert wait_until(lambda: self.ctl_json("status")["flows"] == 0, 20)
        assert wait_until(lambda: self.counts()["records"] >= len(events.lines) > 0, 20)
        return events.end()


class BridgeLab(Exporting, Lab):
    def __init__(self):
        super().__init__("net_af_packet", workers=2)


class NatLab(Exporting, RoutedLab):
    pass


def talk(lab, address4, address6):
    lab.serve_http("outside", 80)
    lab.host("inside", "/usr/bin/python3", "-c", DATAGRAM, address4, 53, 5353)
    lab.host("inside", "/usr/bin/python3", "-c", DATAGRAM, address6, 53, 5353)
    lab.host("inside", "curl", "-s", "-m", "20", "-o", "/dev/null", f"http://{address4}:80/")
    lab.host("inside", "curl", "-s", "-m", "20", "-o", "/dev/null", f"http://[{address6}]:80/")
    assert lab.ping("inside", address4, count=3) and lab.ping("inside", address6, count=2)


def expected(event):
    """A flow of conntrack as (protocol, addresses, ports, counts)."""
    orig, counts = event["orig"], event["accounting"]
    ports = (orig.get("sport", 0), orig.get("dport", 0))
    number = {"tcp": 6, "udp": 17, "icmp": 1, "icmpv6": 58}[orig["proto"]]
    return (number, orig["src"], orig["dst"], *ports, counts["orig"]["packets"], counts["orig"]["bytes"],
            counts["reply"]["packets"], counts["reply"]["bytes"])


def seen(flow):
    """The same of what nfdump read; counts of a direction that is empty are left out."""
    family = "4" if "src4_addr" in flow else "6"
    src, dst = (str(ipaddress.ip_address(flow[f"{side}{family}_addr"])) for side in ("src", "dst"))
    icmp = flow["proto"] in (1, 58)
    ports = (0, 0) if icmp else (flow["src_port"], flow["dst_port"])
    return (flow["proto"], src, dst, *ports, flow["in_packets"], flow["in_bytes"], flow.get("out_packets", 0),
            flow.get("out_bytes", 0))


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@needs("nfcapd", "nfdump")
class OverUdp(unittest.TestCase):
    def test_a_collector_has_what_conntrack_says_of_both_families(self):
        with BridgeLab() as lab:
            lab.nfcapd()
            lab.start(lab.configuration(BRIDGE, section()))
            events = Events(lab)
            talk(lab, ADDRESS4["outside"], ADDRESS6["outside"])
            ended = lab.end_all_flows(events)
            self.assertEqual(lab.counts()["lost"], 0)
            self.assertIn(f"ipfix to 127.0.0.1:{PORT} (udp): {lab.counts()['records']} records", lab.ctl("status").stdout)
            captured = lab.captured()
            self.assertEqual(sorted(map(seen, captured)), sorted(map(expected, ended)))
            protocols = {(flow["proto"], "src4_addr" in flow) for flow in captured}
            self.assertEqual(protocols, {(6, True), (6, False), (17, True), (17, False), (1, True), (58, False)})
            self.assertEqual(lab.stop(), 0, lab.log.read_text())

    def test_translated_flows_begin_and_end_with_both_addresses(self):
        with NatLab() as lab:
            lab.nfcapd()
            lab.start(lab.configuration(MASQUERADE, section(events="[new, end]")))
            events = Events(lab, "NEW,DESTROY")
            self.assertTrue(wait_until(lambda: lab.ping("inside", NETWORK["outside"] + ".2"), 20))
            lab.host("inside", "/usr/bin/python3", "-c", DATAGRAM, NETWORK["outside"] + ".2", 53, 5353)
            told = lab.end_all_flows(events)
            captured = [flow for flow in lab.captured() if flow.get("dst_port") == 53]
            self.assertEqual(len(captured), 2)
            [reply] = [event["reply"] for event in told if event["event"] == "DESTROY" and event["proto"] == "udp"]
            for flow in captured:
                self.assertEqual((flow["src4_addr"], flow["src_port"]), (NETWORK["inside"] + ".2", 5353))
                self.assertEqual((flow["src4_xlt_ip"], int(flow["src_xlt_port"])), (reply["dst"], reply["dport"]))
                self.assertEqual((flow["dst4_xlt_ip"], int(flow["dst_xlt_port"])), (reply["src"], reply["sport"]))
            self.assertEqual(reply["dst"], NETWORK["outside"] + ".1")
            self.assertEqual(sorted(flow["nat_event"] for flow in captured),
                             ["NAT44 session create", "NAT44 session delete"])

    def test_a_collector_that_comes_late_gets_the_templates(self):
        with BridgeLab() as lab:
            lab.start(lab.configuration(BRIDGE, section(template_refresh="1s")))
            messages = lab.counts()["messages"]
            lab.nfcapd()
            # Two more messages, of templates alone: one of them came when nfcapd was there.
            self.assertTrue(wait_until(lambda: lab.counts()["messages"] >= messages + 2, 20))
            events = Events(lab)
            lab.host("inside", "/usr/bin/python3", "-c", DATAGRAM, ADDRESS4["outside"], 53, 5353)
            ended = lab.end_all_flows(events)
            self.assertEqual(sorted(map(seen, lab.captured())), sorted(map(expected, ended)))

    def test_flows_that_live_when_the_daemon_stops_are_reported(self):
        with BridgeLab() as lab:
            lab.nfcapd()
            lab.start(lab.configuration(BRIDGE, section()))
            lab.host("inside", "/usr/bin/python3", "-c", DATAGRAM, ADDRESS4["outside"], 53, 5353)
            self.assertTrue(wait_until(lambda: lab.flows(dport=53), 10))
            self.assertEqual(lab.stop(), 0)
            [flow] = [flow for flow in lab.captured() if flow.get("dst_port") == 53]
            self.assertEqual((flow["in_packets"], flow["in_bytes"]), (3, 144))

    def test_nobody_waits_for_a_collector_that_cannot_be_reached(self):
        with BridgeLab() as lab:
            lab.start(lab.configuration(BRIDGE, section(collector='"192.0.2.1:4739"')))
            lab.host("inside", "/usr/bin/python3", "-c", DATAGRAM, ADDRESS4["outside"], 53, 5353)
            lab.ctl("conntrack", "-F")
            self.assertTrue(wait_until(lambda: lab.counts()["lost"] > 0, 20))
            self.assertEqual(lab.counts()["records"], 0)
            self.assertRegex(lab.ctl("status").stdout, r"ipfix to 192\.0\.2\.1:4739 \(udp\): .* lost; Network is unreachable")
            self.assertTrue(wait_until(lambda: "ipfix: 192.0.2.1:4739: Network is unreachable" in lab.log.read_text(), 20))
            self.assertTrue(lab.ping("inside", ADDRESS4["outside"]))


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@needs("ipfixDump")
class OverTcp(unittest.TestCase):
    @staticmethod
    def read(path):
        """[{element: value}] of the data records that ipfixDump reads from a stream."""
        said = run("ipfixDump", "--data", "--in", path).stdout
        return [dict(re.findall(r"\([\d/]+\) +(\w+) : (.*)", block))
                for block in said.split("--- data record ")[1:]]

    def test_a_stream_begins_again_when_the_collector_does(self):
        with BridgeLab() as lab:
            lab.start(lab.configuration(BRIDGE, section(transport="tcp")))
            self.assertEqual(lab.counts()["up"], False)
            for number in (1, 2):
                stream = lab.directory / f"stream{number}"
                collector = lab.collect("/usr/bin/python3", "-c", TAKE, PORT, stream)
                self.assertTrue(wait_until(lambda: lab.counts()["up"], 20), lab.log.read_text())
                events = Events(lab)
                lab.host("inside", "/usr/bin/python3", "-c", DATAGRAM, ADDRESS4["outside"], 53, 5353)
                lab.ctl("conntrack", "-F")
                self.assertTrue(wait_until(lambda: stream.exists() and len(self.read(stream)) >= len(events.lines) > 0, 20))
                told = events.end()
                [record] = [r for r in self.read(stream) if r.get("destinationTransportPort") == "53"]
                [flow] = [event for event in told if event["orig"].get("dport") == 53]
                self.assertEqual(record["sourceIPv4Address"], flow["orig"]["src"])
                self.assertEqual(int(record["packetDeltaCount"]), flow["accounting"]["orig"]["packets"])
                self.assertEqual(int(record["octetDeltaCount"]), flow["accounting"]["orig"]["bytes"])
                self.assertEqual(record["flowEndReason"], "4")
                # Of an enterprise that ipfixDump does not know: the bytes as a number of this machine.
                self.assertEqual(int(record["_alienInformationElement"]), int.from_bytes((0x2a).to_bytes(4, "big"), sys.byteorder))
                collector.terminate()
                collector.wait()
                self.assertTrue(wait_until(lambda: not lab.counts()["up"], 20))
            self.assertEqual(lab.counts()["lost"], 0)
            self.assertEqual(lab.stop(), 0)


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Fixed(unittest.TestCase):
    def test_it_cannot_change_while_the_daemon_runs(self):
        with BridgeLab() as lab:
            lab.start(lab.configuration(BRIDGE, section()))
            done = lab.apply(lab.configuration(BRIDGE, section(domain=8)))
            self.assertEqual(done.returncode, 4)
            self.assertIn("'ipfix' cannot change while the daemon runs", done.stderr)


if __name__ == "__main__":
    unittest.main()
