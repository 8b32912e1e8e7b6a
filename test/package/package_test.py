"""The Debian packages: built from the release build, judged by lintian, installed, run and removed.

They are installed into a copy of this machine that nobody else sees: an overlay of / in a mount namespace of
its own, thrown away at the end.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import textwrap
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build-deb"
CONFIG = """\
version: 1
interfaces:
  inside: { device: "vdev:net_null0,no-rx=1", bridge: outside }
  outside: { device: "vdev:net_null1,no-rx=1" }
cores: { idle: sleep }
memory: { hugepages: never }
conntrack: { max: 1024 }
chains: { forward: { policy: drop } }
"""


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300, **options)


def package(name):
    return next(OUT.glob(f"{name}_*.deb"))


@unittest.skipUnless(os.geteuid() == 0, "needs root")
@unittest.skipUnless(shutil.which("dpkg-buildpackage") and shutil.which("lintian"), "no packaging tools")
class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        done = run("scripts/build-deb.sh", "--from", "build", cwd=ROOT)
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)

    def contents(self, name):
        """{path: (mode, owner)}"""
        listed = run("dpkg-deb", "--contents", package(name)).stdout
        return {m[3]: (m[1], m[2]) for m in re.finditer(r"(?m)^(\S+) (\S+) +\d+ \S+ \S+ \.(\S+)", listed)}

    def test_lintian_has_nothing_to_say(self):
        done = run("lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0",
                   package("rampart"), package("rampart-doc"))
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_everything_is_at_its_place(self):
        files = self.contents("rampart")
        for path in ("/usr/sbin/rampartd", "/usr/bin/rampartctl", "/usr/bin/rampart-replay",
                     "/lib/systemd/system/rampartd.service", "/etc/default/rampartd",
                     "/usr/share/rampart/rampart.schema.json",
                     "/usr/share/rampart/monitoring/rampart.rules.yaml",
                     "/usr/share/rampart/monitoring/rampart-dashboard.json", "/usr/share/man/man5/rampart.yaml.5.gz",
                     "/usr/share/man/man8/rampartd.8.gz", "/usr/share/man/man8/rampartctl.8.gz",
                     "/usr/share/bash-completion/completions/rampartctl",
                     "/usr/share/zsh/vendor-completions/_rampartctl",
                     "/usr/share/fish/vendor_completions.d/rampartctl.fish",
                     "/usr/share/doc/rampart/examples/gateway.yaml"):
            self.assertIn(path, files)
        self.assertEqual(files["/etc/rampart/rampart.yaml"][0], "-rw-r-----")
        self.assertFalse([path for path in files if path.startswith("/usr/local")])
        # The manual of a package belongs to that package's folder (Debian policy, 12.3).
        self.assertIn("/usr/share/doc/rampart/service.md.gz", self.contents("rampart-doc"))
        unpacked = pathlib.Path(tempfile.mkdtemp(prefix="rampart-deb-"))
        self.addCleanup(shutil.rmtree, unpacked)
        run("dpkg-deb", "--extract", package("rampart"), unpacked)
        unit = (unpacked / "lib/systemd/system/rampartd.service").read_text()
        self.assertIn("ExecStart=/usr/sbin/rampartd ", unit)
        self.assertIn("ExecReload=/usr/bin/rampartctl reload", unit)

    def test_it_is_installed_started_reloaded_and_removed(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="rampart-root-"))
        self.addCleanup(shutil.rmtree, folder, True)
        (folder / "rampart.yaml").write_text(CONFIG)
        shutil.copy(package("rampart"), folder / "rampart.deb")
        script = textwrap.dedent(f"""\
            set -eu
            mount -t tmpfs none {folder}/layer 2>/dev/null || {{ mkdir {folder}/layer; mount -t tmpfs none {folder}/layer; }}
            cp {folder}/rampart.yaml {folder}/rampart.deb {folder}/layer
            mkdir {folder}/layer/upper {folder}/layer/work {folder}/layer/root
            mount -t overlay none -o lowerdir=/,upperdir={folder}/layer/upper,workdir={folder}/layer/work {folder}/layer/root
            root={folder}/layer/root
            for place in proc sys dev; do mount --rbind /$place $root/$place; done
            mount -t tmpfs none $root/run
            cp {folder}/layer/rampart.yaml {folder}/layer/rampart.deb $root/root
            chroot $root /bin/sh -eu <<'IN'
            export DEBIAN_FRONTEND=noninteractive
            dpkg -i --force-depends /root/rampart.deb
            echo "group: $(getent group rampart | cut -d: -f1)"
            echo "file: $(stat -c '%U:%G %a' /etc/rampart/rampart.yaml)"
            rampartctl check /etc/rampart/rampart.yaml
            cp /root/rampart.yaml /etc/rampart/rampart.yaml
            . /etc/default/rampartd
            rampartd --config /etc/rampart/rampart.yaml $RAMPARTD_OPTS >/root/log 2>&1 &
            for i in $(seq 200); do rampartctl status >/dev/null 2>&1 && break; sleep 0.1; done
            rampartctl status || cat /root/log
            echo "socket: $(stat -c '%G %a' /run/rampart/rampart.sock)"
            rampartctl reload
            kill $!
            wait $! && echo "ended: 0"
            dpkg -r rampart
            test -e /etc/rampart/rampart.yaml && echo "kept: configuration"
            dpkg -P rampart
            for path in /etc/rampart/rampart.yaml /etc/default/rampartd /usr/sbin/rampartd /var/lib/rampart; do
                test ! -e $path || echo "left: $path"
            done
            IN
            """)
        done = run("unshare", "--mount", "--net", "sh", "-c", script)
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, said)
        for line in ("group: rampart", "file: root:rampart 640", "socket: rampart 660", "ended: 0",
                     "kept: configuration", "/etc/rampart/rampart.yaml: no errors"):
            self.assertIn(line, said)
        self.assertRegex(said, r"(?m)^ready, generation 1")
        self.assertRegex(said, r"generation 2 is active")
        self.assertNotIn("left: ", said)


@unittest.skipUnless(shutil.which("bash"), "needs bash")
class Completion(unittest.TestCase):
    def complete(self, *words):
        script = ('source <(build/app/rampartctl/rampartctl completion bash); COMP_WORDS=("$@"); '
                  'COMP_CWORD=$(($# - 1)); _rampartctl; printf "%s\\n" "${COMPREPLY[@]}"')
        done = run("bash", "-c", script, "bash", "rampartctl", *words, cwd=ROOT)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_commands_verbs_and_options_are_completed(self):
        self.assertEqual(self.complete("conf"), ["confirm"])
        self.assertIn("--socket", self.complete("--"))
        self.assertEqual(self.complete("set", "ad"), ["add"])
        self.assertIn("--timeout", self.complete("set", "add", "--"))
        self.assertEqual(self.complete("--socket", "/tmp/x", "drops", "--inv"), ["--invalid"])
        self.assertIn("--comment", self.complete("apply", "--c"))
        self.assertIn("--orig-src", self.complete("conntrack", "--orig"))
        self.assertIn("--partial", self.complete("import", "--pa"))
        self.assertEqual(self.complete("completion", "z"), ["zsh"])
        self.assertIn("docs", self.complete("check", "doc"))

    def test_other_shells_take_their_scripts(self):
        for shell in ("zsh", "fish"):
            text = run("build/app/rampartctl/rampartctl", "completion", shell, cwd=ROOT).stdout
            self.assertIn("--comment" if shell == "zsh" else "-l 'comment'", text)
            if shutil.which(shell):
                done = run(shell, "--no-execute" if shell == "fish" else "-n", "/dev/stdin", input=text)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_another_shell_is_wrong_usage(self):
        self.assertEqual(run("build/app/rampartctl/rampartctl", "completion", "csh", cwd=ROOT).returncode, 2)


if __name__ == "__main__":
    unittest.main()
