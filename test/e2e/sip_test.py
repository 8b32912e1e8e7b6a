"""SIP calls with voice by sipp: phones behind masquerade, a phone behind a forwarded port; UDP, TCP, IPv6.

The caller sends recorded RTP, the called side echoes it. RTCP is asked and answered by this file itself.
"""
import os
import pathlib
import socket
import subprocess
import sys
import unittest

from gateway import PUBLIC, SERVER, SERVER6, GatewayCase, rules
from lab import run, wait_until
from routed_test import NETWORK, NETWORK6, needs

SCENARIOS = pathlib.Path(__file__).resolve().parent / "sip"
VOICE = pathlib.Path("/usr/share/sip-tester/g711a.pcap")
PHONE = NETWORK["inside"] + ".2"
SECOND = NETWORK["inside"] + ".3"
PHONE6 = NETWORK6["inside"] + "2"
TALK = 6000  # milliseconds between ACK and BYE, in which the test looks at the flows
CALLER_RTP, CALLED_RTP = 7000, 6000
RECEIVER_REPORT = bytes.fromhex("80c9000100000001")


class SipCase(GatewayCase):
    rules = rules(
        helpers=["sip"], raw=["{ id: sip, proto: [udp, tcp], dport: 5060, helper: sip }"],
        prerouting=[f"{{ id: phone, in: outside, proto: [udp, tcp], dport: 5060, dnat: {PHONE} }}"])

    def sipp(self, side, address, scenario, *words):
        """A side of calls whose RTP has `words`; what it received and sent is in the file `address`.log."""
        log = self.lab.directory / f"{address}.log"
        with (self.lab.directory / f"{address}.out").open("w") as output:
            return self.lab.spawn(
                side, "sipp", "-nostdin", "-sf", SCENARIOS / f"{scenario}.xml", "-i", address, "-mi", address,
                "-p", "5060", "-timeout", "60", "-timeout_error", "-trace_msg", "-message_file", log, *words,
                cwd=self.lab.directory, stdout=output, stderr=subprocess.STDOUT)

    def called(self, side, address, calls=1, transport="u1"):
        process = self.sipp(side, address, "called", "-mp", CALLED_RTP, "-rtp_echo", "-m", calls, "-t", transport)
        self.assertTrue(self.lab.listening(side, 5060, transport[0]))
        return process

    def caller(self, side, address, target, transport="u1"):
        # The call's name would have the phone's address in it, which no helper touches.
        return self.sipp(side, address, "caller", "-mp", CALLER_RTP, "-m", 1, "-d", TALK, "-s", "bob",
                         "-cid_str", "%u.%p@call", "-t", transport, target)

    def assert_ended_well(self, *processes):
        for process in processes:
            status = process.wait(70)
            if status != 0:
                outputs = [file.read_text() for file in self.lab.directory.glob("*.log")]
                self.fail(f"sipp ended with {status}\n" + "\n".join(outputs))

    def messages(self, address):
        return (self.lab.directory / f"{address}.log").read_text()

    def expected_ports(self):
        """{destination: ports} of the expectations that stand."""
        found = {}
        for expectation in self.lab.ctl_json("conntrack", "-L", "expect"):
            self.assertEqual(expectation["helper"], "sip")
            found.setdefault(expectation["tuple"]["dst"], set()).add(expectation["tuple"]["dport"])
        return found

    def voice(self, source, echoed=20, may_be_silent=False):
        """The RTP flow from `source`, once `echoed` packets came back on it. None: it has sent nothing, if it may."""
        def flow():
            return [flow for flow in self.flows(proto="udp", src=source, dport=CALLED_RTP)
                    if flow["accounting"]["reply"]["packets"] >= echoed]
        if not wait_until(flow, 10):
            drops = self.lab.ctl_json("drops")["drops"]
            if may_be_silent and not self.flows(proto="udp", src=source, dport=CALLED_RTP) and \
                    not any(reason["packets"] for reason in drops):
                return None
            self.fail(self.lab.ctl("conntrack", "-L").stdout + self.lab.ctl("drops").stdout)
        return flow()[0]

    def report(self, side, source, target, port, answered_by):
        """RTCP from one side to the other: what is sent to `target` is answered by the side behind it."""
        other = "inside" if side == "outside" else "outside"
        listener, listen_port = answered_by
        self.lab.spawn(other, sys.executable, __file__, "--answer", listener, listen_port)
        self.assertTrue(self.lab.listening(other, listen_port, "u"))
        own = CALLED_RTP + 1 if listen_port == CALLER_RTP + 1 else CALLER_RTP + 1
        done = self.lab.host(side, sys.executable, __file__, "--ask", source, own, target, port, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def assert_related(self, flow, master_port=5060):
        self.assertIn("EXPECTED", flow["status"])
        self.assertEqual(flow["master"]["dport"], master_port)

    def two_phones(self):
        """They announce the same port, and have voice at the same time."""
        run("ip", "-n", self.lab.names["inside"], "addr", "add", SECOND + "/24", "dev", "eth0")
        for is_last in (False, True):
            called = self.called("outside", SERVER, calls=2)
            callers = [self.caller("inside", PHONE, SERVER)]
            first = self.voice(PHONE)
            callers.append(self.caller("inside", SECOND, SERVER))
            # In one of twenty runs sipp plays no voice in the second call: no packet of it has come to the
            # gateway, which has counted them all.
            second = self.voice(SECOND, may_be_silent=not is_last)
            if second:
                break
            self.assert_ended_well(called, *callers)
            self.lab.ctl("conntrack", "-F")
        for flow in (first, second):
            self.assert_related(flow)
            self.assertEqual(flow["reply"]["dst"], PUBLIC)
        ports = [flow["reply"]["dport"] for flow in (first, second)]
        self.assertEqual(len(set(ports)), 2)
        self.assertEqual([port % 2 for port in ports], [0, 0])
        self.assertLessEqual({port + 1 for port in ports}, self.expected_ports()[PUBLIC])
        self.assert_ended_well(called, *callers)
        heard = self.messages(SERVER)
        for port in ports:
            self.assertIn(f"m=audio {port} ", heard)
        self.assertNotIn(NETWORK["inside"], heard)


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@needs("sipp")
@unittest.skipUnless(VOICE.exists(), "no recorded voice beside sipp")
class Sip(SipCase):
    def test_a_phone_behind_masquerade_calls(self):
        called = self.called("outside", SERVER)
        caller = self.caller("inside", PHONE, SERVER)
        voice = self.voice(PHONE)
        self.assert_related(voice)
        self.assertEqual((voice["reply"]["src"], voice["reply"]["dst"]), (SERVER, PUBLIC))
        self.assertEqual(self.flows(proto="udp", dport=5060)[0]["helper"], "sip")
        # The called side's RTP comes with that flow. Both RTCP are still to come.
        self.assertEqual(self.expected_ports(), {PUBLIC: {CALLER_RTP, CALLER_RTP + 1}, SERVER: {CALLED_RTP + 1}})
        self.report("outside", SERVER, PUBLIC, CALLER_RTP + 1, (PHONE, CALLER_RTP + 1))
        self.assert_related(self.flows(src=SERVER, dst=PUBLIC, dport=CALLER_RTP + 1)[0])
        self.assert_ended_well(caller, called)
        self.assertIn(f"c=IN IP4 {PUBLIC}\n", self.messages(SERVER).replace("\r", ""))
        self.assertNotIn(PHONE, self.messages(SERVER))
        self.assertEqual(self.expected_ports(), {})  # BYE ends them
        self.assertEqual(self.lab.rule_counts()["data"], 2)

    def test_two_phones_with_the_same_ports(self):
        self.two_phones()

    def test_a_phone_behind_a_forwarded_port_is_called(self):
        called = self.called("inside", PHONE)
        caller = self.caller("outside", SERVER, PUBLIC)
        voice = self.voice(SERVER)
        self.assert_related(voice)
        self.assertEqual((voice["orig"]["dst"], voice["reply"]["src"]), (PUBLIC, PHONE))
        self.report("outside", SERVER, PUBLIC, CALLED_RTP + 1, (PHONE, CALLED_RTP + 1))
        self.assert_related(self.flows(src=SERVER, dst=PUBLIC, dport=CALLED_RTP + 1)[0])
        self.assert_ended_well(caller, called)
        self.assertIn(f"c=IN IP4 {PUBLIC}\n", self.messages(SERVER).replace("\r", ""))
        self.assertNotIn(PHONE, self.messages(SERVER))
        self.assertEqual(self.expected_ports(), {})

    def test_signalling_over_tcp(self):
        called = self.called("outside", SERVER, transport="t1")
        caller = self.caller("inside", PHONE, SERVER, transport="t1")
        voice = self.voice(PHONE)
        self.assert_related(voice)
        self.assertEqual(voice["master"]["proto"], "tcp")
        self.assert_ended_well(caller, called)
        self.assertIn(f"c=IN IP4 {PUBLIC}\n", self.messages(SERVER).replace("\r", ""))

    def test_ipv6_is_read_and_not_translated(self):
        called = self.called("outside", SERVER6)
        caller = self.caller("inside", PHONE6, f"[{SERVER6}]")
        self.assertTrue(wait_until(lambda: SERVER6 in self.expected_ports(), 10))
        self.assertEqual(self.expected_ports()[PHONE6], {CALLER_RTP, CALLER_RTP + 1})
        self.report("outside", SERVER6, PHONE6, CALLER_RTP + 1, (PHONE6, CALLER_RTP + 1))
        self.assert_related(self.flows(src=SERVER6, dst=PHONE6, dport=CALLER_RTP + 1)[0])
        self.assert_ended_well(caller, called)

    def test_no_voice_comes_in_without_the_helper(self):
        without = self.lab.config.read_text().replace("dport: 5060, helper", "dport: 9, helper")
        self.assertEqual(self.lab.apply(without).returncode, 0)
        called = self.called("outside", SERVER)
        caller = self.caller("inside", PHONE, SERVER)
        self.assertTrue(wait_until(lambda: self.flows(proto="udp", dport=CALLED_RTP), 10))
        self.assertEqual(self.expected_ports(), {})
        before = self.lab.drops()["policy"]
        self.lab.host("outside", sys.executable, __file__, "--ask", SERVER, CALLED_RTP + 1, PUBLIC, CALLER_RTP + 1,
                      check=False)
        self.assertGreater(self.lab.drops()["policy"], before)
        self.assert_ended_well(caller, called)
        self.assertIn(f"c=IN IP4 {PHONE}\n", self.messages(SERVER).replace("\r", ""))


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@needs("sipp")
@unittest.skipUnless(VOICE.exists(), "no recorded voice beside sipp")
class SipOnTwoWorkers(SipCase):
    workers = 2

    def test_two_phones_with_the_same_ports(self):
        self.two_phones()


def endpoint(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    bound.bind((address, int(port)))
    return bound


def answer(address, port):
    with endpoint(address, port) as bound:
        while True:
            data, source = bound.recvfrom(2048)
            bound.sendto(data, source)


def ask(address, port, target, target_port):
    """Exit status 0 when the answer comes from where the question went."""
    with endpoint(address, port) as bound:
        bound.settimeout(1)
        for _ in range(3):
            bound.sendto(RECEIVER_REPORT, (target, int(target_port)))
            try:
                data, source = bound.recvfrom(2048)
                return 0 if (data, source[:2]) == (RECEIVER_REPORT, (target, int(target_port))) else 1
            except (TimeoutError, ConnectionRefusedError):
                pass
    return 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--answer"]:
        answer(*sys.argv[2:])
    if sys.argv[1:2] == ["--ask"]:
        sys.exit(ask(*sys.argv[2:]))
    unittest.main()
