#!/usr/bin/env bash
# Builds net_pattern, the benchmarks' source and sink of packets, into FOLDER (default build/bench), and
# prints the plugin's path. libdpdk-dev has no headers for drivers: they come from Debian's source
# package of the very version that is installed, which needs the network once.
#   build.sh [FOLDER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
mkdir -p "${1:-$root/build/bench}"
out=$(cd "${1:-$root/build/bench}" && pwd)
version=$(dpkg-query -W -f '${source:Version}' libdpdk-dev)
headers=$out/dpdk-$version
plugin=$out/librte_net_pattern.so

fail() {
    echo "test/bench/pattern/build.sh: $1" >&2
    echo "    hint: $2" >&2
    exit 1
}

fetch_headers() {
    local work=$out/fetch
    rm -rf "$work" && mkdir -p "$work/lists/partial" "$work/source"
    # The suites that the machine has, as sources; its own lists stay as they are.
    {
        awk '/^URIs:/ { uri = $2 } /^Suites:/ { for (i = 2; i <= NF; i++) print "deb-src", uri, $i, "main" }' \
            /etc/apt/sources.list.d/debian.sources 2>/dev/null || true
        awk '$1 == "deb" { $1 = "deb-src"; print }' /etc/apt/sources.list 2>/dev/null || true
    } >"$work/sources.list"
    local apt=(apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::State::Lists="$work/lists" -o APT::Sandbox::User=root)
    (cd "$work" && "${apt[@]}" update && "${apt[@]}" --download-only source dpdk="$version") \
        >"$work/log" 2>&1 ||
        fail "cannot get the source package dpdk $version for the headers of drivers: $(tail -n 1 "$work/log")" \
            "the network and a Debian mirror with this version are needed once; the log is $work/log"
    tar xf "$work"/dpdk_*.orig.tar.* -C "$work/source" --strip-components=1 --wildcards \
        '*/lib/ethdev/*.h' '*/lib/eal/include/*.h' '*/drivers/bus/vdev/*.h'
    mkdir -p "$headers.new"
    (cd "$work/source" && cp lib/ethdev/ethdev_driver.h lib/ethdev/ethdev_vdev.h lib/eal/include/dev_driver.h \
        lib/eal/include/bus_driver.h drivers/bus/vdev/bus_vdev_driver.h "$headers.new/")
    mv "$headers.new" "$headers"
    rm -rf "$work"
}

[ -d "$headers" ] || fetch_headers
for source in "$here"/*.[ch]; do
    if [ ! "$plugin" -nt "$source" ]; then
        # shellcheck disable=SC2046
        gcc -std=gnu11 -O3 -flto -march=native -Wall -Wextra -fPIC -shared -DALLOW_INTERNAL_API -DALLOW_EXPERIMENTAL_API \
            -o "$plugin.new" "$here"/pattern_*.c -isystem "$headers" $(pkg-config --cflags libdpdk) -march=native \
            -lrte_ethdev -lrte_bus_vdev -lrte_kvargs -lrte_mbuf -lrte_mempool -lrte_eal
        mv "$plugin.new" "$plugin"
        break
    fi
done
echo "$plugin"
