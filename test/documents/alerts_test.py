"""The alert rules can be read, fire when they should, and the documentation lists them."""
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = ROOT / "config/monitoring/rampart.rules.yaml"
PAGE = (ROOT / "docs/monitoring.md").read_text()


def names_of(rules):
    return set(re.findall(r"^\s+- alert: (\w+)$", rules, re.M))


@unittest.skipUnless(shutil.which("promtool"), "there is no promtool (package prometheus)")
class Alerts(unittest.TestCase):
    def promtool(self, *words):
        done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_they_can_be_read(self):
        self.promtool("check", "rules", RULES)

    def test_they_fire_when_they_should(self):
        self.promtool("test", "rules", ROOT / "test/monitoring/rampart.rules.test.yaml")


class Documents(unittest.TestCase):
    def test_every_alert_is_in_the_documentation(self):
        self.assertEqual(set(re.findall(r"`(Rampart[A-Z]\w+)`", PAGE)), names_of(RULES.read_text()))

    def test_every_metric_is_in_the_documentation(self):
        table = PAGE[PAGE.index("## Metrics"):PAGE.index("## Alerts")]
        documented = set()
        for row in re.findall(r"^\| (`rampart_.*?) \|", table, re.M):
            for word in re.findall(r"`(rampart_[a-z_{},]+)`", row):
                choices = [part.split(",") for part in re.findall(r"\{(.*?)\}", word)]
                pattern = re.sub(r"\{.*?\}", "{}", word)
                documented |= {pattern.format(*parts) for parts in itertools.product(*choices)}
        tested = (ROOT / "test/e2e/metrics_test.py").read_text()
        self.assertEqual(documented, set(re.search(r'NAMES = """(.*?)"""', tested, re.S)[1].split()))

    def test_the_example_reads_what_the_package_installs(self):
        example = (ROOT / "config/monitoring/prometheus.example.yml").read_text()
        self.assertIn("/usr/share/rampart/monitoring/rampart.rules.yaml", example)

    def test_panels_of_the_dashboard_do_not_overlap(self):
        taken = set()
        for panel in json.loads((ROOT / "config/monitoring/rampart-dashboard.json").read_text())["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            self.assertEqual(cells & taken, set(), panel["title"])
            taken |= cells


if __name__ == "__main__":
    unittest.main()
