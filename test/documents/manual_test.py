"""The manual pages are such that the tools of man(1) have nothing to say about them."""
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs/man").glob("*.[58]"))


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, env={"LC_ALL": "C.UTF-8",
                                                                        "MANWIDTH": "80",
                                                                        "PATH": "/usr/bin:/bin"})
    return done.stdout, done.stderr


class Manual(unittest.TestCase):
    def test_there_is_a_page_for_each_program_and_the_file(self):
        self.assertEqual([page.name for page in PAGES],
                         ["rampart-replay.8", "rampart.yaml.5", "rampartctl.8", "rampartd.8"])

    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_man_has_no_warnings(self):
        for page in PAGES:
            with self.subTest(page.name):
                self.assertEqual(output_of("man", "--warnings", "-l", page)[1], "")

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_has_no_warnings(self):
        for page in PAGES:
            with self.subTest(page.name):
                self.assertEqual(output_of("mandoc", "-Tlint", "-Wwarning", page)[0], "")

    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_every_match_of_the_reference_is_in_the_page_of_the_file(self):
        chapter = re.search(r"^## Rules: matches$(.*?)^## ",
                            (ROOT / "docs/reference.md").read_text(), re.M | re.S)[1]
        names = re.findall(r"^\| `(\w+)` \|", chapter, re.M)
        self.assertGreater(len(names), 10)
        text = output_of("man", "-l", ROOT / "docs/man/rampart.yaml.5")[0]
        for name in names:
            self.assertRegex(text, rf"(?m)^ {{7}}{name}\b")


if __name__ == "__main__":
    unittest.main()
