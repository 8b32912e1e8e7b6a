"""The service as systemd runs it: the package in a guest whose process 1 is systemd, from the installation to the purge.

One guest, whose tests run in the order of their names; each begins where the one before it ended.
RAMPART_DEB names a package to test instead of one that is made of the build folder.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import unittest

from guest import Unavailable, prepare_image
from vm_lab import ROOT, VmLab
from lab import ADDRESS4, ADDRESS6, BUILD, wait_until

CONFIG = "/etc/rampart/rampart.yaml"
DROP_IN = "/run/systemd/system/rampartd.service.d/test.conf"
RULES = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: back, state: [established, related], action: accept }
      - { id: out, in: inside, state: new, action: accept }
"""
PING_IN = "      - { id: ping-in, in: outside, proto: [icmp, icmpv6], action: accept }\n"
BROKEN = RULES.replace("policy: drop", "policy: maybe")


def soon(condition, seconds=120):
    """Whether it comes true, on however busy a machine."""
    return wait_until(condition, seconds, 0.2)


class ServiceLab(VmLab):
    """The daemon is systemd's; the lab writes its file and asks systemctl."""

    def __init__(self):
        super().__init__("e1000e", then="/lib/systemd/systemd")

    def write(self, rules):
        """The configuration, as an administrator edits it."""
        self.config.write_text(self.configuration(rules, "{ max: 16384 }"))
        self.guest.run("sh", "-c", f"cat {self.config} >{CONFIG}")

    def systemctl(self, *words, check=True):
        return self.guest.run("systemctl", *words, check=check)

    def dpkg(self, *words):
        return self.guest.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", *words)

    def property(self, name, unit="rampartd"):
        return self.systemctl("show", "--value", "--property", name, unit).stdout.strip()

    def journal(self):
        """[(priority, message)] of the unit, what systemd says about it included."""
        said = self.guest.run("journalctl", "--no-pager", "--output", "json", "--boot", "--unit",
                              "rampartd").stdout
        entries = [json.loads(line) for line in said.splitlines()]
        return [(int(entry["PRIORITY"]), entry["MESSAGE"]) for entry in entries
                if isinstance(entry["MESSAGE"], str)]

    def end_of(self, pings):
        """Control-C for `ip netns exec ... ping`, which has become the ping."""
        pings.send_signal(signal.SIGINT)

    def passes(self):
        return self.ping("inside", ADDRESS4["outside"])

    def is_booted(self):
        """Whether process 1 has done all it was asked for. The wire is there before it can be asked."""
        return self.systemctl("is-system-running", "--wait", check=False).stdout.strip() in ("running", "degraded")

    def ctl(self, *words, check=True, **options):
        return self.guest.run("rampartctl", *words, check=check, **options)

    def stop(self, seconds=60):
        return None


