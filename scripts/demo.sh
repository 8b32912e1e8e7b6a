#!/usr/bin/env bash
# Shows the firewall at work between two real hosts: installs, builds, makes two network namespaces
# joined only by rampartd, and plays the classic cases. Exit status 0 when every step came out right.
#   scripts/demo.sh            play and clean up
#   scripts/demo.sh --keep     leave the lab running for play (it prints how to use and how to end it)
#   scripts/demo.sh --no-huge  do not use hugepages even where there are some
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
    echo "demo.sh: network namespaces need root: sudo scripts/demo.sh" >&2
    exit 2
fi
scripts/install-deps.sh --test
scripts/build.sh
exec /usr/bin/python3 test/e2e/demo.py "$@"
