"""The daemon as a service: what it tells its manager, what it gives up, and that nothing passes without it."""
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

from halted_thread import HaltedThread, SpinningThread, threads
from lab import ADDRESS4, RAMPARTD, Lab, run, wait_until
from routed_test import NETWORK, OPEN, RoutedLab

BRIDGE = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: out, in: inside, action: accept }
      - { id: back, state: [established, related], action: accept }
"""
NET_ADMIN = 1 << 12


def needs_root(case):
    return unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")(case)


class Manager:
    """Listens as systemd does, all the time: whoever tells it something waits while the socket is full."""

    def __init__(self, directory, watchdog_us=0):
        path = directory / "notify.sock"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.lines = queue.SimpleQueue()
        self.environment = {"NOTIFY_SOCKET": str(path)}
        if watchdog_us:
            self.environment["WATCHDOG_USEC"] = str(watchdog_us)
        self.thread = threading.Thread(target=self.listen, daemon=True)

    def __enter__(self):
        self.thread.start()
        os.environ.update(self.environment)
        return self

    def __exit__(self, *_):
        for name in self.environment:
            del os.environ[name]
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()

    def listen(self):
        while message := self.socket.recv(4096):
            for line in message.decode().splitlines():
                self.lines.put(line)

    def told(self):
        """The lines since the last time."""
        return [self.lines.get() for _ in range(self.lines.qsize())]

    def is_told(self, line, seconds=10):
        return wait_until(lambda: line in self.told(), seconds)


def without_ports(text):
    """The same with devices that stand on nothing."""
    return re.sub(r"net_af_packet(\d),[^\"]*", r"net_null\1,no-rx=1", text)


def status_of(pid, tid):
    text = pathlib.Path(f"/proc/{pid}/task/{tid}/status").read_text()
    return dict(re.findall(r"^(\w+):\s*(.*)$", text, re.M))


@needs_root
class Notifications(unittest.TestCase):
    def test_the_manager_hears_of_start_life_reload_and_stop(self):
        with Lab("net_af_packet") as lab, Manager(lab.directory, watchdog_us=400_000) as manager:
            lab.start(lab.configuration(BRIDGE))
            self.assertTrue(manager.is_told("READY=1"))
            self.assertTrue(manager.is_told("WATCHDOG=1"))
            self.assertTrue(wait_until(lambda: any(
                line.startswith("STATUS=generation 1, 2 ports") for line in manager.told()), 10))
            lab.daemon.send_signal(signal.SIGHUP)
            self.assertTrue(manager.is_told("RELOADING=1"))
            self.assertTrue(wait_until(lambda: "the file was read again" in lab.log.read_text(), 10))
            self.assertEqual(lab.stop(), 0, lab.log.read_text())
            self.assertTrue(manager.is_told("STOPPING=1"))

    def stuck(self, hold, words):
        with Lab("net_af_packet", idle="poll") as lab, \
                Manager(lab.directory, watchdog_us=400_000) as manager:
            lab.start(lab.configuration(BRIDGE))
            pid = lab.daemon.pid
            worker = next(tid for tid, name in threads(pid).items()
                          if re.fullmatch(r"(lcore-worker|rte-worker)-1", name))
            self.assertTrue(manager.is_told("WATCHDOG=1"))
            self.assertEqual(lab.ctl_json("status")["stuck_workers"], [])
            with hold(pid, worker):
                self.assertTrue(wait_until(lambda: lab.ctl_json("status")["stuck_workers"], 10))
                self.assertRegex(lab.ctl("status").stdout, words)
                self.assertRegex(lab.log.read_text(), words)
                manager.told()
                time.sleep(0.5)  # the watchdog would be fed four times
                self.assertNotIn("WATCHDOG=1", manager.told())
            self.assertTrue(wait_until(lambda: not lab.ctl_json("status")["stuck_workers"], 10))
            self.assertIn("is back after", lab.log.read_text())
            self.assertTrue(manager.is_told("WATCHDOG=1"))
            self.assertTrue(lab.ping("inside", ADDRESS4["outside"]))
            self.assertEqual(lab.stop(), 0)

    @unittest.skipUnless(SpinningThread.is_possible, "written for x86-64")
    def test_a_worker_that_spins_is_told_and_the_watchdog_is_not_fed(self):
        self.stuck(SpinningThread, r"worker 0 \(CPU \d+\) is stuck: it has not ended its loop for \d+ ms")

    def test_a_worker_that_does_not_run_is_told_and_the_watchdog_is_not_fed(self):
        self.stuck(HaltedThread, r"worker 0 \(CPU \d+\) is stuck: it has not run for \d+ ms")

    def test_a_control_thread_that_hangs_does_not_feed_the_watchdog(self):
        with Lab("net_af_packet") as lab, Manager(lab.directory, watchdog_us=400_000) as manager:
            lab.start(lab.configuration(BRIDGE))
            self.assertTrue(manager.is_told("WATCHDOG=1"))
            with HaltedThread(lab.daemon.pid, lab.daemon.pid):
                manager.told()
                time.sleep(0.5)
                self.assertEqual(manager.told(), [])
                # The workers go on meanwhile.
                self.assertTrue(lab.ping("inside", ADDRESS4["outside"]))
            self.assertTrue(manager.is_told("WATCHDOG=1"))


def kib_of(pid, name):
    return int(status_of(pid, pid)[name].split()[0])


@needs_root
class FailClosed(unittest.TestCase):
    def test_nothing_passes_a_transparent_pair_without_the_daemon(self):
        with Lab("net_af_packet") as lab:
            passes = lambda: lab.ping("inside", ADDRESS4["outside"])
            self.assertFalse(passes())
            lab.start(lab.configuration(BRIDGE))
            self.assertTrue(passes())
            lab.kill()
            self.assertFalse(passes())
            lab.start()
            self.assertTrue(passes())
            self.assertEqual(lab.stop(), 0)
            self.assertFalse(passes())
            # Nor when it does not come up.
            lab.config.write_text(lab.configuration("chains: { forward: { policy: maybe } }\n"))
            with self.assertRaises(RuntimeError):
                lab.start()
            self.assertFalse(passes())

    def test_twins_go_with_the_daemon_and_the_kernel_does_not_forward_in_its_stead(self):
        with RoutedLab() as lab:
            firewall = lab.names["firewall"]
            twins = lambda: re.findall(r"^\d+: (inside|outside)[:@]",
                                       run("ip", "-n", firewall, "link").stdout, re.M)
            passes = lambda: lab.ping("inside", NETWORK["outside"] + ".2")
            # Even when the kernel is told to.
            run("ip", "netns", "exec", firewall, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
            lab.start(lab.configuration(OPEN))
            self.assertTrue(wait_until(passes, 10))
            self.assertEqual(sorted(twins()), ["inside", "outside"])
            lab.kill()
            self.assertTrue(wait_until(lambda: not twins(), 10))
            self.assertFalse(passes())


@needs_root
class Confined(unittest.TestCase):
    def check(self, lab, capabilities, seccomp="2"):
        pid = lab.daemon.pid
        for tid, name in threads(pid).items():
            status = status_of(pid, tid)
            with self.subTest(name):
                self.assertEqual(int(status["CapPrm"], 16) & ~capabilities, 0)
                self.assertEqual(int(status["CapEff"], 16) & ~capabilities, 0)
                self.assertEqual(status["Seccomp"], seccomp)
                self.assertEqual(status["NoNewPrivs"], "1")

    def test_every_thread_of_a_ready_daemon_is_confined(self):
        with Lab("net_tap", workers=2) as lab:
            lab.start(lab.configuration(BRIDGE))
            self.check(lab, NET_ADMIN)
            self.assertTrue(lab.ping("inside", ADDRESS4["outside"]))
            self.assertIn("confined: CAP_NET_ADMIN, few system calls", lab.log.read_text())

    def test_without_ports_of_the_kernel_no_capability_is_left(self):
        with Lab("net_af_packet") as lab:
            lab.start(without_ports(lab.configuration(BRIDGE)))
            self.check(lab, 0)

    def test_confinement_can_be_less(self):
        with Lab("net_af_packet") as lab:
            text = without_ports(lab.configuration(BRIDGE))
            lab.start(text + "control: { confine: capabilities }\n")
            self.check(lab, 0, seccomp="0")
            self.assertEqual(lab.stop(), 0)
            lab.start(text + "control: { confine: none }\n")
            self.assertEqual(status_of(lab.daemon.pid, lab.daemon.pid)["Seccomp"], "0")
            self.assertIn("confine: none", lab.log.read_text())

    @unittest.skipUnless(shutil.which("setpriv"), "needs setpriv")
    def test_it_runs_as_an_ordinary_user_with_two_capabilities(self):
        with Lab("net_tap", hugepages="never") as lab:
            os.chmod(lab.directory, 0o777)
            lab.config.write_text(lab.configuration(BRIDGE))
            with lab.log.open("w") as log:
                lab.daemon = subprocess.Popen(
                    ["ip", "netns", "exec", lab.names["firewall"], "prlimit", "--memlock=8388608:8388608",
                     "setpriv", "--reuid", "65534", "--regid",
                     "65534", "--clear-groups", "--inh-caps", "-all,+net_admin,+net_raw", "--ambient-caps",
                     "-all,+net_admin,+net_raw", str(RAMPARTD), "--config", str(lab.config), "--socket",
                     str(lab.socket), "--state", str(lab.directory / "state")], stdout=log, stderr=log)
            self.assertTrue(wait_until(lab.is_ready, 30, 0.1), lab.log.read_text())
            self.check(lab, NET_ADMIN)
            # With a finite limit later allocations would fail.
            self.assertEqual(kib_of(lab.daemon.pid, "VmLck"), 0)
            self.assertIn("the memory is not locked: the limit is finite", lab.log.read_text())
            self.assertEqual(lab.stop(), 0, lab.log.read_text())


@needs_root
class LockedMemory(unittest.TestCase):
    @unittest.skipIf(subprocess.run(["prlimit", "--memlock=unlimited", "true"], capture_output=True).returncode,
                     "root may not raise the limit of locked memory here; the test in the guest does")
    def test_what_was_used_stays_in_memory(self):
        with Lab("net_af_packet") as lab:
            lab.start(without_ports(lab.configuration(BRIDGE)))
            pid = lab.daemon.pid
            self.assertGreaterEqual(kib_of(pid, "VmLck"), kib_of(pid, "VmRSS"))
            # Asked for, but not used: stacks and EAL's room for more take no memory.
            self.assertGreater(kib_of(pid, "VmLck"), 2 * kib_of(pid, "VmRSS"))
            # Later allocations work without capabilities.
            rules = "".join(f"      - {{ src: 10.{i >> 8}.{i & 255}.0/24, action: accept }}\n" for i in range(20000))
            lab.config.write_text(without_ports(lab.configuration(BRIDGE + rules)))
            before = kib_of(pid, "VmLck")
            lab.ctl("reload")
            self.assertGreater(kib_of(pid, "VmLck"), before)
            self.assertNotIn("not locked", lab.log.read_text())
            self.assertEqual(lab.stop(), 0, lab.log.read_text())


@needs_root
class Doctor(unittest.TestCase):
    def test_a_start_that_fails_names_the_check(self):
        with Lab("net_af_packet", hugepages="never") as lab:
            text = lab.configuration(BRIDGE).replace("iface=fw-inside", "iface=fw-insid")
            with self.assertRaises(RuntimeError) as failed:
                lab.start(text)
            self.assertIn("failed check device: inside: there is no interface fw-insid here; did you mean "
                          "'fw-inside'?", str(failed.exception))
            self.assertIn("`rampartctl doctor FILE` shows all checks", str(failed.exception))
            done = lab.ctl("doctor", lab.config, check=False)
            self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
