#!/usr/bin/env bash
# Installs, builds (g++ and clang, warnings are errors), runs every test and ends with one line:
#   N passed, N failed, N skipped
# As root for the end-to-end tests; without root they are skipped. Options: see scripts/run_suites.py.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-deps.sh --test
exec /usr/bin/python3 scripts/run_suites.py "$@"
