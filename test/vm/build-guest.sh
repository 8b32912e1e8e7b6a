#!/usr/bin/env bash
# Builds the guest that the tests with emulated NICs boot: a minimal Debian 12 with its own kernel.
#
#   test/vm/build-guest.sh [--force]
#
# Writes into $RAMPART_VM_CACHE (default /var/cache/rampart-test), and does nothing when that has the
# image these files describe:
#   kernel       the kernel as an ELF file, which QEMU starts without unpacking it by emulation
#   initrd       busybox and the modules that the disk needs
#   disk         ext4 with what rampartd and dpdk-devbind.py need, and the modules of the NICs
#
# Needs root, mmdebstrap, mke2fs and cpio. Packages come from RAMPART_VM_MIRROR, else from where this
# machine has its own. Exit status: 0 it is there, 1 it could not be built, 2 wrong usage.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${RAMPART_VM_CACHE:-/var/cache/rampart-test}
suite=bookworm
kernel_package=linux-image-amd64 # the cloud kernel has neither 9p nor most NICs

packages=(busybox-static kmod iproute2 iputils-ping ethtool procps systemd-sysv
    # The drivers that rampartd loads.
    librte-bus-pci23 librte-bus-vdev23 librte-mempool-ring23
    librte-net-e1000-23 librte-net-virtio23 librte-net-vmxnet3-23
    # What binds NICs.
    dpdk driverctl pciutils python3-minimal
    # What its package installs itself with.
    adduser)
disk_modules=(virtio_pci virtio_blk ext4)
modules=("${disk_modules[@]}" virtio_console virtio_net 9p 9pnet_virtio e1000e vmxnet3 vfio_pci
    vfio_iommu_type1 tun nf_tables tcp_diag udp_diag 8021q)

case "${1:-}" in
    "") force= ;;
    --force) force=yes ;;
    *) sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
for program in mmdebstrap mke2fs cpio depmod python3; do
    [ -n "$(PATH=$PATH:/usr/sbin:/sbin command -v "$program")" ] || {
        echo "build-guest.sh: $program is missing" >&2
        echo "    hint: scripts/install-deps.sh --test" >&2
        exit 1
    }
done
export PATH=$PATH:/usr/sbin:/sbin

# What rampartd is linked with.
daemon=${RAMPART_BUILD:-$here/../../build}/app/rampartd/rampartd
[ -x "$daemon" ] || {
    echo "build-guest.sh: there is no $daemon, so what it needs is not known" >&2
    echo "    hint: scripts/build.sh" >&2
    exit 1
}
while read -r library; do
    packages+=("$(dpkg -S "$library" "/usr$library" 2>/dev/null | sed -n '1s/:.*//p' || true)")
done < <(ldd "$daemon" | awk '$3 ~ /^\// { print $3 }')

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
wanted=$({ echo "${packages[@]}"; cat "$0" "$here"/guest/*.sh "$here/unpack-kernel.py"; } |
    sha256sum | cut -d' ' -f1)
if [ -z "$force" ] && [ "$(cat "$cache/built-from" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
rm -f "$cache/built-from"

# Where this machine gets Debian 12 from; mmdebstrap reads such files.
mirror=${RAMPART_VM_MIRROR:-$(grep -ls "$suite" /etc/apt/sources.list.d/debian.sources \
    /etc/apt/sources.list | head -n 1 || true)}
if [ -n "$mirror" ] && [ -f "$mirror" ] && [[ $mirror != *.sources ]]; then
    grep "^deb .*$suite" "$mirror" >"$cache/sources.list"
    mirror=$cache/sources.list
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir "$work/debs"

# A job of its own for mmdebstrap's apt: the kernel is unpacked below, not installed.
cat >"$work/fetch-kernel" <<FETCH
set -e
cd "$work/debs"
export APT_CONFIG="\$MMDEBSTRAP_APT_CONFIG"
image=\$(apt-cache depends $kernel_package | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
apt-get -q -o APT::Sandbox::User=root download "\$image"
FETCH

mmdebstrap --quiet --mode=root --variant=minbase --architectures=amd64 \
    --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/zoneinfo/*' \
    --include="$(IFS=,; echo "${packages[*]}")" \
    --customize-hook="sh $work/fetch-kernel" \
    "$suite" "$root" ${mirror:+"$mirror"} 1>&2 9>&-

mkdir "$work/kernel"
dpkg-deb -x "$work"/debs/linux-image-*.deb "$work/kernel"
version=$(ls "$work/kernel/lib/modules")
depmod -b "$work/kernel" "$version"
"$here/unpack-kernel.py" "$work/kernel/boot/vmlinuz-$version" "$cache/kernel"

# Paths of modules with what they depend on, in the order in which they load.
with_dependencies() {
    local module
    for module in "$@"; do
        modprobe --dirname "$work/kernel" --set-version "$version" --show-depends "$module"
    done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}
with_dependencies "${modules[@]}" | while read -r file; do
    install -D -m 644 "$file" "$root/lib/modules/$version/${file#"$work/kernel/lib/modules/$version/"}"
done
cp "$work/kernel/lib/modules/$version/"modules.{builtin,builtin.modinfo,order} \
    "$root/lib/modules/$version/"
depmod -b "$root" "$version"

initrd=$work/initrd
mkdir -p "$initrd"/{bin,dev,modules,root}
cp "$root/bin/busybox" "$initrd/bin/"
install -m 755 "$here/guest/mount-disk.sh" "$initrd/init"
number=100
with_dependencies "${disk_modules[@]}" | while read -r file; do
    cp "$file" "$initrd/modules/$number-${file##*/}"
    number=$((number + 1))
done
(cd "$initrd" && find . | cpio --quiet -o -H newc -R 0:0) >"$cache/initrd"

install -m 755 "$here/guest/first-process.sh" "$root/usr/local/sbin/"
echo rampart-guest >"$root/etc/hostname"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
mebibytes=$(($(du -sm "$root" | cut -f1) + 128))
rm -f "$cache/disk"
mke2fs -q -t ext4 -O '^has_journal' -m 0 -E lazy_itable_init=1 -d "$root" "$cache/disk" "${mebibytes}m"
echo "$wanted" >"$cache/built-from"
echo "guest with kernel $version and a disk of $mebibytes MiB, in $SECONDS s: $cache"
