"""The gateway that the tests of translation and helpers share: one public address for all of inside.

    inside: clients, a web server    10.77.1.2      rampartd: 10.77.1.1 | 10.77.2.1      outside: servers 10.77.2.2
"""
import os
import unittest

from lab import wait_until
from routed_test import NETWORK, NETWORK6, RoutedLab

TEMPLATE = """\
conntrack: { accounting: true }
chains:
  raw:
RAW
  input:
    policy: drop
    rules:
      - { id: in_est, state: [established, related], action: accept }
      - { id: in_ping, in: inside, proto: [icmp, icmpv6], action: accept }
  forward:
    policy: drop
    rules:
      - { id: invalid, state: invalid, action: drop }
      - { id: established, state: established, action: accept }
      - { id: data, state: related, ct_helper: [HELPERS], action: accept }
      - { id: errors, state: related, proto: [icmp, icmpv6], action: accept }
      - { id: out, in: inside, out: outside, state: new, action: accept }
      - { id: forwarded, state: new, ct_status: dnat, action: accept }
  output: { policy: accept }
nat:
  prerouting:
PREROUTING
  postrouting:
    - { id: masq, out: outside, src: 10.77.1.0/24, masquerade: true }
"""
PUBLIC = "10.77.2.1"
SERVER = NETWORK["outside"] + ".2"
SERVER6 = NETWORK6["outside"] + "2"


def rules(helpers, raw, prerouting):
    """The template with the helpers whose flows are let through, and with the rules of two chains."""
    listed = lambda chain: "\n".join("    - " + rule for rule in chain)
    return (TEMPLATE.replace("HELPERS", ", ".join(helpers)).replace("RAW", listed(raw))
            .replace("PREROUTING", listed(prerouting)))


class GatewayCase(unittest.TestCase):
    """Without tests of its own. `rules` are those that a test file wants."""
    rules = None
    workers = 1

    def setUp(self):
        self.lab = RoutedLab(workers=self.workers).__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        self.lab.start(self.lab.configuration(self.rules))
        self.files = self.lab.directory / "files"
        self.files.mkdir()
        (self.files / "large").write_bytes(os.urandom(300_000))
        self.assertTrue(wait_until(lambda: self.lab.ping("inside", SERVER), 10))

    def curl(self, side, *words):
        """The file that the client gets; None: it gets none. `said` is what it talked with the server."""
        target = self.lab.directory / "got"
        target.unlink(missing_ok=True)
        done = self.lab.host(side, "curl", "-sSv", "-m", "20", "-o", target, *words, check=False)
        self.said = done.stderr
        return target.read_bytes() if done.returncode == 0 and target.exists() else None

    def serve_http(self, side, port):
        self.lab.spawn(side, "/usr/bin/python3", "-m", "http.server", str(port), "--directory", self.files)
        address = NETWORK[side] + ".2"
        self.assertTrue(wait_until(lambda: self.curl(side, f"http://{address}:{port}/large"), 10))

    def flows(self, **wanted):
        listed = self.lab.ctl_json("conntrack", "-L")
        return [flow for flow in listed if all(flow["orig"].get(key) == value for key, value in wanted.items())]

    def assert_got(self, data):
        self.assertEqual(data, (self.files / "large").read_bytes())
