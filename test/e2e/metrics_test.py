"""Metrics as a real Prometheus reads them, against what rampartctl says; and clients that mean no good."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import unittest

from lab import ADDRESS4, RAMPARTCTL, RAMPARTD, ROOT, Lab, run, wait_until
from monitoring import ENDPOINT, RULES, Prometheus, ask, connect, fetch, scrape
from routed_test import NETWORK, RoutedLab

MONITORING = "monitoring: { listen: \"127.0.0.1:9482\" }\n"
ALERTS = ROOT / "config/monitoring/rampart.rules.yaml"
DASHBOARD = ROOT / "config/monitoring/rampart-dashboard.json"

# Dashboards and alerts of others rely on these names.
NAMES = """
    rampart_conntrack_entries rampart_conntrack_entries_limit rampart_conntrack_stat_found_total
    rampart_conntrack_stat_invalid_total rampart_conntrack_stat_insert_total rampart_conntrack_stat_insert_failed_total
    rampart_conntrack_stat_drop_total rampart_conntrack_stat_early_drop_total rampart_conntrack_stat_search_restart_total
    rampart_conntrack_flows rampart_conntrack_new_total rampart_conntrack_destroy_total rampart_invalid_total
    rampart_drops_total rampart_rule_packets_total rampart_rule_bytes_total rampart_rule_last_hit_timestamp_seconds
    rampart_chain_policy_packets_total rampart_port_receive_packets_total rampart_port_receive_bytes_total
    rampart_port_receive_errors_total rampart_port_receive_drop_total rampart_port_transmit_packets_total
    rampart_port_transmit_bytes_total rampart_port_transmit_errors_total rampart_port_transmit_drop_total
    rampart_queue_receive_packets_total rampart_queue_imbalance_ratio rampart_worker_busy_ratio
    rampart_worker_cycles_total rampart_nat_pool_ports rampart_nat_pool_ports_used rampart_nat_alloc_failed_total
    rampart_set_elements rampart_set_elements_limit rampart_helper_expectations rampart_helper_packets_total
    rampart_log_suppressed_total rampart_config_generation rampart_config_last_reload_successful
    rampart_config_last_reload_success_timestamp_seconds rampart_mbuf_free_ratio rampart_build_info
    rampart_port_up rampart_worker_stuck rampart_ready
