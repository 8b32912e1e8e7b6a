"""Changing the configuration of a running daemon: confirmed, not confirmed, killed at bad moments."""
import os
import random
import subprocess
import time
import unittest

from lab import ADDRESS4, Lab, RAMPARTCTL, run, wait_until

OPEN = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: established, state: established, action: accept }
      - { id: ping, proto: icmp, state: new, action: accept }
      - { id: web, proto: tcp, dport: 80, state: new, action: accept }
"""
# Refuses what OPEN accepts.
SHUT = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: established, state: established, action: accept }
      - { id: other, proto: udp, dport: 9, state: new, action: accept }
"""
# Differs from OPEN, and lets pings through as well.
WIDER = OPEN + "      - { id: dns, proto: udp, dport: 53, state: new, action: accept }\n"
ROUNDS = int(os.environ.get("RAMPART_KILL_ROUNDS", "6"))
# A client that holds a connection open, and tells what it hears back.
TALKER = """\
import socket, sys
s = socket.create_connection((sys.argv[1], 80), 5); s.settimeout(2)
for line in sys.stdin:
    try:
        s.sendall(line.encode()); print(s.recv(64).decode().strip(), flush=True)
    except OSError as problem:
        print(type(problem).__name__, flush=True)
"""
ECHO = """\
import socket
l = socket.create_server(("", 80))
while True:
    c = l.accept()[0]
    while data := c.recv(64):
        c.sendall(data)
"""


def needs_root(test):
    return unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")(test)


class Case(unittest.TestCase):
    def begin(self, lab, rules=OPEN, **options):
        lab.start(lab.configuration(rules, **options))
        self.assertTrue(lab.ping("inside", ADDRESS4["outside"]))

    def passes(self, lab):
        """Whether a new ping, with an identifier of its own, gets through."""
        return lab.ping("inside", ADDRESS4["outside"])

    def status(self, lab):
        return lab.ctl_json("status")["configuration"]

    def rules(self, lab):
        return set(lab.rule_counts())


@needs_root
class Confirmation(Case):
    def test_a_confirmation_in_time_keeps_it_also_over_a_restart(self):
        with Lab() as lab:
            self.begin(lab)
            applied = lab.apply(lab.configuration(SHUT), "--confirm", "3s")
            self.assertEqual(applied.returncode, 0, applied.stderr)
            self.assertIn("goes back to 1 in 3s", applied.stdout)
            self.assertFalse(self.passes(lab))
            self.assertEqual(lab.ctl("confirm").returncode, 0)
            time.sleep(3.5)
            self.assertFalse(self.passes(lab))
            self.assertEqual(lab.ctl("confirm", check=False).returncode, 1)
            self.assertEqual(lab.stop(), 0)
            lab.start()
            self.assertEqual(self.rules(lab), {"established", "other"})
            self.assertEqual(self.status(lab), {"running": 2, "startup": 2})

    def test_without_it_the_old_rules_come_back_and_traffic_follows(self):
        with Lab() as lab:
            self.begin(lab)
            lab.apply(lab.configuration(SHUT), "--confirm=2s")
            self.assertFalse(self.passes(lab))
            refused = lab.apply(lab.configuration(WIDER))
            self.assertEqual(refused.returncode, 1)
            self.assertIn("waits for confirmation", refused.stderr)
            self.assertTrue(wait_until(lambda: self.passes(lab), 6))
            self.assertEqual(self.status(lab), {"running": 1, "startup": 1})
            self.assertIn("not confirmed in time", lab.ctl("history").stdout)
            self.assertIn("rolled back to 1", lab.log.read_text())

    def test_the_death_of_the_client_does_not_matter(self):
        with Lab() as lab:
            self.begin(lab)
            path = lab.directory / "shut.yaml"
            path.write_text(lab.configuration(SHUT))
            client = subprocess.Popen([str(RAMPARTCTL), "--socket", str(lab.socket), "apply",
                                       "--confirm", "2s", str(path)], stdout=subprocess.DEVNULL)
            wait_until(lambda: "pending" in self.status(lab), 5, 0.02)
            client.kill()
            client.wait()
            self.assertTrue(wait_until(lambda: self.passes(lab), 6))
            self.assertEqual(self.status(lab), {"running": 1, "startup": 1})

    def test_a_daemon_killed_during_the_countdown_goes_on_with_it(self):
        with Lab() as lab:
            self.begin(lab)
            lab.apply(lab.configuration(SHUT), "--confirm", "20s")
            lab.kill()
            lab.start()
            status = self.status(lab)
            self.assertEqual((status["running"], status["startup"]), (2, 1))
            self.assertLessEqual(status["pending"]["left_s"], 20)
            self.assertFalse(self.passes(lab))
            self.assertTrue(wait_until(lambda: "pending" not in self.status(lab), 25, 0.5))
            self.assertTrue(self.passes(lab))

    def test_a_daemon_that_comes_back_after_the_deadline_begins_with_the_old_rules(self):
        with Lab() as lab:
            self.begin(lab)
            lab.apply(lab.configuration(SHUT), "--confirm", "1s")
            lab.kill()
            time.sleep(1.1)
            lab.start()
            self.assertEqual(self.status(lab), {"running": 1, "startup": 1})
            self.assertTrue(self.passes(lab))
            self.assertIn("not confirmed", lab.ctl("history").stdout)


