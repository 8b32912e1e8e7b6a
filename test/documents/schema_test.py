"""The JSON schema against the configurations that the loader is tested with."""
import copy
import json
import pathlib
import unittest

try:
    import jsonschema
    import yaml
except ImportError as missing:
    raise unittest.SkipTest(f"{missing.name} is not installed")

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "test/unit/config/golden"
SCHEMA = json.loads((ROOT / "config/rampart.schema.json").read_text())
FRAME = {
    "version": 1,
    "interfaces": {"lan": {"device": "vdev:net_null0", "bridge": "wan"},
                   "wan": {"device": "vdev:net_null1"}},
    "chains": {"forward": {"policy": "drop"}},
}
SECTIONS = ("interfaces", "define", "zones", "bridge", "conntrack", "sets", "nat")


def complaints(configuration):
    errors = jsonschema.Draft7Validator(SCHEMA).iter_errors(configuration)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]


def framed(scenario):
    """As test/scenario/runner/scenario.cc does it."""
    configuration = copy.deepcopy(FRAME)
    for section in SECTIONS:
        if section in scenario:
            configuration[section] = scenario[section]
    forward = configuration["chains"]["forward"]
    forward["policy"] = scenario.get("policy", "drop")
    forward["rules"] = scenario.get("rules", [])
    configuration["chains"].update(scenario.get("chains", {}))
    return configuration


class Schema(unittest.TestCase):
    def test_is_a_schema_of_draft_7(self):
        jsonschema.Draft7Validator.check_schema(SCHEMA)

    def test_shipped_examples_conform_and_name_it(self):
        for path in sorted((ROOT / "config").glob("*.yaml")):
            with self.subTest(path.name):
                text = path.read_text()
                self.assertEqual(complaints(yaml.safe_load(text)), [])
                first = text.splitlines()[0]
                self.assertEqual(first, "# yaml-language-server: $schema=rampart.schema.json")

    def test_configurations_of_the_scenarios_conform(self):
        count = 0
        for path in sorted((ROOT / "test/scenario").glob("*/*.yaml")):
            scenario = yaml.safe_load(path.read_text())
            if "config_text" in scenario:
                configuration = yaml.safe_load(scenario["config_text"])
            elif "config" in scenario:
                continue
            else:
                configuration = framed(scenario)
            count += 1
            with self.subTest(path.name):
                self.assertEqual(complaints(configuration), [])
        self.assertGreater(count, 100)

    def test_good_golden_files_conform(self):
        count = 0
        for path in sorted(GOLDEN.glob("*.expected")):
            if " error: " in path.read_text():
                continue
            count += 1
            with self.subTest(path.name):
                configuration = yaml.safe_load(path.with_suffix(".yaml").read_text())
                self.assertEqual(complaints(configuration), [])
        self.assertGreater(count, 0)

    def test_an_unknown_key_is_found_wherever_the_loader_finds_one(self):
        for path in ((), ("interfaces", "lan"), ("conntrack",), ("conntrack", "timeouts"),
                     ("chains", "forward"), ("chains", "forward", "rules", 0),
                     ("chains", "forward", "rules", 0, "not")):
            configuration = framed({"rules": [{"not": {"dport": 25}, "action": "accept"}]})
            configuration["conntrack"] = {"timeouts": {}}
            self.assertEqual(complaints(configuration), [])
            place = configuration
            for step in path:
                place = place[step]
            place["destination_port"] = 22
            with self.subTest(path):
                self.assertEqual(len(complaints(configuration)), 1)

    def test_wrong_kinds_and_choices_are_found(self):
        for rule in ({"action": "ACCEPT"}, {"enabled": "maybe"}, {"action": ["accept"]},
                     {"not": ["in"]}, {"comment": {"a": 1}}, "drop"):
            with self.subTest(rule):
                self.assertNotEqual(complaints(framed({"rules": [rule]})), [])
        for section in ({"conntrack": {"max": 0}}, {"conntrack": {"max": "many"}},
                        {"conntrack": {"on_full": "panic"}}, {"bridge": []},
                        {"conntrack": {"timeouts": {"udp": "soon"}}}, {"policy": "reject"}):
            with self.subTest(section):
                self.assertNotEqual(complaints(framed(section)), [])

    def test_a_defined_name_may_stand_for_any_value(self):
        self.assertEqual(complaints(framed({
            "define": {"web": [80, 443], "most": 1000, "yes": "true"},
            "conntrack": {"max": "$most", "tcp_loose": "$yes", "timeouts": {"udp": "$most"}},
            "rules": [{"proto": "tcp", "dport": "$web", "enabled": "$yes", "action": "accept"}],
        })), [])


if __name__ == "__main__":
    unittest.main()
