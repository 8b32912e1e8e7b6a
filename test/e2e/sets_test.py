"""The command `set` against a running daemon: changes act on running flows and outlive a reload."""
import os
import unittest

from lab import ADDRESS4, Lab

SETS = """\
sets:
  blocked: {{ type: net, elements: [198.51.100.0/24] }}
  listed:  {{ type: net, file: {file}, max: 100000 }}
  pingers: {{ type: ip, dynamic: true, timeout: 60s, max: 100 }}
"""
CHAINS = """\
chains:
  raw:
    rules:
      - { id: listed, src: "@listed", action: drop }
  forward:
    policy: drop
    rules:
      - { id: blocked, dst: "@blocked", action: drop }
      - { id: note, in: inside, proto: icmp, add_to: { set: pingers, key: src } }
      - { id: all, action: accept }
"""


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Sets(unittest.TestCase):
    def members(self, lab, name):
        return sorted(m["element"] for m in
                      lab.ctl_json("set", "list", name, "--elements")["members"])

    def test_elements_change_while_traffic_flows(self):
        with Lab() as lab:
            file = lab.directory / "listed.txt"
            file.write_text("# nobody yet\n203.0.113.0/24\n")
            lab.start(lab.configuration(CHAINS, more=SETS.format(file=file)))
            outside = ADDRESS4["outside"]
            self.assertTrue(lab.ping("inside", outside))
            self.assertEqual(self.members(lab, "pingers"), [ADDRESS4["inside"]])

            # A running flow meets the change at its next packet.
            self.assertEqual(lab.ctl("set", "add", "blocked", outside).stdout,
                             "1 added, 0 already in\n")
            self.assertFalse(lab.ping("inside", outside))
            self.assertEqual(lab.ctl("set", "test", "blocked", outside).returncode, 0)
            self.assertEqual(lab.ctl("set", "test", "blocked", "192.0.2.1", check=False).returncode,
                             1)

            # What was added stays over a reload; what was configured comes back.
            lab.ctl("set", "del", "blocked", "198.51.100.0/24")
            lab.ctl("reload")
            self.assertEqual(self.members(lab, "blocked"), [outside, "198.51.100.0/24"])
            self.assertEqual(self.members(lab, "pingers"), [ADDRESS4["inside"]])
            self.assertFalse(lab.ping("inside", outside))
            lab.ctl("set", "del", "blocked", outside)
            self.assertTrue(lab.ping("inside", outside))

            # The file: all of the new contents, or the old ones.
            file.write_text(f"203.0.113.0/24\n{ADDRESS4['inside']}\n")
            lab.ctl("set", "reload", "listed")
            self.assertFalse(lab.ping("inside", outside))
            file.write_text("203.0.113.0/24\nsecret words\n")
            wrong = lab.ctl("set", "reload", "listed", check=False)
            self.assertEqual(wrong.returncode, 1)
            self.assertIn(f"{file}:2: error: not an address", wrong.stderr)
            self.assertNotIn("secret", wrong.stderr)
            self.assertFalse(lab.ping("inside", outside))
            file.write_text("\n")
            lab.ctl("set", "reload", "listed")
            self.assertTrue(lab.ping("inside", outside))
            self.assertEqual(lab.stop(), 0)

    def test_many_elements_are_listed_saved_and_flushed(self):
        with Lab() as lab:
            file = lab.directory / "listed.txt"
            lines = [f"10.{i // 250}.{i % 250}.0/24" for i in range(20000)]
            file.write_text("\n".join(lines) + "\n")
            lab.start(lab.configuration(CHAINS, more=SETS.format(file=file)))
            summary = {s["name"]: s for s in lab.ctl_json("set", "list")["sets"]}
            self.assertEqual(summary["listed"]["elements"], 20000)
            self.assertEqual(summary["listed"]["references"], 1)
            self.assertEqual(sorted(lab.ctl("set", "save", "listed").stdout.split()),
                             sorted(lines))
            self.assertEqual(len(self.members(lab, "listed")), 20000)
            self.assertEqual(lab.ctl("set", "flush", "listed").stdout, "20000 deleted\n")
            self.assertEqual(self.members(lab, "listed"), [])
            words = [f"192.0.2.{i}" for i in range(101)]
            full = lab.ctl("set", "add", "pingers", *words, check=False)
            self.assertEqual(full.returncode, 1)
            self.assertEqual(full.stdout, "100 added, 0 already in, 1 refused\n")
            self.assertEqual(lab.ctl("set", "add", "nothing", "1.2.3.4", check=False).returncode, 1)
            self.assertEqual(lab.ctl("set", "add", "listed", "1.2.3", check=False).returncode, 2)
            self.assertEqual(lab.ctl("set", "explode", check=False).returncode, 2)
            self.assertEqual(lab.stop(), 0)


if __name__ == "__main__":
    unittest.main()