@needs_root
class History(Case):
    def test_rollback_diff_and_history(self):
        with Lab() as lab:
            self.begin(lab)
            text = lab.configuration(WIDER)
            self.assertEqual(lab.apply(text, "--comment", "names for all").returncode, 0)
            self.assertEqual(lab.apply(lab.configuration(SHUT)).returncode, 0)
            self.assertFalse(self.passes(lab))
            entries = lab.ctl_json("history")["entries"]
            self.assertEqual([e["number"] for e in entries], [3, 2, 1])
            self.assertEqual(entries[1]["comment"], "names for all")
            self.assertIn(f"(uid {os.geteuid()})", entries[0]["who"])
            self.assertEqual(lab.ctl("history", "2").stdout, text)

            differs = lab.ctl("diff", "2", check=False)
            self.assertEqual(differs.returncode, 1)
            self.assertIn("live     + chains.forward rule dns", differs.stdout)
            self.assertIn("live     - chains.forward rule other", differs.stdout)
            self.assertEqual(lab.ctl("diff", "3").returncode, 0)
            self.assertEqual(lab.ctl("diff").returncode, 0)
            fixed = lab.directory / "fixed.yaml"
            fixed.write_text(lab.configuration(SHUT, conntrack="{ max: 1000 }"))
            self.assertIn("restart  ~ conntrack.max: 262144 -> 1000",
                          lab.ctl("diff", fixed, check=False).stdout)

            self.assertEqual(lab.ctl("rollback").returncode, 0)
            self.assertEqual(self.rules(lab), {"established", "ping", "web", "dns"})
            self.assertEqual(lab.ctl("rollback", "1").returncode, 0)
            self.assertEqual(self.rules(lab), {"established", "ping", "web"})
            self.assertEqual(lab.ctl("rollback", "99", check=False).returncode, 1)
            self.assertEqual(lab.stop(), 0)
            lab.start()
            self.assertEqual(lab.ctl_json("history")["entries"][0]["how"], "rollback to 1")
            self.assertEqual(self.rules(lab), {"established", "ping", "web"})

    def test_the_file_counts_again_when_it_was_edited_later(self):
        with Lab() as lab:
            self.begin(lab)
            lab.apply(lab.configuration(SHUT))
            lab.stop()
            lab.start(lab.configuration(WIDER))
            self.assertEqual(self.rules(lab), {"established", "ping", "web", "dns"})
            self.assertIn("changed since", lab.log.read_text())

    def test_a_temporary_change_ends_with_the_daemon(self):
        with Lab() as lab:
            self.begin(lab)
            applied = lab.apply(lab.configuration(SHUT), "--temporary")
            self.assertEqual(applied.returncode, 0, applied.stderr)
            self.assertFalse(self.passes(lab))
            self.assertIn("a start begins with 1", lab.ctl("status").stdout)
            lab.stop()
            lab.start()
            self.assertTrue(self.passes(lab))


