#!/usr/bin/env bash
# Measures rampartd beside testpmd `io` on the same packets and core, and prints Markdown tables. Needs root;
# reserves hugepages and gives them back. Exit status 1 only when it cannot measure. Method: docs/benchmarking.md.
#   scripts/bench.sh            everything, under 20 minutes
#   scripts/bench.sh quick      established flows only, 2 minutes
#   scripts/bench.sh peers      beside OVS-DPDK and the kernel's nft, which it installs
#   scripts/bench.sh PART...    some parts; --help names them
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-deps.sh --test
scripts/build.sh
exec /usr/bin/python3 test/bench/bench.py "$@"
