#!/usr/bin/env bash
# Gives NICs to DPDK and back to the kernel, with a look at what hangs on them first.
#
#   bind-nics.sh list                        NICs, their drivers, and what each is used for
#   bind-nics.sh bind [OPTION]... NIC...     to vfio-pci, until the next boot (dpdk-devbind.py)
#   bind-nics.sh persist [OPTION]... NIC...  to vfio-pci, now and at each boot (driverctl)
#   bind-nics.sh unbind NIC...               back to the kernel's own driver, for good
#   bind-nics.sh settle                      waits, at most 30 s, until persisted NICs have their driver
#
# NIC is a PCI address (0000:3b:00.0, or 3b:00.0) or the name of an interface (eth1).
#
#   --force      take the NIC although the default route, this SSH session or an address hangs on it
#   --noiommu    work without IOMMU: whoever controls the NIC can then read and write all memory
#
# All NICs are checked before the first one is touched.
# Exit status: 0 done, 1 refused or failed (the message says why), 2 wrong usage.
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C

sysfs=${SYSFS:-/sys} # tests have their own
proc=${PROCFS:-/proc}
overrides=${DRIVERCTL_DIR:-/etc/driverctl.d}
pci=$sysfs/bus/pci
readonly mellanox=0x15b3
force='' noiommu=''

fail() { # MESSAGE [HINT]
    echo "bind-nics.sh: $1" >&2
    [ -z "${2:-}" ] || echo "    hint: $2" >&2
    exit 1
}

usage() {
    sed -n '2,/^set -e/{/^set -e/d;s/^# \{0,1\}//p}' "$0"
}

wrong_usage() {
    echo "bind-nics.sh: $1" >&2
    echo "    hint: bind-nics.sh --help" >&2
    exit 2
}

# -- what there is -------------------------------------------------------------------------------

nics() { # the addresses of all network devices
    local device
    for device in "$pci"/devices/*; do
        [[ ! $(cat "$device/class" 2>/dev/null) =~ ^0x02 ]] || echo "${device##*/}"
    done
}

driver_of() {
    local link=$pci/devices/$1/driver
    [ ! -e "$link" ] || basename "$(readlink -f "$link")"
}

interfaces_of() { # those of virtio are one folder deeper
    local path
    for path in "$pci/devices/$1"/net/* "$pci/devices/$1"/virtio*/net/*; do
        [ ! -e "$path" ] || echo "${path##*/}"
    done
}

group_of() {
    local link=$pci/devices/$1/iommu_group
    [ ! -e "$link" ] || basename "$(readlink -f "$link")"
}

# Those words of stdin that are the fewest keystrokes away from $1, two at most.
similar_to() {
    awk -v wanted="$1" '
        function least(a, b) { return a < b ? a : b }
        function distance(s, t,   i, j, row) {
            for (j = 0; j <= length(t); j++) row[0, j] = j
            for (i = 1; i <= length(s); i++) {
                row[i, 0] = i
                for (j = 1; j <= length(t); j++)
                    row[i, j] = least(least(row[i - 1, j], row[i, j - 1]) + 1,
                        row[i - 1, j - 1] + (substr(s, i, 1) != substr(t, j, 1)))
            }
            return row[length(s), length(t)]
        }
        BEGIN { fewest = 2 }
        { away = distance(wanted, $0) }
        away < fewest { fewest = away; near = "" }
        away == fewest { near = near $0 "\n" }
        END { printf "%s", near }' | sed -n 1,3p | paste -sd, | sed 's/,/ or /g'
}

unknown() { # WORD CANDIDATES: ends with what was probably meant
    local near
    near=$(similar_to "$1" <<<"$2")
    [ -z "$near" ] || fail "there is no NIC $1" "did you mean $near?"
    fail "there is no NIC $1" "'bind-nics.sh list' shows those there are"
}

