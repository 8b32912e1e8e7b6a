#!/bin/busybox sh
# shellcheck shell=dash
# The initrd's first process: loads the disk's modules in the order of their names and starts what
# the kernel's command line names with run= from the disk.
/bin/busybox mount -t devtmpfs dev /dev
for module in /modules/*; do
    /bin/busybox insmod "$module"
done
tries=0
until /bin/busybox mount -t ext4 -o noatime /dev/vda /root 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -gt 200 ]; then
        echo "initrd: the disk did not come"
        /bin/busybox poweroff -f
    fi
    /bin/busybox sleep 0.05
done
/bin/busybox mkdir -p /proc
/bin/busybox mount -t proc proc /proc
program=$(/bin/busybox sed -n 's/.*\brun=\([^ ]*\).*/\1/p' /proc/cmdline)
/bin/busybox umount /proc
/bin/busybox umount /dev
exec /bin/busybox switch_root /root "$program"
