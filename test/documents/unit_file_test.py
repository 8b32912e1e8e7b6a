"""The unit of the service: systemd takes it as it is, and grants it little."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNIT = ROOT / "config/systemd/rampartd.service.in"
MOST_EXPOSURE = 40  # tenths; a service without any bounds has 96


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
class UnitFile(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rampart-unit-"))
        self.addCleanup(shutil.rmtree, self.folder)
        # `verify` wants programs that are there.
        for program in ("rampartd", "rampartctl"):
            (self.folder / program).write_text("#!/bin/sh\n")
            (self.folder / program).chmod(0o755)
        (self.folder / "rampart").mkdir()
        shutil.copy(ROOT / "scripts/bind-nics.sh", self.folder / "rampart")
        self.unit = self.folder / "rampartd.service"
        self.unit.write_text(re.sub("@(sbindir|bindir|datadir)@", str(self.folder), UNIT.read_text()))

    def analyze(self, *words):
        done = subprocess.run(["systemd-analyze", *words, str(self.unit)], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_systemd_has_nothing_to_say_about_it(self):
        self.assertEqual(self.analyze("verify", "--man=no"), (0, ""))

    def test_drop_ins_are_taken_as_well(self):
        for drop_in in ("unprivileged.conf", "physical-addresses.conf"):
            folder = self.folder / "rampartd.service.d"
            folder.mkdir(exist_ok=True)
            shutil.copy(ROOT / "config/systemd" / drop_in, folder)
            with self.subTest(drop_in):
                self.assertEqual(self.analyze("verify", "--man=no"), (0, ""))
            shutil.rmtree(folder)

    def test_its_exposure_is_small(self):
        status, text = self.analyze("security", "--offline=true", "--no-pager",
                                    f"--threshold={MOST_EXPOSURE}")
        self.assertEqual(status, 0, text)

    def test_it_is_told_when_the_firewall_is_in_place(self):
        text = UNIT.read_text()
        for line in ("Type=notify", "WatchdogSec=10", "Restart=on-failure", "NoNewPrivileges=yes",
                     "EnvironmentFile=-/etc/default/rampartd"):
            self.assertIn("\n" + line + "\n", text)
        self.assertRegex(text, r"(?m)^Before=network-pre\.target\b")


if __name__ == "__main__":
    unittest.main()
