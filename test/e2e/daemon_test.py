"""The daemon between real hosts: two workers, other drivers, its life cycle and its control socket."""
import json
import os
import signal
import socket
import threading
import time
import unittest

from lab import ADDRESS4, ADDRESS6, BUILD, Lab, RAMPARTCTL, RAMPARTD, run, wait_until

STATEFUL = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: invalid, state: invalid, action: drop }
      - { id: related, state: related, action: accept }
      - { id: established, state: established, action: accept }
      - { id: out, in: inside, state: new, action: accept }
"""
REJECTING = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: established, state: [established, related], action: accept }
      - { id: no-telnet, proto: tcp, dport: 23, action: reject }
      - { id: no-udp, proto: udp, dport: 9, action: reject, reject_with: admin-prohibited }
      - { id: out, in: inside, state: new, action: accept }
"""


def conservation(lab):
    """Waits for a quiet moment and returns what came in and where it went, as stats tells it."""
    totals = {}

    def balanced():
        totals.update(lab.ctl_json("stats"))
        return totals["received"] + totals["handed_in"] == \
            totals["forwarded"] + totals["local"] + totals["handed_out"] + totals["merged"] + totals["dropped"]
    wait_until(balanced, 5, 0.2)
    return totals


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class TwoWorkers(unittest.TestCase):
    """Software steering: the ports do not spread symmetrically, the workers hand packets over."""

    def play(self, driver):
        with Lab(driver, workers=2) as lab:
            lab.start(lab.configuration(STATEFUL))
            lab.serve_http("outside", 80)
            (lab.directory / "www" / "page").write_bytes(os.urandom(200_000))
            for family in (ADDRESS4, ADDRESS6):
                self.assertTrue(lab.ping("inside", family["outside"]))
                self.assertFalse(lab.ping("outside", family["inside"]))
            for number in range(24):
                target = f"http://{ADDRESS4['outside']}/page"
                fetched = lab.host("inside", "curl", "-s", "--max-time", "10", target, "-o",
                                   lab.directory / f"page{number}", check=False)
                self.assertEqual(fetched.returncode, 0, f"fetch {number}")
            flows = lab.flows(proto="tcp", dport=80)
            self.assertEqual(len(flows), 24, "one entry for each connection, on one worker only")
            self.assertTrue(all("ASSURED" in flow["status"] for flow in flows))
            # An ICMP error travels to the worker that owns the flow it quotes.
            before = lab.rule_counts()["related"]
            for port in range(9001, 9007):  # a host sends no more than six at once
                self.closed_port(lab, port)
            self.assertGreaterEqual(lab.rule_counts()["related"] - before, 6)
            totals = conservation(lab)
            self.assertEqual(totals["received"] + totals["handed_in"],
                             totals["forwarded"] + totals["local"] + totals["handed_out"] + totals["merged"] + totals["dropped"])
            self.assertGreater(totals["handed_out"], 0)
            self.assertEqual(totals["handed_out"], totals["handed_in"])
            workers = lab.ctl_json("workers")
            self.assertEqual(len(workers["workers"] if "workers" in workers else workers), 2)
            self.assertEqual(lab.stop(), 0)

    def closed_port(self, lab, port):
        """A datagram to a closed port: the client must learn of it at once."""
        code = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
                f"s.connect(('{ADDRESS4['outside']}', {port})); s.settimeout(2); s.send(b'x');"
                "\ntry: s.recv(1)\nexcept ConnectionRefusedError: print('refused')")
        answer = lab.host("inside", "/usr/bin/python3", "-c", code, check=False)
        self.assertEqual(answer.stdout.strip(), "refused", f"port {port}")

    def test_two_queues_of_taps(self):
        self.play("net_tap")

    def test_two_queue_pairs_of_packet_sockets(self):
        self.play("net_af_packet")


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Rejects(unittest.TestCase):
    def test_clients_learn_of_a_rejection_at_once(self):
        with Lab() as lab:
            lab.start(lab.configuration(REJECTING))
            for family in (ADDRESS4, ADDRESS6):
                literal = family["outside"] if "." in family["outside"] else \
                    f"[{family['outside']}]"
                started = time.monotonic()
                refused = lab.host("inside", "curl", "-s", "--max-time", "5",
                                   f"telnet://{literal}:23", check=False)
                self.assertEqual(refused.returncode, 7, "connection refused")
                self.assertLess(time.monotonic() - started, 2)
            self.assertEqual(lab.drops()["reject"], 2)
            code = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
                    f"s.connect(('{ADDRESS4['outside']}', 9)); s.settimeout(2); s.send(b'x');"
                    "\ntry: s.recv(1)\nexcept OSError as e: print(e.errno)")
            answer = lab.host("inside", "/usr/bin/python3", "-c", code)
            self.assertEqual(answer.stdout.strip(), "113", "EHOSTUNREACH: prohibited")


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class LifeCycle(unittest.TestCase):
    def test_signals_reload_and_stop_it(self):
        with Lab() as lab:
            lab.start(lab.configuration(STATEFUL))
            self.assertEqual(lab.ctl_json("status")["generation"], 1)
            lab.daemon.send_signal(signal.SIGHUP)
            self.assertTrue(wait_until(lambda: lab.ctl_json("status")["generation"] == 2, 5))
            lab.config.write_text("version: 1\nchains: nothing\n")
            lab.daemon.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            self.assertEqual(lab.ctl_json("status")["generation"], 2, "a broken file changes nothing")
            self.assertTrue(lab.ping("inside", ADDRESS4["outside"]))
            self.assertEqual(lab.stop(), 0)
            self.assertFalse(lab.socket.exists())
            self.assertEqual(lab.ctl("status", check=False).returncode, 3)

    def test_what_needs_a_restart_is_refused(self):
        with Lab() as lab:
            text = lab.configuration(STATEFUL)
            lab.start(text)
            refused = lab.apply(text.replace("workers: 1", "workers: 2"))
            self.assertEqual(refused.returncode, 4)
            self.assertIn("restart", refused.stderr)
            self.assertEqual(lab.ctl_json("status")["generation"], 1)

    def test_a_wrong_file_or_port_does_not_start(self):
        with Lab(hugepages="never") as lab:
            for text, status, word in (
                    ("version: 1\ninterfaces: {}\nnonsense: 1\n", 4, "nonsense"),
                    (lab.configuration(STATEFUL).replace("vdev:net_tap0,iface=fw-inside",
                                                         "vdev:net_nothing0"), 1, "inside")):
                lab.config.write_text(text)
                started = run("ip", "netns", "exec", lab.names["firewall"], RAMPARTD, "--config",
                              lab.config, "--socket", lab.socket, "--state", lab.state,
                              check=False)
                self.assertEqual(started.returncode, status, started.stderr)
                self.assertIn(word, started.stderr)
                self.assertFalse(lab.socket.exists())

    def test_counters_survive_a_reload(self):
        with Lab() as lab:
            text = lab.configuration(STATEFUL)
            lab.start(text)
            lab.ping("inside", ADDRESS4["outside"], count=3)
            before = lab.rule_counts()
            self.assertGreater(before["established"], 0)
            self.assertEqual(lab.apply(text).returncode, 0)
            after = lab.rule_counts()
            self.assertTrue(all(after[rule] >= before[rule] for rule in before))

    def test_the_table_can_be_listed_filtered_counted_and_flushed(self):
        with Lab() as lab:
            lab.start(lab.configuration(STATEFUL))
            self.assertEqual(lab.ctl("conntrack", "-C").stdout.strip(), "0")
            lab.ping("inside", ADDRESS4["outside"])
            lab.ping("inside", ADDRESS6["outside"])
            listed = lab.ctl("conntrack", "-L", "-p", "icmp")
            self.assertEqual(len(listed.stdout.splitlines()), 1)
            self.assertIn("1 flow entries have been shown", listed.stderr)
            self.assertEqual(lab.ctl("conntrack", "-D", "-p", "tcp", check=False).returncode, 1)
            self.assertEqual(lab.ctl("conntrack", "-L", "--nonsense", check=False).returncode, 2)
            lab.ctl("conntrack", "-F")
            self.assertTrue(wait_until(lambda: lab.ctl("conntrack", "-C").stdout.strip() == "0", 3))


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class ControlSocket(unittest.TestCase):
    def ask(self, lab, data):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(lab.socket))
            client.sendall(data)
            return client.makefile("rb").readline()

    def test_bad_requests_get_an_answer_and_do_no_harm(self):
        with Lab() as lab:
            lab.start(lab.configuration(STATEFUL))
            self.assertEqual(lab.socket.stat().st_mode & 0o777, 0o660)
            for data in (b"\n", b"{\n", b"[1]\n", b'{"command":7}\n', b'{"command":"nothing"}\n',
                         b"\0\0\0\n", b"[" * 5000 + b"\n", b"\xff\xfe\n",
                         b'{"command":"drops","arguments":[1]}\n'):
                answer = json.loads(self.ask(lab, data))
                self.assertNotEqual(answer.get("exit"), 0, data)
            good = json.loads(self.ask(lab, b'{"command":"drops","json":true}\n'))
            self.assertEqual(good["exit"], 0)
            self.assertIn({"reason": "policy", "packets": 0}, good["result"]["drops"])

    def test_silent_clients_do_not_block_others(self):
        with Lab() as lab:
            lab.start(lab.configuration(STATEFUL))
            silent = [socket.socket(socket.AF_UNIX) for _ in range(32)]
            for client in silent:
                client.connect(str(lab.socket))
                client.send(b'{"comm')
            self.assertEqual(lab.ctl("status").returncode, 0)
            for client in silent:
                client.close()


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Traffic(unittest.TestCase):
    def test_reloads_lose_no_packet_of_a_running_transfer(self):
        with Lab() as lab:
            text = lab.configuration(STATEFUL)
            lab.start(text)
            lab.spawn("outside", "iperf3", "--server", "--one-off")
            lab.listening("outside", 5201)
            result = {}

            def transfer():
                done = lab.host("inside", "iperf3", "--json", "--udp", "--bitrate", "20M", "--time",
                                "4", "--client", ADDRESS4["outside"], check=False)
                result.update(json.loads(done.stdout))
            thread = threading.Thread(target=transfer)
            thread.start()
            time.sleep(0.5)
            for _ in range(10):
                self.assertEqual(lab.apply(text).returncode, 0)
                time.sleep(0.2)
            thread.join()
            drops = {reason: n for reason, n in lab.drops().items() if n and reason != "policy"}
            self.assertIn("end", result)
            self.assertEqual({k: v for k, v in drops.items() if k not in ("transmit_full", "l2_ethertype")},
                             {}, "nothing is dropped but by the policy or by a full TAP")


