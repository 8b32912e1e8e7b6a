"""Checks that every folder of lib/ includes only itself and lower layers, and a few promises more.

The order of LAYERS is the order of docs/architecture.md. Exit status 1 names each violation.
"""
import pathlib
import re
import sys

LIB = pathlib.Path(__file__).resolve().parents[1] / "lib"
LAYERS = {"base": 0, "packet": 1, "dpdk": 1, "conntrack": 2, "nat": 3, "routing": 3, "rules": 4, "dataplane": 5,
          "config": 5, "kernel": 6, "import": 6, "control": 7}
# Headers that only these files may include.
RESERVED = {
    r"rte_hash\.h": ("conntrack/rte_hash_index.cc",),
    r"yaml-cpp/.*": ("config/document.cc",),
    r"fixbuf/.*": ("control/flow_export/ipfix_encoder.cc",),
    r"rte_.*": ("dpdk/", "dataplane/", "routing/", "kernel/", "conntrack/flow_arrays.cc", "conntrack/flow_table.cc",
                 "conntrack/rte_hash_index.cc", "conntrack/tag_index.cc", "conntrack/key_store.cc", "control/",
                 "pch/"),
}


def main():
    problems = []
    for path in sorted(p for p in LIB.rglob("*") if p.suffix in (".h", ".cc")):
        name = path.relative_to(LIB).as_posix()
        folder = name.split("/")[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            own = re.match(r'#include "(\w+)/', line)
            if own and own[1] != folder and LAYERS[own[1]] >= LAYERS[folder]:
                problems.append(f"lib/{name}:{number}: {folder} must not include {own[1]}")
            foreign = re.match(r"#include <(.*)>", line)
            for pattern, allowed in RESERVED.items():
                if foreign and re.fullmatch(pattern, foreign[1]) and not name.startswith(allowed):
                    problems.append(f"lib/{name}:{number}: {foreign[1]} is reserved for {allowed}")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