class Service(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            prepare_image()
        except Unavailable as why:
            raise unittest.SkipTest(str(why)) from None
        package = os.environ.get("RAMPART_DEB") or cls.make_package()
        cls.lab = ServiceLab().__enter__()
        cls.addClassCleanup(cls.lab.__exit__, None, None, None)
        shutil.copy(package, cls.lab.directory / "rampart.deb")
        if not soon(cls.lab.is_booted):
            raise RuntimeError("systemd did not come up")

    @staticmethod
    def make_package():
        if shutil.which("dpkg-buildpackage") is None:
            raise unittest.SkipTest("no packaging tools")
        subprocess.run([ROOT / "scripts/build-deb.sh", "--from", BUILD], check=True, capture_output=True)
        return next((ROOT / "build-deb").glob("rampart_*.deb"))

    def setUp(self):
        self.addCleanup(self.tell)

    def tell(self):
        """What the journal has, once something went wrong."""
        outcome = self._outcome.result
        if any(case is self for case, _ in outcome.failures + outcome.errors):
            print("\n".join(f"<{priority}> {text}" for priority, text in self.lab.journal()[-40:]))

    def test_01_the_package_is_installed_and_starts_nothing(self):
        lab = self.lab
        lab.dpkg("--install", lab.directory / "rampart.deb")
        self.assertEqual(lab.systemctl("is-enabled", "rampartd", check=False).stdout.strip(), "disabled")
        self.assertEqual(lab.property("ActiveState"), "inactive")
        self.assertEqual(lab.guest.run("stat", "-c", "%U:%G %a", CONFIG).stdout.strip(), "root:rampart 640")

    def test_02_systemd_has_nothing_to_say_about_the_unit(self):
        done = self.lab.guest.run("systemd-analyze", "verify", "--man=no", "rampartd.service",
                                  check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        before = self.lab.property("Before").split()
        self.assertIn("network-pre.target", before)
        after = self.lab.property("After", "network.target").split()
        self.assertIn("network-pre.target", after)
        self.assertEqual(self.lab.property("Type"), "notify")

    def test_03_a_configuration_with_errors_is_refused_with_its_place(self):
        lab = self.lab
        lab.write(BROKEN)
        self.assertNotEqual(lab.systemctl("start", "rampartd", check=False).returncode, 0)
        self.assertEqual((lab.property("ActiveState"), lab.property("ExecMainStatus"), lab.property("NRestarts")),
                         ("failed", "4", "0"))
        line = 1 + lab.config.read_text().splitlines().index("    policy: maybe")
        told = [text for priority, text in lab.journal() if priority == 3]
        self.assertRegex("\n".join(told), rf"{CONFIG}:{line}:\d+: error: .*maybe")
        self.assertFalse(lab.passes())

    def test_04_nics_are_bound_for_good_and_the_doctor_is_content(self):
        lab = self.lab
        lab.write(RULES)
        done = lab.ctl("doctor", CONFIG, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("e1000e", done.stdout)
        addresses = [lab.address(side) for side in ("inside", "outside")]
        said = lab.guest.run("/usr/share/rampart/bind-nics.sh", "persist", *addresses).stdout
        for address in addresses:
            self.assertIn(f"{address} is bound to vfio-pci", said)
        self.assertIn("vfio-pci", lab.guest.run("driverctl", "list-overrides").stdout)
        # A package of the build folder is made for the CPU that built it, which is not the one that QEMU emulates.
        found = json.loads(lab.ctl("doctor", "--json", CONFIG, check=False).stdout)
        self.assertEqual([check for check in found["findings"]
                          if check["health"] != "ok" and check["check"] != "cpu"], [])

    def test_05_start_returns_when_packets_pass(self):
        lab = self.lab
        self.assertFalse(lab.passes())
        lab.systemctl("start", "rampartd")
        self.assertEqual(lab.ctl("status", check=False).returncode, 0)
        self.assertEqual(lab.property("ActiveState"), "active")
        self.assertTrue(soon(lab.passes))
        self.assertTrue(lab.ping("inside", ADDRESS6["outside"]))
        self.assertFalse(lab.ping("outside", ADDRESS4["inside"]))
        self.assertTrue(soon(lambda: lab.property("StatusText").startswith("generation 1, 2 ports")))

    def test_06_its_memory_stays_where_it_is(self):
        lab = self.lab
        status = lab.guest.run("cat", f"/proc/{lab.property('MainPID')}/status").stdout
        locked, used = (int(re.search(rf"{name}:\s*(\d+) kB", status)[1]) for name in ("VmLck", "VmRSS"))
        # Asked for, but not used: stacks and EAL's room for more take no memory.
        self.assertGreater(locked, 2 * used)
        self.assertFalse([text for _, text in lab.journal() if "not locked" in text])

    def test_06_the_journal_has_its_words_with_priorities(self):
        lab = self.lab
        found = {text: priority for priority, text in lab.journal()}
        confined = [text for text in found if text.startswith("confined: ")]
        self.assertEqual(confined, ["confined: no capabilities, few system calls"])
        self.assertEqual(found[confined[0]], 6)
        self.assertFalse([text for text in found if "was refused" in text])
        lab.set_cable("outside", False)
        down = "interface 'outside': the link is down"
        self.assertTrue(soon(lambda: down in [text for _, text in lab.journal()]))
        self.assertEqual({text: priority for priority, text in lab.journal()}[down], 4)
        lab.set_cable("outside", True)
        self.assertTrue(soon(lab.passes))

    def test_07_a_reload_under_traffic_loses_nothing(self):
        lab = self.lab
        pings = lab.spawn("inside", "ping", "-q", "-i", "0.02", ADDRESS4["outside"], stdout=-1, text=True)
        lab.write(RULES + PING_IN)
        lab.systemctl("reload", "rampartd")
        self.assertTrue(lab.ping("outside", ADDRESS4["inside"]))
        lab.write(BROKEN)
        self.assertNotEqual(lab.systemctl("reload", "rampartd", check=False).returncode, 0)
        self.assertEqual(lab.property("ActiveState"), "active")
        self.assertTrue(lab.ping("outside", ADDRESS4["inside"]))
        lab.write(RULES)
        lab.systemctl("reload", "rampartd")
        self.assertFalse(lab.ping("outside", ADDRESS4["inside"]))
        self.assertEqual(lab.ctl_json("status")["generation"], 3)
        lab.end_of(pings)
        sent, received = map(int, re.findall(r"(\d+) (?:packets transmitted|received)", pings.communicate()[0]))
        self.assertGreater(received, 100)
        self.assertLessEqual(sent - received, 1)  # the last one may still be on its way

    def test_08_the_watchdog_restarts_what_hangs(self):
        lab = self.lab
        process = lab.property("MainPID")
        lab.systemctl("kill", "--signal", "STOP", "rampartd")
        self.assertFalse(lab.passes())
        self.assertTrue(soon(lambda: lab.property("NRestarts") == "1"))
        self.assertTrue(soon(lambda: lab.property("ActiveState") == "active"))
        self.assertNotEqual(lab.property("MainPID"), process)
        self.assertTrue(soon(lab.passes))
        self.assertTrue([text for _, text in lab.journal() if "Watchdog timeout" in text])

    def test_09_nothing_passes_after_a_crash_until_it_is_back(self):
        lab = self.lab
        lab.guest.run("sh", "-c", f"mkdir -p {pathlib.Path(DROP_IN).parent}; "
                                  f"printf '[Service]\\nRestartSec=1h\\n' >{DROP_IN}; systemctl daemon-reload")
        lab.systemctl("kill", "--signal", "SEGV", "rampartd")
        self.assertTrue(soon(lambda: lab.property("SubState") == "auto-restart"))
        self.assertIn(lab.property("Result"), ("signal", "core-dump"))
        self.assertFalse(lab.passes())
        self.assertFalse(lab.ping("inside", ADDRESS6["outside"]))
        lab.guest.run("sh", "-c", f"rm {DROP_IN}; systemctl daemon-reload")
        lab.systemctl("restart", "rampartd")
        self.assertTrue(soon(lab.passes))

    def test_10_an_upgrade_restarts_what_runs(self):
        lab = self.lab
        process = lab.property("MainPID")
        lab.dpkg("--install", lab.directory / "rampart.deb")
        self.assertEqual(lab.property("ActiveState"), "active")
        self.assertNotEqual(lab.property("MainPID"), process)
        self.assertTrue(soon(lab.passes))

    def test_11_a_stop_is_in_order_and_nothing_passes(self):
        lab = self.lab
        lab.systemctl("stop", "rampartd")
        self.assertEqual((lab.property("ActiveState"), lab.property("Result")), ("inactive", "success"))
        self.assertIn("stopped", [text for _, text in lab.journal()])
        self.assertFalse(lab.passes())

    def test_12_after_a_boot_it_runs_before_the_network(self):
        lab = self.lab
        lab.systemctl("enable", "rampartd")
        lab.guest.reboot()
        self.assertTrue(soon(lab.is_booted))
        self.assertTrue(soon(lambda: lab.property("ActiveState") == "active"))
        self.assertEqual([text for _, text in lab.journal() if "failed check" in text], [])
        for side in ("inside", "outside"):
            driver = lab.guest.run("readlink", f"/sys/bus/pci/devices/{lab.address(side)}/driver").stdout
            self.assertRegex(driver, "vfio-pci$")
        self.assertTrue(soon(lab.passes))
        reached = lambda unit: int(lab.property("ActiveEnterTimestampMonotonic", unit))
        self.assertEqual(lab.property("ActiveState", "network-pre.target"), "active")
        self.assertLessEqual(reached("rampartd"), reached("network-pre.target"))
        self.assertEqual(lab.guest.run("systemctl", "--failed", "--no-legend").stdout, "")

    def test_13_a_removed_package_leaves_the_configuration_a_purged_one_the_group(self):
        lab = self.lab
        exists = lambda path: lab.guest.run("test", "-e", path, check=False).returncode == 0
        lab.dpkg("--remove", "rampart")
        self.assertEqual(lab.property("ActiveState"), "inactive")
        self.assertEqual(lab.guest.run("pidof", "rampartd", check=False).stdout, "")
        self.assertFalse(lab.passes())
        self.assertFalse(exists("/usr/sbin/rampartd"))
        self.assertTrue(exists(CONFIG))
        self.assertTrue(exists("/var/lib/rampart"))
        lab.dpkg("--purge", "rampart")
        left = lab.guest.run("find", "/", "-xdev", "-iname", "*rampart*", "-not", "-path", f"{lab.directory}*", "-not",
                             "-path", f"{ROOT}*").stdout
        self.assertEqual(left, "")
        self.assertTrue(lab.guest.run("getent", "group", "rampart").stdout)


if __name__ == "__main__":
    unittest.main()