""".split()
# Of parts that the bridge of most tests does not have.
ROUTED_ONLY = {name for name in NAMES if "_nat_" in name}


def needs_root(case):
    return unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")(case)


def needs_prometheus(case):
    has = shutil.which("prometheus") and shutil.which("promtool")
    return unittest.skipUnless(has, "there is no Prometheus (package prometheus)")(case)


def traffic(lab):
    """Some of everything: pings, transfers, a flow that ends, drops by rule and by policy."""
    lab.serve_http("outside", 80)
    (lab.directory / "www" / "page").write_bytes(os.urandom(100_000))
    assert lab.ping("inside", ADDRESS4["outside"], count=3)
    for _ in range(5):
        assert lab.can_connect("inside", ADDRESS4["outside"], 80)
    for _ in range(2):
        assert not lab.can_connect("inside", ADDRESS4["outside"], 23, seconds=1)
    assert not lab.ping("outside", ADDRESS4["inside"], count=2)


def quiet(lab):
    """Until no counter moves: the hosts have nothing to say to each other any more."""
    seen = []

    def is_still():
        stats = lab.ctl_json("stats")
        seen.append([(port["received_packets"], port["transmitted_packets"]) for port in stats["ports"]])
        return len(seen) > 4 and all(one == seen[-1] for one in seen[-4:])
    assert wait_until(is_still, 60, 0.4), "traffic does not end"


@needs_root
@needs_prometheus
class Scrapes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(workers=2).__enter__()
        cls.addClassCleanup(cls.lab.__exit__, None, None, None)
        sets = "sets: { blocked: { type: ip, elements: [192.0.2.1, 192.0.2.2], max: 1000 } }\n"
        rules = RULES + "      - { id: blocked_ones, src: '@blocked', action: drop }\n"
        cls.lab.start(cls.lab.configuration(rules, more=MONITORING + sets))
        cls.prometheus = Prometheus(cls.lab, ALERTS)
        cls.addClassCleanup(cls.prometheus.close)
        traffic(cls.lab)
        quiet(cls.lab)

    def assert_becomes(self, read, expected):
        """Prometheus looks once a second, and forgets nothing meanwhile."""
        seen = []
        wait_until(lambda: seen.append(read()) or seen[-1] == expected(), 20, 0.3)
        self.assertEqual(seen[-1], expected())

    def test_drops_by_reason_are_those_of_the_client_and_so_is_their_sum(self):
        self.assert_becomes(lambda: self.prometheus.by("reason", "rampart_drops_total"), self.lab.drops)
        self.assert_becomes(lambda: self.prometheus.query("sum(rampart_drops_total)"),
                            lambda: {(): self.lab.ctl_json("stats")["dropped"]})
        self.assertGreater(self.lab.drops()["rule"], 0)
        self.assertGreater(self.lab.drops()["policy"], 0)
        invalid = lambda: {one["reason"]: one["packets"] for one in self.lab.ctl_json("drops", "--invalid")["invalid"]}
        self.assert_becomes(lambda: self.prometheus.by("reason", "rampart_invalid_total"), invalid)

    def test_ports_count_as_the_client_says(self):
        for word in ("received_packets", "received_bytes", "transmitted_packets", "transmitted_bytes"):
            name = f"rampart_port_{word.replace('received', 'receive').replace('transmitted', 'transmit')}_total"
            self.assert_becomes(lambda: self.prometheus.by("port", name), lambda: {
                port["name"]: port[word] for port in self.lab.ctl_json("stats")["ports"]})
        queues = lambda: {(("instance", ENDPOINT), ("job", "rampart"), ("port", port["name"]), ("queue", str(number))):
                          queue["received_packets"]
                          for port in self.lab.ctl_json("stats")["ports"] for number, queue in enumerate(port["queues"])}
        self.assert_becomes(lambda: self.prometheus.query("rampart_queue_receive_packets_total"), queues)
        links = lambda: {port["name"]: port["link"] for port in self.lab.ctl_json("port")["ports"]}
        self.assert_becomes(lambda: self.prometheus.by("port", "rampart_port_up"), links)
        lost = lambda: {port["name"]: port["receive_missed"] + port["receive_no_mbuf"]
                        for port in self.lab.ctl_json("port")["ports"]}
        self.assert_becomes(lambda: self.prometheus.by("port", "rampart_port_receive_drop_total"), lost)

    def test_rules_count_as_the_client_says(self):
        self.assert_becomes(lambda: self.prometheus.by("rule", "rampart_rule_packets_total"), self.lab.rule_counts)
        counts = self.lab.rule_counts()
        self.assertGreater(counts["web"], 4)
        self.assertEqual(self.prometheus.by("chain", "rampart_rule_packets_total{rule='web'}").keys(), {"forward"})
        listed = self.lab.ctl_json("list")["chains"][0]
        bytes_of = {rule["id"]: rule["bytes"] for rule in listed["rules"]}
        self.assertEqual(self.prometheus.by("rule", "rampart_rule_bytes_total"), bytes_of)
        self.assertEqual(self.prometheus.query("rampart_chain_policy_packets_total{chain='forward',policy='drop'}").popitem()[1],
                         listed["policy_packets"])
        suppressed = {rule["id"]: rule["log_suppressed"] for rule in listed["rules"] if "log_suppressed" in rule}
        self.assertEqual(self.prometheus.by("rule", "rampart_log_suppressed_total"), suppressed)
        hits = self.prometheus.by("rule", "rampart_rule_last_hit_timestamp_seconds")
        self.assertEqual(hits["blocked_ones"], 0, "never hit")
        ages = self.prometheus.by("rule", "time() - rampart_rule_last_hit_timestamp_seconds")
        self.assertTrue(0 <= ages["web"] < 300, ages)

    def test_flows_are_those_of_the_table(self):
        def listed():
            counts = {}
            for flow in self.lab.ctl_json("conntrack", "-L"):
                bits = flow["status"]
                state = flow.get("state") or ("ASSURED" if "ASSURED" in bits else "SEEN_REPLY" if "SEEN_REPLY" in bits else "UNREPLIED")
                counts[flow["proto"], state] = counts.get((flow["proto"], state), 0) + 1
            return counts

        def counted():
            found = self.prometheus.query("rampart_conntrack_flows > 0")
            return {(dict(labels)["proto"], dict(labels)["state"]): number for labels, number in found.items()}
        self.assert_becomes(counted, listed)
        self.assert_becomes(lambda: self.prometheus.query("rampart_conntrack_entries").popitem()[1],
                            lambda: self.lab.ctl_json("conntrack", "-C"))
        self.assertEqual(self.prometheus.query("rampart_conntrack_entries_limit").popitem()[1], 262144)
        # What began and has not ended is there, for each protocol.
        alive = lambda: self.prometheus.by("proto", "rampart_conntrack_new_total - rampart_conntrack_destroy_total > 0")
        there = lambda: self.prometheus.by("proto", "sum by (proto) (rampart_conntrack_flows) > 0")
        self.assert_becomes(alive, there)
        stats = self.lab.ctl_json("stats")
        self.assertEqual(self.prometheus.query("sum(rampart_conntrack_new_total)").popitem()[1], stats["flows_inserted"])

    def test_workers_sets_and_the_daemon_itself(self):
        shares = self.prometheus.by("worker", "rampart_worker_busy_ratio")
        self.assertEqual(shares.keys(), {"0", "1"})
        self.assertTrue(all(0 <= share <= 1 for share in shares.values()), shares)
        self.assertEqual(len(self.prometheus.query("rampart_worker_cycles_total")), 4)
        running = self.prometheus.by("worker", "sum by (worker) (rate(rampart_worker_cycles_total[10s])) > 0")
        self.assertEqual(running.keys(), {"0", "1"})
        self.assertEqual(self.prometheus.by("worker", "rampart_worker_stuck"), {"0": 0, "1": 0})
        self.assertEqual(self.prometheus.by("set", "rampart_set_elements"), {"blocked": 2})
        self.assertEqual(self.prometheus.by("set", "rampart_set_elements_limit"), {"blocked": 1000})
        self.assertTrue(0 < self.prometheus.by("pool", "rampart_mbuf_free_ratio")["packets"] < 1)
        version = self.lab.ctl_json("version")
        self.assertEqual(self.prometheus.by("version", "rampart_build_info"), {version["rampartd"]: 1})
        self.assertEqual(self.prometheus.by("dpdk", "rampart_build_info"), {version["dpdk"]: 1})
        self.assertEqual(self.prometheus.query("rampart_ready").popitem()[1], 1)

    def test_promtool_finds_nothing_to_object(self):
        text = fetch(self.lab, "/metrics")[2].decode()
        checked = run("promtool", "check", "metrics", input=text, check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

    def test_every_name_is_there(self):
        names = {name for name, _ in scrape(self.lab)}
        self.assertEqual(set(NAMES) - names - ROUTED_ONLY, set())
        self.assertEqual(names - set(NAMES), set(), "a metric without a place in this list and in docs/monitoring.md")

    def test_the_alerts_are_loaded_and_none_fires(self):
        rules = self.prometheus.api("rules")["data"]["groups"][0]["rules"]
        self.assertGreater(len(rules), 10)
        self.assertTrue(wait_until(lambda: all(
            rule["health"] == "ok" for rule in self.prometheus.api("rules")["data"]["groups"][0]["rules"]), 10))
        firing = [rule["name"] for rule in self.prometheus.api("rules")["data"]["groups"][0]["rules"] if rule["state"] == "firing"]
        # Where a TAP has moved to another namespace, its port has no link that DPDK could see.
        self.assertEqual(set(firing) - {"RampartPortDown"}, set())

    def test_the_dashboard_asks_for_what_there_is(self):
        known = {name for name, _ in scrape(self.lab)} | ROUTED_ONLY | {"up"}
        dashboard = json.loads(DASHBOARD.read_text())
        panels = list(expressions_of(dashboard["panels"]))
        self.assertGreater(len(panels), 30)
        for expression in panels + list(expressions_of(dashboard["annotations"])):
            plain = expression.replace("$__rate_interval", "30s").replace("$__range", "5m").replace("$instance", ".*")
            with self.subTest(expression=expression):
                self.assertNotIn("$", plain)
                found = self.prometheus.query(plain)
                named = set(re.findall(r"\b(rampart_\w+|up)\b", plain))
                self.assertEqual(named - known, set())
                if expression in panels and not named & ROUTED_ONLY:
                    self.assertNotEqual(found, {}, "an empty panel")


def expressions_of(node):
    """Whatever a dashboard asks Prometheus, in panels and variables."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "expr":
                yield value
            else:
                yield from expressions_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions_of(value)


