#!/usr/bin/env bash
# Writes docs/reference.md from what the built rampartctl prints.
#   scripts/gen-docs.sh          write it
#   scripts/gen-docs.sh --check  exit status 1 and a diff when it is not up to date
set -euo pipefail
cd "$(dirname "$0")/.."

rampartctl=build/app/rampartctl/rampartctl
page=docs/reference.md
if [ ! -x "$rampartctl" ]; then
    echo "gen-docs.sh: $rampartctl is missing: run scripts/build.sh first" >&2
    exit 2
fi
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
"$rampartctl" reference >"$fresh"
if [ "${1:-}" = --check ]; then
    diff -u "$page" "$fresh" || { echo "gen-docs.sh: run scripts/gen-docs.sh" >&2; exit 1; }
else
    cp "$fresh" "$page"
    chmod 644 "$page"
fi