address_of_interface() {
    local name=$1 path
    path=$sysfs/class/net/$name
    [ -e "$path" ] || unknown "$name" "$(ls "$sysfs/class/net" 2>/dev/null)"
    local lower=("$path"/lower_*)
    if [ ! -e "$path/device" ] && [ -e "${lower[0]}" ]; then
        fail "$name is no NIC but stands on others" "name one of: ${lower[*]##*/lower_}"
    fi
    [ -e "$path/device" ] || fail "$name is no NIC: the kernel makes it up"
    path=$(readlink -f "$path/device")
    while [[ ${path##*/} =~ ^[a-z] ]] && [ "${path##*/}" != devices ]; do
        path=${path%/*}
    done
    [ -e "$pci/devices/${path##*/}" ] || fail "$name is not a PCI device" "DPDK binds PCI devices only"
    echo "${path##*/}"
}

address_of() { # PCI address, with or without domain, or interface -> PCI address
    local address=$1
    if [[ ! $address =~ ^[0-9a-fA-F.]*: ]]; then
        address_of_interface "$address"
        return
    fi
    address=${address,,}
    [[ $address =~ ^[0-9a-f]+:[0-9a-f]+: ]] || address=0000:$address
    [ -e "$pci/devices/$address" ] || unknown "$address" "$(nics)"
    [[ $(cat "$pci/devices/$address/class") =~ ^0x02 ]] ||
        fail "$address is no network device" "'bind-nics.sh list' shows those there are"
    echo "$address"
}

# -- what hangs on it ----------------------------------------------------------------------------

below() { # an interface and all that it stands on: members of bonds and bridges, parents of VLANs
    local name=$1 lower
    echo "$name"
    for lower in "$sysfs/class/net/$name"/lower_*; do
        [ ! -e "$lower" ] || below "${lower##*/lower_}"
    done
}

words_after_dev() {
    awk '{ for (i = 1; i < NF; i++) if ($i == "dev") print $(i + 1) }'
}

default_route_interfaces() {
    local family name
    for family in -4 -6; do
        { ip -o "$family" route show table all default 2>/dev/null || true; } | words_after_dev
    done | sort -u | while read -r name; do below "$name"; done
}

# sudo takes SSH_CONNECTION away; the processes above have it still.
ssh_connection() {
    local process=$$ found=${SSH_CONNECTION:-}
    while [ -z "$found" ] && [ "${process:-0}" -gt 1 ]; do
        found=$({ tr '\0' '\n' <"$proc/$process/environ"; } 2>/dev/null |
            sed -n 's/^SSH_CONNECTION=//p' | sed -n 1p) || true
        process=$(sed -n 's/^PPid:[[:space:]]*//p' "$proc/$process/status" 2>/dev/null) || true
    done
    echo "$found"
}

ssh_interfaces() { # where its address is, and where packets to its client leave
    local client server name
    read -r client _ server _ <<<"$(ssh_connection)"
    [ -n "$server" ] || return 0
    {
        ip -o addr show to "${server%%%*}" 2>/dev/null | awk '{ print $2 }' || true
        ip -o route get "${client%%%*}" 2>/dev/null | words_after_dev || true
    } | sort -u | while read -r name; do below "${name%@*}"; done
}

uses_of() { # ADDRESS: why it should not be taken, one reason per line
    local name
    for name in $(interfaces_of "$1"); do
        if grep -qxF "$name" <<<"$default_route"; then echo "the default route goes through $name"; fi
        if grep -qxF "$name" <<<"$ssh_session"; then echo "this SSH session goes through $name"; fi
        if [ -n "$(ip -o route show table main dev "$name" 2>/dev/null)" ]; then
            echo "$name has an address and routes"
        fi
    done
}

# -- checks --------------------------------------------------------------------------------------

check_use() {
    [ -z "$force" ] || return 0
    local reason
    reason=$(uses_of "$1" | sed -n 1p)
    [ -z "$reason" ] ||
        fail "$1 is in use: $reason" "take another NIC, or say --force and lose that; nothing was changed"
}

check_maker() {
    [ "$(cat "$pci/devices/$1/vendor" 2>/dev/null)" != "$mellanox" ] || fail \
        "$1 is by NVIDIA (Mellanox): DPDK uses it through the kernel's driver, so it must stay there" \
        "write device: \"$1\" as it is; its driver is in the package librte-net-mlx5-23"
}

check_iommu() {
    [ -z "$(group_of "$1")" ] || return 0
    if [ -n "$noiommu" ] ||
        [ "$(cat "$sysfs/module/vfio/parameters/enable_unsafe_noiommu_mode" 2>/dev/null)" = Y ]; then
        return 0
    fi
    local way="intel_iommu=on iommu=pt"
    if grep -q AuthenticAMD "$proc/cpuinfo" 2>/dev/null; then way="amd_iommu=on iommu=pt"; fi
    fail "the IOMMU is off: $1 is in no IOMMU group" \
        "switch on VT-d or AMD-Vi in the BIOS, boot with $way; or --noiommu, which protects nothing"
}

check_group() { # ADDRESS, then all that are bound now: a group goes to DPDK as a whole
    local address=$1 other driver
    for other in "$pci/devices/$address/iommu_group/devices"/*; do
        [ -e "$other" ] || continue
        other=${other##*/}
        driver=$(driver_of "$other")
        case " ${*:2} " in *" $other "*) continue ;; esac
        case $driver in "" | vfio-pci | pci-stub | pcieport) continue ;; esac
        fail "$address shares IOMMU group $(group_of "$address") with $other, which is at $driver" \
            "name both, or put the NIC into another slot"
    done
}

load_vfio() {
    if [ ! -e "$pci/drivers/vfio-pci" ]; then
        modprobe vfio-pci || fail "the module vfio-pci cannot be loaded" \
            "the kernel's package must have it; cloud kernels do not"
    fi
    [ -n "$noiommu" ] || return 0
    echo "bind-nics.sh: warning: without IOMMU a faulty or hostile device can overwrite all memory" >&2
    echo 1 >"$sysfs/module/vfio/parameters/enable_unsafe_noiommu_mode" ||
        fail "this kernel has no mode without IOMMU"
}

# -- commands ------------------------------------------------------------------------------------

