"""Every command of docs/installation.md is run by test/vm, or says why it needs hardware.

Which ones, a comment above each block of shell says: `tested`, `tested: daemon` (runs on while the blocks
after it do), `tested: afterwards` (when it has ended), `needs hardware: WHY`.
"""
import pathlib
import re
import unittest

GUIDE = pathlib.Path(__file__).resolve().parents[2] / "docs/installation.md"
KINDS = ("tested", "tested: daemon", "tested: afterwards")


def blocks():
    """[(comment above it, [commands])] of the guide, in its order."""
    found = re.findall(r"(?:^<!-- ([^\n]*) -->\n)?^```sh\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    return [(kind, text.splitlines()) for kind, text in found]


class Installation(unittest.TestCase):
    def test_each_block_is_tested_or_says_why_not(self):
        self.assertGreater(len(blocks()), 5)
        for kind, commands in blocks():
            with self.subTest(commands):
                self.assertTrue(kind in KINDS or re.fullmatch(r"needs hardware: .+", kind), kind)

    def test_most_are_tested(self):
        tested = [kind for kind, _ in blocks() if kind in KINDS]
        self.assertGreater(len(tested), 2 * (len(blocks()) - len(tested)))

    def test_the_files_that_commands_name_are_there(self):
        root = GUIDE.parents[1]
        for _, commands in blocks():
            for path in re.findall(r"(?:scripts|config)/[\w.-]+", " ".join(commands)):
                self.assertTrue((root / path).exists(), path)


if __name__ == "__main__":
    unittest.main()
