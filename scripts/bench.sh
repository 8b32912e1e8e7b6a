#!/usr/bin/env bash
# Measures cycles per packet of testpmd `io` and of rampartd on the same virtual ports, alternating in
# one run, and prints both, their difference and their ratio. Needs root and about 1.5 GiB of 2 MB
# hugepages, which it reserves and gives back. Method: docs/performance.md.
#   scripts/bench.sh [--repetitions N] [--seconds S] [--flows 1,4096,65536]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install-deps.sh --test
scripts/build.sh
exec /usr/bin/python3 test/bench/bench.py "$@"