@needs_root
class Reloads(unittest.TestCase):
    def test_counters_never_go_back_and_the_outcome_is_told(self):
        with Lab() as lab:
            first = lab.configuration(RULES, more=MONITORING)
            lab.start(first)
            traffic(lab)
            before = scrape(lab)
            started = before["rampart_config_last_reload_success_timestamp_seconds", ()]
            self.assertGreater(started, 1e9)
            self.assertEqual(before["rampart_config_generation", ()], 1)
            second = first.replace("id: no_telnet", "id: no_telnet_any_more").replace(
                "rules:\n", "rules:\n      - { id: first_of_all, src: 192.0.2.7, action: drop }\n", 1)
            self.assertEqual(lab.apply(second).returncode, 0)
            after = scrape(lab)
            for (name, labels), value in before.items():
                if name.endswith("_total") and ("rule", "no_telnet") not in labels:
                    self.assertGreaterEqual(after[name, labels], value, (name, labels))
            web = ("rampart_rule_packets_total", (("chain", "forward"), ("rule", "web")))
            self.assertEqual(after[web], before[web])
            hit = ("rampart_rule_last_hit_timestamp_seconds", (("chain", "forward"), ("rule", "web")))
            self.assertEqual(after[hit], before[hit], "the time follows the rule to its new place")
            self.assertGreater(after[hit], 0)
            self.assertNotIn(("chain", "forward") + ("rule", "no_telnet"), [key[1] for key in after])
            self.assertEqual(after["rampart_config_generation", ()], 2)
            self.assertEqual(after["rampart_config_last_reload_successful", ()], 1)
            self.assertGreaterEqual(after["rampart_config_last_reload_success_timestamp_seconds", ()], started)

            self.assertEqual(lab.apply(second.replace("action: drop", "action: dorp")).returncode, 4)
            failed = scrape(lab)
            self.assertEqual(failed["rampart_config_last_reload_successful", ()], 0)
            self.assertEqual(failed["rampart_config_generation", ()], 2)
            self.assertEqual(failed["rampart_config_last_reload_success_timestamp_seconds", ()],
                             after["rampart_config_last_reload_success_timestamp_seconds", ()])
            lab.config.unlink()
            self.assertNotEqual(lab.ctl("reload", check=False).returncode, 0)
            lab.config.write_text(first)
            self.assertEqual(lab.ctl("reload", check=False).returncode, 0)
            self.assertEqual(scrape(lab)["rampart_config_last_reload_successful", ()], 1)
            # A rule at run time is a generation of its own.
            lab.ctl("rule", "add", "forward", "{ id: extra, src: 192.0.2.9, action: drop }")
            added = scrape(lab)
            self.assertEqual(added["rampart_rule_packets_total", (("chain", "forward"), ("rule", "extra"))], 0)
            self.assertEqual(added[web], before[web])
            self.assertEqual(lab.stop(), 0)

    def test_the_section_is_fixed_while_the_daemon_runs(self):
        with Lab() as lab:
            text = lab.configuration(RULES, more=MONITORING)
            lab.start(text)
            changed = lab.apply(text.replace("9482", "9483"))
            self.assertEqual(changed.returncode, 4)
            self.assertIn("'monitoring' cannot change while the daemon runs", changed.stderr)


