"""DPDK's telemetry socket, asked by DPDK's own client: the answers are those of rampartctl."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

from lab import ADDRESS4, Lab, wait_until

CLIENT = shutil.which("dpdk-telemetry.py")
RULES = """\
sets:
  blocked: { type: ip, elements: [192.0.2.1, 192.0.2.2] }
chains:
  forward:
    policy: drop
    rules:
      - { id: est, state: established, action: accept }
      - { id: block-list, src: "@blocked", action: drop }
      - { id: ping, in: inside, proto: icmp, state: new, action: accept }
MORE"""
COMMANDS = ["/rampart/conntrack/count", "/rampart/conntrack/stats", "/rampart/drops", "/rampart/info",
            "/rampart/nat/pools", "/rampart/rules", "/rampart/sets", "/rampart/workers"]


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@unittest.skipUnless(CLIENT, "dpdk-telemetry.py is missing (package dpdk-dev)")
class Telemetry(unittest.TestCase):
    def setUp(self):
        self.lab = Lab(workers=2).__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        self.prefix = "telemetry-" + self.lab.tag
        self.directory = pathlib.Path("/var/run/dpdk") / self.prefix
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def start(self, more=""):
        self.lab.start(self.lab.configuration(RULES.replace("MORE", more),
                                              more=f'eal: ["--file-prefix={self.prefix}"]\n'))

    def ask(self, *commands):
        """The answers, in order, as dpdk-telemetry.py prints them."""
        done = subprocess.run([CLIENT, "-f", self.prefix], input="\n".join(commands) + "\nquit\n",
                              text=True, capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        answers, decoder, rest = [], json.JSONDecoder(), done.stdout
        while "{" in rest:
            try:
                answer, end = decoder.raw_decode(rest, rest.index("{"))
            except json.JSONDecodeError:
                break
            rest = rest[end:]
            if "max_output_len" not in answer:
                answers.append(answer)
        self.assertEqual(len(answers), len(commands), done.stdout)
        return [answer[command.split(",")[0]] for answer, command in zip(answers, commands)]

    def test_all_commands_are_listed_with_help(self):
        self.start()
        listed, = self.ask("/")
        self.assertEqual([name for name in listed if name.startswith("/rampart/")], COMMANDS)
        for command in COMMANDS:
            text, = self.ask("/help," + command)
            self.assertIn("Returns", text[command])
        self.assertEqual(self.ask("/ethdev/list"), [[0, 1]])

    def test_answers_are_those_of_rampartctl(self):
        self.start()
        lab = self.lab
        self.assertTrue(wait_until(lambda: lab.ping("inside", ADDRESS4["outside"], 3), 10))
        self.assertFalse(lab.ping("outside", ADDRESS4["inside"], 1))

        chains, = self.ask("/rampart/rules")
        self.assertEqual(chains["chains"]["forward"]["rules"], 3)
        self.assertEqual(chains["chains"]["forward"]["policy"], "drop")
        rules, = self.ask("/rampart/rules,forward")
        listed = next(chain for chain in lab.ctl_json("list")["chains"] if chain["name"] == "forward")
        self.assertEqual(rules["packets"], {rule["id"].replace("-", "_"): rule["packets"] for rule in listed["rules"]})
        self.assertEqual(rules["bytes"], {rule["id"].replace("-", "_"): rule["bytes"] for rule in listed["rules"]})
        self.assertGreater(rules["packets"]["ping"], 0)

        # A host may send something of its own between two questions.
        self.assertTrue(wait_until(lambda: self.ask("/rampart/drops") == [lab.drops()], 10))
        self.assertGreater(self.ask("/rampart/drops")[0]["policy"], 0)
        self.assertTrue(wait_until(
            lambda: self.ask("/rampart/conntrack/count")[0]["count"] == lab.ctl_json("conntrack", "-C"), 10))
        stats, = self.ask("/rampart/conntrack/stats")
        self.assertEqual(sorted(stats), ["0", "1"])
        self.assertEqual(sorted(stats["0"]), sorted(lab.ctl_json("conntrack", "-S")[0]))

        info, workers, sets, pools = self.ask("/rampart/info", "/rampart/workers", "/rampart/sets",
                                              "/rampart/nat/pools")
        status = lab.ctl_json("status")
        for key in ("generation", "version", "config", "workers", "flows_max", "steering"):
            self.assertEqual(info[key], status[key])
        self.assertEqual(info["ready"], 1)
        self.assertEqual({name: port["link"] for name, port in info["ports"].items()},
                         {port["name"]: int(port["link"]) for port in status["ports"]})
        told = lab.ctl_json("workers")["workers"]
        self.assertEqual([workers[str(w["worker"])]["cpu"] for w in told], [w["cpu"] for w in told])
        told = lab.ctl_json("set", "list")["sets"][0]
        self.assertEqual((sets["blocked"]["elements"], sets["blocked"]["max"]), (2, told["max"]))
        self.assertEqual(pools, {})

    def test_long_lists_come_in_pages_and_nonsense_gets_an_answer(self):
        self.start("".join(f"      - {{ id: rule{i}, dst: 10.{i // 250}.1.{i % 250}, action: drop }}\n" for i in range(600)))
        found, first, pages = {}, 0, 0
        while first is not None:
            page, = self.ask(f"/rampart/rules,forward,{first}")
            found.update(page["packets"])
            first, pages = page.get("next"), pages + 1
        self.assertEqual((len(found), page["rules"]), (603, 603))
        self.assertGreater(pages, 1)
        wrong, = self.ask("/rampart/rules,nowhere")
        self.assertIn("no chain", wrong["error"])
        self.assertEqual(self.ask("/rampart/nonsense"), [None])
        self.assertEqual(self.ask("/rampart/workers,99"), [{}])

    def test_a_client_for_each_thread_and_none_keeps_the_daemon_from_ending(self):
        self.start()
        clients = [subprocess.Popen([CLIENT, "-f", self.prefix], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    text=True) for _ in range(5)]
        for client in clients:
            client.stdin.write("/rampart/conntrack/count\n" * 20)
            client.stdin.flush()
        # They stay connected. Lab.stop() also sees that no system call was refused.
        self.assertTrue(all(client.poll() is None for client in clients))
        names = {path.read_text().split("\n")[0].split("\t")[1]: path.read_text()
                 for path in pathlib.Path(f"/proc/{self.daemon_pid()}/task").glob("*/status")}
        kept = 1 << 12  # CAP_NET_ADMIN, for the twins of TAP
        for name, status in names.items():
            permitted = int(status.split("CapPrm:\t")[1].split("\n")[0], 16)
            self.assertEqual(permitted & ~kept, 0, name)
        self.assertNotIn("keeps capabilities", self.lab.log.read_text())
        self.assertEqual(self.lab.stop(), 0)
        self.assertEqual(list(self.directory.glob("dpdk_telemetry*")), [])
        for client in clients:
            client.communicate("quit\n", timeout=30)

    def daemon_pid(self):
        """`ip netns exec` becomes the daemon."""
        return self.lab.daemon.pid


if __name__ == "__main__":
    unittest.main()