list() {
    local address name use row='%-13s %-12s %-16s %-5s %-6s %s\n'
    # shellcheck disable=SC2059
    printf "$row" ADDRESS DRIVER INTERFACE NUMA IOMMU USE
    for address in $(nics); do
        name=$(interfaces_of "$address" | paste -sd,)
        use=$(uses_of "$address" | paste -sd\; | sed 's/;/; /g')
        [ "$(cat "$pci/devices/$address/vendor" 2>/dev/null)" != "$mellanox" ] ||
            use="${use:+$use; }for DPDK as it is (NVIDIA)"
        # shellcheck disable=SC2059
        printf "$row" "$address" "$(driver_of "$address" | grep . || echo -)" "${name:--}" \
            "$(cat "$pci/devices/$address/numa_node" 2>/dev/null || echo -)" \
            "$(group_of "$address" | grep . || echo -)" "${use:--}"
    done | sed 's/ -$//'
}

prepare() { # what bind and persist need before they touch anything
    local address
    for address in "$@"; do
        check_maker "$address"
        check_use "$address"
        check_iommu "$address"
        check_group "$address" "$@"
    done
    load_vfio
}

check_bound() {
    local address
    for address in "$@"; do
        [ "$(driver_of "$address")" = vfio-pci ] || fail "$address was not bound to vfio-pci" \
            "'dmesg | tail' may tell why"
        echo "$address is bound to vfio-pci"
    done
}

bind() {
    prepare "$@"
    local left=() address
    for address in "$@"; do
        [ "$(driver_of "$address")" = vfio-pci ] || left+=("$address")
    done
    if [ ${#left[@]} -gt 0 ]; then
        command -v dpdk-devbind.py >/dev/null || fail "dpdk-devbind.py is missing" "apt-get install dpdk"
        dpdk-devbind.py ${force:+--force} ${noiommu:+--noiommu-mode} -b vfio-pci "${left[@]}" >&2 ||
            fail "dpdk-devbind.py failed"
    fi
    check_bound "$@"
}

persist() {
    command -v driverctl >/dev/null || fail "driverctl is missing, so nothing would last" \
        "apt-get install driverctl; or run 'bind-nics.sh bind ${*}' before each start of rampartd"
    prepare "$@"
    local address
    for address in "$@"; do
        driverctl set-override "$address" vfio-pci || fail "driverctl could not bind $address"
    done
    check_bound "$@"
}

# At boot driverctl binds each NIC when it is found; nothing tells when all are.
settle() {
    local file address wanted tries=0
    for file in "$overrides"/pci-*; do
        [ -e "$file" ] || continue
        address=${file##*/pci-} wanted=$(cat "$file")
        until [ "$(driver_of "$address")" = "$wanted" ]; do
            [ "$tries" -lt 300 ] || fail "$address is still not bound to $wanted"
            tries=$((tries + 1))
            sleep 0.1
        done
    done
}

unbind() {
    local address device driver
    for address in "$@"; do
        device=$pci/devices/$address
        driver=$(driver_of "$address")
        if command -v driverctl >/dev/null &&
            driverctl list-overrides 2>/dev/null | grep -q "^$address "; then
            driverctl unset-override "$address" || fail "driverctl could not give $address back"
        fi
        driver=$(driver_of "$address")
        if [ "$driver" = vfio-pci ] || [ "$driver" = uio_pci_generic ]; then
            echo "$address" >"$device/driver/unbind" || fail "$address cannot be taken from $driver"
        fi
        if [ -z "$(driver_of "$address")" ]; then
            echo >"$device/driver_override"
            modprobe -q "$(cat "$device/modalias" 2>/dev/null)" || true
            echo "$address" >"$pci/drivers_probe" || true
        fi
        driver=$(driver_of "$address")
        [ -n "$driver" ] || fail "the kernel has no driver for $address" "it stays without one"
        echo "$address is back at $driver"
    done
}

main() {
    local command=${1:-} words=()
    case $command in
        -h | --help) usage; exit 0 ;;
        list | bind | persist | unbind | settle) shift ;;
        "") wrong_usage "what shall it do: list, bind, persist, unbind or settle?" ;;
        *) wrong_usage "there is no command '$command'" ;;
    esac
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) usage; exit 0 ;;
            --force) force=yes ;;
            --noiommu) noiommu=yes ;;
            -*) wrong_usage "there is no option '$1'" ;;
            *) words+=("$1") ;;
        esac
        shift
    done
    if [ "$command" = settle ]; then
        [ ${#words[@]} -eq 0 ] || wrong_usage "settle takes no NIC"
        settle
        return
    fi
    default_route=$(default_route_interfaces)
    ssh_session=$(ssh_interfaces)
    if [ "$command" = list ]; then
        [ ${#words[@]} -eq 0 ] || wrong_usage "list takes no NIC"
        list
        return
    fi
    [ ${#words[@]} -gt 0 ] || wrong_usage "$command: which NIC?"
    local addresses=() word address
    for word in "${words[@]}"; do
        address=$(address_of "$word") || exit
        addresses+=("$address")
    done
    "$command" "${addresses[@]}"
}

main "$@"