@needs_root
class Faults(Case):
    def test_sigkill_at_any_moment_of_an_apply_leaves_the_old_or_the_new_rules(self):
        seed = int(os.environ.get("RAMPART_SEED", "1"))
        generator = random.Random(seed)
        sets = {"open": {"established", "ping", "web"}, "shut": {"established", "other"}}
        with Lab() as lab:
            self.begin(lab)
            paths = {}
            for name, rules in (("open", OPEN), ("shut", SHUT)):
                paths[name] = lab.directory / f"{name}.yaml"
                paths[name].write_text(lab.configuration(rules))
            last = "open"
            for number in range(ROUNDS):
                clients = []
                for name in ("shut", "open") * 3:
                    clients.append(subprocess.Popen(
                        [str(RAMPARTCTL), "--socket", str(lab.socket), "apply", str(paths[name])],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                time.sleep(generator.random() * 0.08)
                lab.kill()
                for client in clients:
                    client.wait()
                lab.start()
                self.assertIn(self.rules(lab), list(sets.values()), f"round {number}, seed {seed}")
                self.assertEqual(lab.ctl("apply", paths[last]).returncode, 0)
                self.assertEqual(self.rules(lab), sets[last])

    def test_a_full_disk_leaves_the_running_configuration(self):
        with Lab() as lab:
            lab.state.mkdir()
            run("mount", "-t", "tmpfs", "-o", "size=64k", "none", lab.state)
            try:
                self.begin(lab)
                filler = lab.state / "filler"
                with self.assertRaises(OSError):
                    filler.write_bytes(bytes(1 << 20))
                for options in ((), ("--confirm", "9s")):
                    refused = lab.apply(lab.configuration(SHUT), *options)
                    self.assertEqual(refused.returncode, 1)
                    self.assertIn("No space left", refused.stderr)
                    self.assertIn("configuration not changed", refused.stderr)
                    self.assertTrue(self.passes(lab))
                # The way out when it is urgent.
                self.assertEqual(lab.apply(lab.configuration(SHUT), "--temporary").returncode, 0)
                self.assertFalse(self.passes(lab))
                filler.unlink()
                self.assertEqual(lab.apply(lab.configuration(WIDER)).returncode, 0)
                self.assertTrue(self.passes(lab))
                self.assertEqual(lab.stop(), 0)
            finally:
                lab.stop()
                run("umount", lab.state, check=False)

    def test_without_a_state_directory_it_works_and_says_so(self):
        with Lab() as lab:
            lab.state = "/proc/nowhere/state"
            self.begin(lab)
            self.assertIn("no history", lab.ctl("status").stdout)
            applied = lab.apply(lab.configuration(SHUT))
            self.assertEqual(applied.returncode, 0)
            self.assertIn("not remembered", applied.stderr)
            refused = lab.apply(lab.configuration(OPEN), "--confirm", "9s")
            self.assertEqual(refused.returncode, 1)
            self.assertFalse(self.passes(lab))
            self.assertEqual(lab.ctl("history", check=False).returncode, 1)

    def test_a_bad_file_of_any_kind_changes_nothing(self):
        with Lab() as lab:
            self.begin(lab)
            good = lab.configuration(OPEN)
            for text, word in (("version: 1\n\tchains", "E001"), (good + "nonsense: 1\n", "nonsense"),
                               (good.replace("workers: 1", "workers: 2"), "restart"),
                               (good.replace("action: accept", "action: acept"), "accept")):
                refused = lab.apply(text)
                self.assertEqual(refused.returncode, 4, text)
                self.assertIn("configuration not changed", refused.stderr)
            self.assertEqual(lab.ctl("apply", lab.directory / "none.yaml", check=False).returncode, 4)
            self.assertEqual(self.status(lab), {"running": 1, "startup": 1})
            self.assertEqual(lab.ctl_json("status")["generation"], 1)
            for words in (("--confirm=soon", "x"), ("--confirm=9s", "--temporary")):
                bad = lab.apply(good, *words[:-1] if words[-1] == "x" else words)
                self.assertEqual(bad.returncode, 2, bad.stderr)


@needs_root
class LiveFlows(Case):
    def open_connection(self, lab):
        lab.spawn("outside", "/usr/bin/python3", "-c", ECHO)
        self.assertTrue(lab.listening("outside", 80))
        return lab.spawn("inside", "/usr/bin/python3", "-c", TALKER, ADDRESS4["outside"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def says(self, talker, word):
        talker.stdin.write(word + "\n")
        talker.stdin.flush()
        return talker.stdout.readline().strip()

    def test_keep_and_recheck(self):
        with Lab() as lab:
            self.begin(lab)
            talker = self.open_connection(lab)
            self.assertEqual(self.says(talker, "one"), "one")
            # keep: what is established goes on, as with iptables.
            self.assertEqual(lab.apply(lab.configuration(SHUT)).returncode, 0)
            self.assertEqual(self.says(talker, "two"), "two")
            rechecking = "reload: { established: recheck }\n"
            self.assertEqual(lab.apply(lab.configuration(SHUT, more=rechecking)).returncode, 0)
            self.assertNotEqual(self.says(talker, "three"), "three")
            self.assertEqual(lab.drops()["recheck"], 1)
            self.assertEqual(lab.flows(proto="tcp", dport=80), [])
            self.assertEqual(lab.ctl_json("stats")["flows_cut"], 1)
            self.assertIn("flows ended by rechecks 1: policy of forward 1", lab.ctl("stats").stdout)
            self.assertTrue(wait_until(lambda: "recheck: 1 flows ended" in lab.log.read_text(), 5))

    def test_the_caller_is_warned_of_cutting_its_own_connection(self):
        with Lab() as lab:
            self.begin(lab)
            talker = self.open_connection(lab)
            self.assertEqual(self.says(talker, "one"), "one")
            flow = lab.flows(proto="tcp", dport=80)[0]["orig"]
            ssh = dict(os.environ, SSH_CONNECTION=f"{flow['src']} {flow['sport']} {flow['dst']} "
                                                  f"{flow['dport']}")
            warned = lab.apply(lab.configuration(SHUT), "--temporary", env=ssh)
            self.assertEqual(warned.returncode, 0)
            self.assertIn("the connection you are using", warned.stderr)
            self.assertIn("would not let it begin again", warned.stderr)
            self.assertIn("--confirm", warned.stderr)
            quiet = lab.apply(lab.configuration(WIDER), env=ssh)
            self.assertNotIn("the connection you are using", quiet.stderr)

    def test_counters_can_be_reset(self):
        with Lab() as lab:
            self.begin(lab)
            self.passes(lab)
            counts = lab.rule_counts()
            self.assertGreater(counts["ping"], 0)
            self.assertEqual(lab.ctl("counters", "reset", "--rule", "ping").returncode, 0)
            self.assertEqual(lab.rule_counts()["ping"], 0)
            self.assertGreater(lab.rule_counts()["established"], 0)
            self.assertEqual(lab.ctl("counters", "reset", "--rule", "none", check=False).returncode, 1)
            lab.ctl("counters", "reset")
            self.assertTrue(all(n == 0 for n in lab.rule_counts().values()))
            self.passes(lab)
            self.assertEqual(lab.rule_counts()["ping"], 1)
            reset = lab.configuration(OPEN, more="reload: { counters: reset }\n")
            self.assertEqual(lab.apply(reset).returncode, 0)
            self.assertEqual(lab.rule_counts()["ping"], 0)


if __name__ == "__main__":
    unittest.main()
