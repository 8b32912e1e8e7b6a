#!/usr/bin/env bash
# Builds the Debian packages rampart and rampart-doc into build-deb/.
#   scripts/build-deb.sh                 compiles them for every x86-64 that DPDK runs on
#   scripts/build-deb.sh --from FOLDER   packs what is in a folder that meson built, such as build/. That
#                                        is made for the CPU it was built on: for tests, not to be passed on
set -euo pipefail
cd "$(dirname "$0")/.."

from=
if [ "${1:-}" = --from ]; then
    from=$(realpath "$2")
    ninja -C "$from" --quiet app/rampartd/rampartd app/rampartctl/rampartctl app/rampart-replay/rampart-replay \
        config/rampartctl config/_rampartctl config/rampartctl.fish
elif [ $# -ne 0 ]; then
    sed -n '2,5s/^# //p' "$0" >&2
    exit 2
fi
scripts/install-deps.sh --package
out=$PWD/build-deb
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$out"
rm -f "$out"/*.deb "$out"/*.changes "$out"/*.buildinfo
# From a copy: dpkg-buildpackage writes beside the tree, and cleans it.
git ls-files --cached --others --exclude-standard -z | tar --null -T - -cf - | tar -xf - -C "$tree" --one-top-level=rampart
(
    cd "$tree/rampart"
    export DEB_BUILD_OPTIONS="noautodbgsym ${DEB_BUILD_OPTIONS:-}"
    if command -v ccache >/dev/null && [ -d /usr/lib/ccache ]; then
        export PATH="/usr/lib/ccache:$PATH" HOME="${HOME:-/root}"
        # The tree has another name each time.
        export CCACHE_BASEDIR="$tree" CCACHE_NOHASHDIR=1 CCACHE_DIR="${CCACHE_DIR:-$HOME/.cache/ccache}"
    fi
    RAMPART_BUILD=$from dpkg-buildpackage --build=binary --no-sign --no-check-builddeps
) >"$out/build.log" 2>&1 || { tail -n 40 "$out/build.log" >&2; exit 1; }
mv "$tree"/*.deb "$tree"/*.changes "$tree"/*.buildinfo "$out"
ls "$out"/*.deb
