"""rampartctl import, and back: what a daemon that runs imported rules says as iptables rules.

Random rule sets are imported, applied, listed with `list --iptables`, accepted by iptables-restore
and imported again: the same rules must come out.
"""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from lab import RAMPARTCTL, RAMPARTD, ROOT, run

sys.path.insert(0, str(ROOT / "test/differential"))
from rule_sets import Generator  # noqa: E402

TOOLS = ("iptables-restore", "ip6tables-restore")
START = """version: 1
interfaces:
  inside: { device: "vdev:net_null0", bridge: outside }
  outside: { device: "vdev:net_null1" }
cores: { workers: 1, idle: sleep }
memory: { hugepages: never, mbufs: 4096 }
conntrack: { max: 1024 }
chains: { forward: { policy: drop } }
"""
SETTINGS = "".join(line + "\n" for line in START.splitlines() if line.split(":")[0] in
                   ("cores", "memory", "conntrack"))
PORTS = ("--interface=inside=vdev:net_null0", "--interface=outside=vdev:net_null1",
         "--bridge=inside=outside")


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@unittest.skipUnless(all(shutil.which(tool) for tool in TOOLS), "iptables is not installed")
class RoundTrip(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="rampart-import-"))
        cls.socket = cls.folder / "rampart.sock"
        cls.namespace = f"ri{os.getpid()}"
        run("ip", "netns", "add", cls.namespace)
        (cls.folder / "start.yaml").write_text(START)
        cls.daemon = subprocess.Popen(
            ["ip", "netns", "exec", cls.namespace, str(RAMPARTD), "--config",
             str(cls.folder / "start.yaml"), "--socket", str(cls.socket)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in cls.daemon.stdout:
            if line.strip() == "ready":
                break

    @classmethod
    def tearDownClass(cls):
        cls.daemon.send_signal(signal.SIGTERM)
        cls.daemon.wait(30)
        cls.daemon.stdout.close()
        run("ip", "netns", "del", cls.namespace, check=False)
        shutil.rmtree(cls.folder)

    def ctl(self, *words, check=True):
        return run(RAMPARTCTL, "--socket", self.socket, *words, check=check)

    def import_files(self, v4, v6):
        return run(RAMPARTCTL, "import", "iptables-save", v4, "--ipv6-file", v6, *PORTS,
                   "--partial").stdout

    def listed(self, name, *options):
        text = self.ctl("list", "--iptables", *options).stdout
        path = self.folder / name
        path.write_text(text)
        return path

    def there_and_back(self, v4, v6):
        (self.folder / "v4").write_text(v4)
        (self.folder / "v6").write_text(v6)
        first = self.import_files(self.folder / "v4", self.folder / "v6")
        config = self.folder / "imported.yaml"
        config.write_text(first + SETTINGS)
        self.ctl("apply", config)
        back4, back6 = self.listed("back4"), self.listed("back6", "--ipv6")
        for tool, path in zip(TOOLS, (back4, back6)):
            run("ip", "netns", "exec", self.namespace, tool, "--test", str(path))
        went = back4.read_text(), back6.read_text()
        config.write_text(self.import_files(back4, back6) + SETTINGS)
        self.ctl("apply", config)
        came = self.listed("again4").read_text(), self.listed("again6", "--ipv6").read_text()
        self.assertEqual(went, came)
        self.assertIn("-A FORWARD", went[0])

    def test_random_rule_sets_come_back_as_they_went(self):
        for seed in range(5000, 5012):
            with self.subTest(seed=seed):
                rules = Generator(seed, ("tcp_flags",)).rule_set()
                self.there_and_back(rules[4], rules[6])

    def test_counters_are_listed_when_asked_for(self):
        self.there_and_back("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i inside -j ACCEPT\nCOMMIT\n",
                            "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n")
        text = self.ctl("list", "--iptables", "-c").stdout
        self.assertIn("[0:0] -A FORWARD -i inside -j ACCEPT", text)


if __name__ == "__main__":
    unittest.main()
