#!/usr/bin/env bash
# Writes what the built programs say about themselves: the reference, the JSON schema of
# configuration files, the manual pages and what shell completion knows of commands.
#   scripts/gen-docs.sh          write them
#   scripts/gen-docs.sh --check  exit status 1 and a diff when one is not up to date
set -euo pipefail
cd "$(dirname "$0")/.."

rampartctl=build/app/rampartctl/rampartctl
rampartd=build/app/rampartd/rampartd
replay=build/app/rampart-replay/rampart-replay
for program in "$rampartctl" "$rampartd" "$replay"; do
    if [ ! -x "$program" ]; then
        echo "gen-docs.sh: $program is missing: run scripts/build.sh first" >&2
        exit 2
    fi
done
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
status=0

# PAGE COMMAND...: what the command prints belongs into the page.
page() {
    local page=$1
    shift
    "$@" >"$fresh"
    if [ "$check" = --check ]; then
        diff -u "$page" "$fresh" || status=1
    else
        mkdir -p "$(dirname "$page")"
        cp "$fresh" "$page"
        chmod 644 "$page"
    fi
}

check=${1:-}
page docs/reference.md "$rampartctl" reference
page config/rampart.schema.json "$rampartctl" schema
page docs/man/rampart.yaml.5 "$rampartctl" reference --man rampart.yaml
page docs/man/rampartctl.8 "$rampartctl" reference --man rampartctl
page docs/man/rampartd.8 "$rampartd" --man
page docs/man/rampart-replay.8 "$replay" --man
page app/rampartctl/command_words.def "$rampartd" --command-words
[ "$status" = 0 ] || echo "gen-docs.sh: run scripts/gen-docs.sh" >&2
exit "$status"
