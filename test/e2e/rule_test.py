"""The command `rule` against a running daemon: one rule comes or goes, and the next packet meets it."""
import os
import unittest

from lab import ADDRESS4, Lab

CHAINS = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: known, state: established, action: accept }
      - { id: all, in: inside, action: accept }
"""
MANY = "".join(f"      - {{ id: many{n}, proto: tcp, src: 10.7.{n}.0/24, action: drop }}\n"
               for n in range(100))


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Rule(unittest.TestCase):
    def ids(self, lab):
        chain, = (c for c in lab.ctl_json("list")["chains"] if c["name"] == "forward")
        return [rule["id"] for rule in chain["rules"]]

    def add(self, lab, *words):
        return lab.ctl_json("rule", "add", "forward", *words)

    def test_a_rule_comes_and_goes_while_traffic_flows(self):
        for many in ("", MANY):
            with self.subTest(rules=many.count("\n") + 2), Lab() as lab:
                lab.start(lab.configuration(CHAINS + many))
                outside = ADDRESS4["outside"]
                self.assertTrue(lab.ping("inside", outside))
                before = self.ids(lab)

                # Before what accepts the flow: it ends at its next packet.
                added = self.add(lab, f"{{ dst: {outside}, action: drop }}", "--at", "1")
                self.assertEqual((added["chain"], added["number"], added["active"]),
                                 ("forward", 1, True))
                self.assertFalse(lab.ping("inside", outside))
                self.assertEqual(self.ids(lab), [added["id"], *before])
                listed = lab.ctl("list", "-v", "-x", "-a", "forward").stdout
                self.assertIn("added at run time", listed)
                self.assertIn("drop", lab.ctl("test", "in=inside", "proto=icmp",
                                              f"src={ADDRESS4['inside']}", f"dst={outside}",
                                              "icmp=8").stdout)
                gone = lab.ctl("rule", "delete", added["id"])
                self.assertIn(f"rule {added['id']} removed from chain forward, number 1",
                              gone.stdout)
                self.assertTrue(lab.ping("inside", outside))
                self.assertEqual(self.ids(lab), before)

                # Where it was written does not matter, its place does.
                self.add(lab, "id: last, dst: 192.0.2.1, action: drop")
                self.add(lab, "id: second, proto: udp, log: { prefix: x }, action: drop",
                         "--after", "known")
                self.add(lab, "id: first, limit: 10/second, comment: goes on",
                         "--before", "known")
                self.assertEqual(self.ids(lab),
                                 ["first", before[0], "second", *before[1:], "last"])
                lab.ctl("rule", "delete", "known")  # which accepted the answers
                self.assertFalse(lab.ping("inside", outside))
                # The six changes end with the next configuration.
                self.assertIn("6 rules were added or removed", lab.ctl("reload").stderr)
                self.assertEqual(self.ids(lab), before)

    def test_counters_go_on(self):
        with Lab() as lab:
            lab.start(lab.configuration(CHAINS))
            self.assertTrue(lab.ping("inside", ADDRESS4["outside"]))

            def packets():
                chain, = (c for c in lab.ctl_json("list")["chains"] if c["name"] == "forward")
                return {rule["id"]: rule["packets"] for rule in chain["rules"]}
            counted = packets()
            self.assertGreater(counted["all"], 0)
            for number in range(5):
                self.add(lab, f"id: x{number}, dst: 192.0.2.{number}, action: drop")
            self.assertGreaterEqual(packets()["all"], counted["all"])
            self.assertGreaterEqual(packets()["known"], counted["known"])

    def test_what_is_wrong_changes_nothing(self):
        with Lab() as lab:
            lab.start(lab.configuration(CHAINS + "  web: [{ action: accept }]\n"))
            before = self.ids(lab)
            for words, status, message in (
                    (("add", "forward", "{ sport: 1, action: accept }"), 4, "proto"),
                    (("add", "forward", "{ id: all, action: accept }"), 4, "duplicate rule id"),
                    (("add", "forward", "{ src: [ }"), 4, "error"),
                    (("add", "forward", "{ jump: nowhere }"), 4, "nowhere"),
                    (("add", "forward", "{ jump: web }"), 4, "not used so far"),
                    (("add", "nowhere", "{ action: drop }"), 4, "no chain 'nowhere'"),
                    (("add", "forward", "action: drop", "--at", "9"), 4, "1 to 3"),
                    (("add", "forward", "action: drop", "--after", "no"), 4, "no rule with the id"),
                    (("add", "forward", "action: drop", "--at", "x"), 2, "--at takes a number"),
                    (("delete", "nobody"), 4, "no rule has the id 'nobody'"),
                    (("insert", "forward"), 2, "unknown verb")):
                with self.subTest(words=words):
                    done = lab.ctl("rule", *words, check=False)
                    self.assertEqual(done.returncode, status, done.stderr)
                    self.assertIn(message, done.stderr)
            self.assertEqual(self.ids(lab), before)

    def test_many_changes_are_compiled_aside(self):
        with Lab() as lab:
            lab.start(lab.configuration(CHAINS + MANY))
            outside = ADDRESS4["outside"]
            for number in range(130):
                self.add(lab, f"id: x{number}, dst: 198.51.100.{number}, action: drop", "--at", "1")
                if number % 3 == 0:
                    lab.ctl("rule", "delete", f"x{number}")
            wanted = [f"x{n}" for n in reversed(range(130)) if n % 3]
            self.assertEqual(self.ids(lab)[:len(wanted)], wanted)
            self.assertTrue(lab.ping("inside", outside))
            self.add(lab, f"id: stop, dst: {outside}, action: drop", "--at", "40")
            self.assertFalse(lab.ping("inside", outside))
            lab.ctl("rule", "delete", "stop")
            self.assertTrue(lab.ping("inside", outside))


if __name__ == "__main__":
    unittest.main()