@needs_root
class Routed(unittest.TestCase):
    def test_pools_and_helpers(self):
        rules = """\
chains:
  raw:
    - { proto: tcp, dport: 21, helper: ftp }
  forward:
    policy: drop
    rules:
      - { id: established, state: [established, related], action: accept }
      - { id: out, in: inside, state: new, action: accept }
nat:
  postrouting:
    - { id: pool, out: outside, dst: 10.77.2.2, snat: "10.77.2.1:5000-5999" }
"""
        with RoutedLab() as lab:
            lab.start(lab.configuration(MONITORING + rules))
            server = NETWORK["outside"] + ".2"
            self.assertTrue(wait_until(lambda: lab.ping("inside", server), 15))
            samples = scrape(lab)
            pools = {dict(labels)["pool"]: value for (name, labels), value in samples.items() if name == "rampart_nat_pool_ports"}
            used = {dict(labels)["pool"]: value for (name, labels), value in samples.items() if name == "rampart_nat_pool_ports_used"}
            listed = lab.ctl_json("nat", "pools")["pools"]
            self.assertEqual(pools, {pool["pool"]: pool["ports"] for pool in listed})
            self.assertEqual(used, {pool["pool"]: max(pool["tcp"], pool["udp"], pool["other"]) for pool in listed})
            self.assertEqual(sum(used.values()), 1)
            self.assertEqual({name for name, _ in samples} & ROUTED_ONLY, ROUTED_ONLY)
            helpers = {dict(labels)["helper"] for name, labels in samples if name == "rampart_helper_packets_total"}
            self.assertEqual(helpers, {"ftp", "tftp", "irc", "sip", "pptp"})
            # The daemon keeps CAP_NET_ADMIN, because ports are routed; the server's threads keep nothing.
            servers = []
            for task in pathlib.Path(f"/proc/{lab.daemon.pid}/task").iterdir():
                status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
                if status["Name"].startswith("civetweb"):
                    servers.append((int(status["CapPrm"], 16), int(status["CapEff"], 16), status["Seccomp"]))
            self.assertEqual(servers, [(0, 0, "2")] * 4)
            self.assertEqual(lab.stop(), 0)


