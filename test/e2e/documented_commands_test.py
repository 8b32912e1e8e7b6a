"""Every `rampartctl` command that stands in a block of README or docs/ is run, with a daemon that is there to answer.

Files and ids that a page makes up are replaced by those of the test. docs/installation.md is run by test/vm, in its
order.
"""
import os
import re
import shlex
import signal
import subprocess
import unittest

from lab import ADDRESS4, RAMPARTCTL, ROOT, Lab

RULES = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: back, state: [established, related], action: accept }
      - { id: out, in: inside, action: accept }
"""
DUMP = """\
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
COMMIT
"""
# What ends only when it is told to, or when packets come.
ENDLESS = re.compile(r"conntrack -E|trace |pcap ")
# Exit statuses that are an answer: something would change; there is no such flow; a machine lacks something.
ANSWERS = {"diff": {0, 1}, "conntrack -G": {0, 1}, "conntrack -D": {0, 1}, "doctor": {0, 1}}


def commands():
    """[(page, line)], without comments and prompts, lines that go on in one piece."""
    found = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for block in re.findall(r"^```(?:sh)?\n(.*?)^```$", page.read_text(), re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                line = re.sub(r"^(\$ |sudo )*", "", line.strip())
                if line.startswith("rampartctl ") and page.name != "installation.md":
                    found += [(page.name, part.strip()) for part in line.split("; ")
                              if part.startswith("rampartctl ")]
    return found


def words_of(line):
    """Up to a comment, a pipe or a redirection."""
    words = shlex.split(line, comments=True)
    ends = [i for i, word in enumerate(words) if word in ("|", ">", ">>", "&&", "&")]
    return words[1:ends[0]] if ends else words[1:]


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class DocumentedCommands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("net_af_packet").__enter__()
        cls.addClassCleanup(cls.lab.__exit__, None, None, None)
        cls.lab.start(cls.lab.configuration(RULES, "{ max: 1024, accounting: true }"))
        cls.file = cls.lab.directory / "edited.yaml"
        cls.file.write_text(cls.lab.configuration(RULES, "{ max: 1024, accounting: true, checksum: false }"))
        (cls.lab.directory / "v4.rules").write_text(DUMP)
        (cls.lab.directory / "v6.rules").write_text(DUMP)

    def replaced(self, words):
        """`words` with what a page makes up replaced by what is here."""
        own = {"FILE": self.file, "rampart.yaml": self.lab.directory / "imported.yaml", "try.yaml": self.file,
               "/etc/rampart/rampart.yaml": self.file, "v4.rules": self.lab.directory / "v4.rules",
               "v6.rules": self.lab.directory / "v6.rules", "in=lan": "in=inside", "in=wan": "in=outside",
               "lan": "inside", "ssh": "out"}
        listed = [rule["id"] for chain in self.lab.ctl_json("list")["chains"] for rule in chain["rules"]]
        added = [rule for rule in listed if rule not in ("back", "out")]
        if words[:2] == ["rule", "delete"]:
            return ["rule", "delete", added[0]]
        if words[0] == "--socket":
            words = words[2:]
        return [str(own.get(word, word)) for word in words]

    def run_endless(self, words):
        process = subprocess.Popen([RAMPARTCTL, "--socket", self.lab.socket, *words], cwd=self.lab.directory,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        # Packets for it to see, and then Control-C, unless it has seen enough by then.
        for _ in range(3):
            self.lab.ping("inside", ADDRESS4["outside"])
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def test_each_of_them_is_understood_and_does_its_work(self):
        found = commands()
        self.assertGreater(len(found), 25)
        for page, line in found:
            with self.subTest(f"{page}: {line}"):
                words = self.replaced(words_of(line))
                if ENDLESS.match(" ".join(words)):
                    done = self.run_endless(words)
                else:
                    done = self.lab.ctl(*words, check=False, cwd=self.lab.directory)
                allowed = next((v for key, v in ANSWERS.items() if " ".join(words).startswith(key)), {0})
                self.assertIn(done.returncode, allowed, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
