"""PPTP calls by pptp-linux and pptpd through masquerade: control connection, and GRE in both directions.

No PPP is needed: what pppd would have sent comes from this file, and on the server `cat` stands in its place.
"""
import os
import socket
import unittest

from gateway import PUBLIC, SERVER, GatewayCase, rules
from lab import run, wait_until
from routed_test import NETWORK, needs

CLIENT = NETWORK["inside"] + ".2"
SECOND = NETWORK["inside"] + ".3"
SETTINGS = "localip 192.168.240.1\nremoteip 192.168.240.10-20\n"
# The server listens to a tunnel once it has something to send.
GREETING = b"\xff\x03\xc0\x21 the server's first frame"
ECHO = "#!/bin/sh\nstty raw -echo\ncat {greeting}\nexec cat\n"
FLAG, ESCAPE = 0x7e, 0x7d


def hdlc(payload):
    """A frame as pppd writes it to a serial line (RFC 1662)."""
    check = 0xffff
    for byte in payload:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ (0x8408 if check & 1 else 0)
    check ^= 0xffff
    frame = bytearray([FLAG])
    for byte in payload + check.to_bytes(2, "little"):
        frame += bytes([ESCAPE, byte ^ 0x20]) if byte in (FLAG, ESCAPE) or byte < 0x20 else bytes([byte])
    return bytes(frame + bytes([FLAG]))


class PptpCase(GatewayCase):
    rules = rules(helpers=["pptp"], raw=["{ id: pptp, proto: tcp, dport: 1723, helper: pptp }"],
                  prerouting=['{ id: none, in: outside, proto: tcp, dport: 9, dnat: "10.77.1.2" }'])

    def serve(self):
        settings, echo = self.lab.directory / "pptpd.conf", self.lab.directory / "echo.sh"
        settings.write_text(SETTINGS)
        greeting = self.lab.directory / "greeting"
        greeting.write_bytes(hdlc(GREETING))
        echo.write_text(ECHO.format(greeting=greeting))
        echo.chmod(0o755)
        self.lab.spawn("outside", "pptpd", "--fg", "--conf", settings, "--ppp", echo, "--option", "/dev/null",
                       "--pidfile", self.lab.directory / "pptpd.pid", "--stimeout", "60")
        self.assertTrue(self.lab.listening("outside", 1723))

    def call(self, source):
        """Where pppd would be: what is written goes through the tunnel."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.lab.spawn("inside", "pptp", SERVER, "--nolaunchpppd", "--nohostroute", "--localbind", source,
                       "--timeout", "0.1", stdin=theirs, stdout=theirs)
        theirs.close()
        return ours

    def hears(self, line, payload, seconds=1):
        """Whether the frame comes, possibly behind others."""
        wanted, heard = hdlc(payload).strip(bytes([FLAG])), b""
        line.settimeout(seconds)
        while wanted not in heard:
            try:
                got = line.recv(4096)
            except TimeoutError:
                return False
            if not got:
                return False
            heard += got
        return True

    def echoes(self, line, payload, attempts=10):
        """Whether the frame comes back; it may be sent again, as PPP does."""
        for _ in range(attempts):
            line.sendall(hdlc(payload))
            if self.hears(line, payload):
                return True
        return False

    def calls(self, source):
        """A client's flows of GRE, whichever side sent first: (flow, the client's tuple, the server's)."""
        found = []
        for flow in self.flows(proto="gre"):
            for inner, outer in (("orig", "reply"), ("reply", "orig")):
                if flow[inner]["src"] == source:
                    found.append((flow, flow[inner], flow[outer]))
        return found

    def assert_is_called(self, source):
        """Both directions of the call are one flow, related to its control connection, under whose outer port the
        server calls the client. Returns the call ids of client and server as the client's tuple has them."""
        control = self.flows(proto="tcp", src=source, dport=1723)[0]
        self.assertEqual(control["helper"], "pptp")
        calls = self.calls(source)
        self.assertEqual(len(calls), 1, self.lab.ctl("conntrack", "-L").stdout)
        call, inner, outer = calls[0]
        self.assertLessEqual({"EXPECTED", "ASSURED"}, set(call["status"]))
        self.assertEqual(call["master"]["sport"], control["orig"]["sport"])
        self.assertEqual((inner["dst"], outer["src"], outer["dst"]), (SERVER, SERVER, PUBLIC))
        self.assertEqual(outer["dport"], control["reply"]["dport"])
        return inner["sport"], outer["dport"]

    def two_clients(self):
        run("ip", "-n", self.lab.names["inside"], "addr", "add", SECOND + "/24", "dev", "eth0")
        self.serve()
        lines = {source: self.call(source) for source in (CLIENT, SECOND)}
        for source, line in lines.items():
            self.assertTrue(self.echoes(line, b"\xff\x03\xc0\x21 from " + source.encode()), source)
        self.assertEqual(len({self.assert_is_called(source)[1] for source in lines}), 2)


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@needs("pptp", "pptpd")
class Pptp(PptpCase):
    def test_a_client_behind_masquerade_calls(self):
        self.serve()
        line = self.call(CLIENT)
        self.assertTrue(self.hears(line, GREETING, 10))
        for number in range(5):
            self.assertTrue(self.echoes(line, b"\xff\x03\xc0\x21 frame %d, with ~ and } in it" % number))
        own, outer = self.assert_is_called(CLIENT)
        self.assertNotEqual(own, outer)
        self.assertEqual(self.lab.ctl_json("conntrack", "-L", "expect"), [])  # both directions are one connection

    def test_two_clients_of_one_server(self):
        self.two_clients()

    def test_no_call_without_the_helper(self):
        without = self.lab.config.read_text().replace("dport: 1723, helper", "dport: 9, helper")
        self.assertEqual(self.lab.apply(without).returncode, 0)
        self.serve()
        line = self.call(CLIENT)
        self.assertTrue(wait_until(lambda: self.flows(proto="tcp", dport=1723), 10))
        self.assertFalse(self.echoes(line, b"\xff\x03\xc0\x21 lost", 2))


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@needs("pptp", "pptpd")
class PptpOnTwoWorkers(PptpCase):
    workers = 2

    def test_two_clients_of_one_server(self):
        self.two_clients()


if __name__ == "__main__":
    unittest.main()