@needs_root
class HostileClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab().__enter__()
        cls.addClassCleanup(cls.lab.__exit__, None, None, None)
        cls.lab.start(cls.lab.configuration(RULES, more=MONITORING))

    def tearDown(self):
        """Whatever happened: the next one is served, and the firewall does its work."""
        self.assertTrue(wait_until(lambda: fetch(self.lab, "/metrics")[0] == 200, 30))
        self.assertTrue(self.lab.ping("inside", ADDRESS4["outside"]))

    def test_only_documents_that_exist_can_be_read(self):
        self.assertEqual(fetch(self.lab, "/metrics")[0], 200)
        for path in ("/", "/index.html", "/status.json", "/metrics/", "/metrics/x", "/../../etc/passwd",
                     "/%2e%2e/%2e%2e/etc/passwd", "//metrics/../etc/hostname", "/" + "a" * 4000):
            self.assertIn(fetch(self.lab, path)[0], (400, 404), path)
        self.assertEqual(fetch(self.lab, "/metrics?name[]=rampart_ready")[0], 200)

    def test_only_reading_is_allowed(self):
        status, headers, body = fetch(self.lab, "/metrics", "HEAD")
        self.assertEqual((status, body), (200, b""))
        self.assertGreater(int(headers["Content-Length"]), 1000)
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            status, headers, _ = fetch(self.lab, "/metrics", method)
            self.assertEqual((status, headers.get("Allow")), (405, "GET, HEAD"), method)
        self.assertIn(fetch(self.lab, "/metrics", "BREW")[0], (400, 405, 501, None))

    def test_requests_that_are_meant_for_proxies(self):
        for line in ("OPTIONS *", "CONNECT evil.example:80", "CONNECT 127.0.0.1:9482", "GET http://evil.example/metrics",
                     "GET ftp://127.0.0.1/metrics", "GET *", "TRACE /metrics"):
            self.assertNotEqual(ask(self.lab, f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())[0], 200, line)

    def test_another_host_is_not_answered_for(self):
        for host in ("evil.example", "evil.example:9482", "127.0.0.1.evil.example", "192.0.2.1", "[2001:db8::1]:9482", "[::1"):
            self.assertEqual(fetch(self.lab, "/metrics", host=host)[0], 421, host)
        for host in ("localhost", "localhost:9482", "127.0.0.1", "127.1.2.3:80", "[::1]:9482"):
            self.assertEqual(fetch(self.lab, "/metrics", host=host)[0], 200, host)

    def test_nonsense_is_refused(self):
        for request in (b"\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"GET /metrics\r\n\r\n", os.urandom(3000) + b"\r\n\r\n",
                        b"GET /metrics HTTP/9.9\r\n\r\n", b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
                        b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
                        b"GET /metrics HTTP/1.1\r\nHost: " + b"x" * 20000 + b"\r\n\r\n"):
            ask(self.lab, request)

    def test_clients_that_keep_still_or_do_not_read_hold_up_nobody_else_for_long(self):
        silent = [connect(self.lab) for _ in range(20)]
        halves = [connect(self.lab) for _ in range(10)]
        for client in halves:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127")
        deaf = [connect(self.lab) for _ in range(10)]
        for client in deaf:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        for _ in range(5):
            self.assertEqual(self.lab.ctl("status", check=False).returncode, 0, "control goes on meanwhile")
        for client in silent + halves + deaf:
            client.close()

    def test_many_at_once_are_all_served(self):
        answers = []

        def read():
            for _ in range(10):
                answers.append(fetch(self.lab, "/metrics")[0])
        readers = [threading.Thread(target=read) for _ in range(8)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        self.assertEqual(answers, [200] * 80)


@needs_root
class Starts(unittest.TestCase):
    def test_a_port_that_is_taken_is_told_with_its_place(self):
        with Lab() as lab:
            lab.spawn("firewall", "/usr/bin/python3", "-m", "http.server", "9482", "--bind", "127.0.0.1")
            self.assertTrue(lab.listening("firewall", 9482))
            lab.config.write_text(lab.configuration(RULES, more=MONITORING))
            line = 1 + lab.config.read_text().splitlines().index(MONITORING.strip())
            started = lab.host("firewall", RAMPARTD, "--config", lab.config, "--socket", lab.socket, "--state", lab.state,
                               check=False)
            self.assertEqual(started.returncode, 1, started.stderr)
            self.assertIn(f"rampart.yaml:{line}: error: monitoring.listen: 127.0.0.1:9482", started.stderr)
            self.assertIn("hint: another program may have the port", started.stderr)

    def test_nothing_listens_without_the_section(self):
        with Lab() as lab:
            lab.start(lab.configuration(RULES))
            self.assertEqual(lab.host("firewall", "ss", "-Hltn").stdout, "")

    def test_rules_can_be_left_out(self):
        with Lab() as lab:
            lab.start(lab.configuration(RULES, more="monitoring: { rule_metrics: false }\n"))
            text = fetch(lab, "/metrics")[2].decode()
            self.assertNotIn("rampart_rule_", text)
            self.assertIn('rampart_chain_policy_packets_total{chain="forward",policy="drop"} ', text)


if __name__ == "__main__":
    unittest.main()
