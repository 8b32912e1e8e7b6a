#!/bin/sh
# Process 1 of a test guest without systemd: file systems, what the host shares (the kernel's command
# line says share=TAG:PATH:MODE for each), then the agent, which is among that (agent=PATH).
# then=PROGRAM becomes process 1 beside the agent, such as systemd.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /dev/hugepages
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t hugetlbfs hugetlbfs /dev/hugepages
ip link set lo up
modprobe -a virtio_console 9pnet_virtio 9p tun
read -r command_line </proc/cmdline
for word in $command_line; do
    case $word in
        share=*)
            IFS=: read -r tag path mode <<END
${word#share=}
END
            mkdir -p "$path"
            # What the host changes meanwhile must be seen, what it only offers may be cached.
            cache=none
            [ "$mode" = rw ] || cache=loose
            mount -t 9p -o "$mode,trans=virtio,version=9p2000.L,msize=262144,cache=$cache" \
                "$tag" "$path"
            ;;
        agent=*) agent=${word#agent=} ;;
        then=*) next=${word#then=} ;;
    esac
done
if [ -n "${next:-}" ]; then
    setsid python3 "$agent" &
    exec "$next"
fi
python3 "$agent"
echo o >/proc/sysrq-trigger
sleep 60
