#!/usr/bin/env bash
# Installs what Rampart needs to build, and with --test what its tests, demo and benchmarks need too,
# with --package what it takes to make Debian packages.
# Debian 12, as root. Does nothing when everything is there already.
set -euo pipefail

build=(g++ meson ninja-build pkg-config libdpdk-dev libyaml-cpp-dev libfmt-dev libexpected-dev
    libcli11-dev nlohmann-json3-dev libspdlog-dev libsystemd-dev libssl-dev libpcap-dev libmnl-dev
    libnftables-dev libseccomp-dev libcap-ng-dev libfixbuf-dev libncurses-dev
    prometheus-cpp-dev libcivetweb-dev)
test=(clang clang-format libclang-rt-14-dev catch2 dpdk dpdk-dev python3 iproute2 iputils-ping
    iperf3 tcpdump tshark curl dnsmasq-base bind9-dnsutils ethtool procps python3-scapy conntrack nftables python3-yaml
    python3-jsonschema man-db mandoc iptables openssh-server bird2 keepalived udhcpc
    python3-pyftpdlib vsftpd lftp sip-tester pptpd pptp-linux
    libbenchmark-dev qemu-system-x86 mmdebstrap e2fsprogs cpio kmod pciutils driverctl
    nfdump libfixbuf-tools prometheus chromium chromium-driver python3-selenium)

packaging=(debhelper dpkg-dev adduser lintian systemd)

packages=("${build[@]}")
[ "${1:-}" != --test ] || packages+=("${test[@]}" "${packaging[@]}")
[ "${1:-}" != --package ] || packages+=("${packaging[@]}")

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "install-deps.sh: these packages are missing: ${missing[*]}" >&2
    echo "    hint: run as root, or: sudo apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "Installing ${#missing[@]} packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
cleanup=("$log")
trap 'rm -f "${cleanup[@]}"' EXIT
# The tests start what they need of these services themselves: none of them is to run on this machine.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    cleanup+=(/usr/sbin/policy-rc.d)
fi
{ apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