class Offline(unittest.TestCase):
    """What needs neither root nor the daemon."""

    def test_check_tells_every_problem_with_its_place(self):
        broken = BUILD.parent / "test/unit/config/golden"
        files = sorted(broken.glob("*.yaml"))
        self.assertTrue(files)
        checked = run(RAMPARTCTL, "check", files[0], check=False)
        self.assertIn(checked.returncode, (0, 4))
        for example in sorted((BUILD.parent / "config").glob("*.yaml")):
            self.assertEqual(run(RAMPARTCTL, "check", example, check=False).returncode, 0, example)

    def test_an_unreachable_daemon_is_exit_status_3(self):
        for words in (["status"], ["list"], ["conntrack", "-L"], ["drops", "--json"]):
            asked = run(RAMPARTCTL, "--socket", "/nonexistent/socket", *words, check=False)
            self.assertEqual(asked.returncode, 3)

    def test_bad_usage_is_exit_status_2(self):
        self.assertEqual(run(RAMPARTCTL, "--nonsense", check=False).returncode, 2)
        self.assertEqual(run(RAMPARTD, "--nonsense", check=False).returncode, 2)
        self.assertEqual(run(RAMPARTCTL, "check", "/nonexistent.yaml", check=False).returncode, 4)


if __name__ == "__main__":
    unittest.main()
