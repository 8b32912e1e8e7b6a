// The NICs that a configuration names: there, bound to the right driver, and reachable by vfio.
#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "base/join.h"
#include "control/doctor/checks.h"

namespace rampart {
namespace {

constexpr std::string_view kDevices = "/sys/bus/pci/devices";
constexpr std::string_view kNoIommuMode = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode";
// Their DPDK drivers work beside the kernel's.
constexpr std::string_view kBifurcated[] = {"mlx4_core", "mlx5_core", "mana"};
constexpr std::string_view kUserSpace[] = {"vfio-pci", "igb_uio", "uio_pci_generic"};

template <typename List>
bool contains(const List& list, std::string_view word) {
    return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

std::string address_of(const DeviceSettings& device) {
    return device.device.substr(0, device.device.find(','));
}

bool is_nic(const DeviceSettings& device) {
    return device.has_device() && !device.is_virtual;
}

std::string in_sysfs(const DeviceSettings& device, std::string_view file) {
    return fmt::format("{}/{}/{}", kDevices, address_of(device), file);
}

bool is_network_class(const FileTree& files, const std::string& address) {
    return files.text(fmt::format("{}/{}/class", kDevices, address)).starts_with("0x02");
}

bool carries_default_route(const FileTree& files, const std::string& interface) {
    const std::string routes = files.text("/proc/net/route");
    const std::string_view columns = line_after(routes, interface + "\t");
    return columns.starts_with("00000000");
}

bool has_no_iommu_mode(const FileTree& files) {
    return files.text(kNoIommuMode) == "Y";
}

void report_missing(Examination& examination, const DeviceSettings& device) {
    std::vector<std::string> nics;
    for (const std::string& address : examination.files.names(kDevices))
        if (is_network_class(examination.files, address)) nics.push_back(address);
    const std::vector<std::string_view> known(nics.begin(), nics.end());
    const std::string hint = did_you_mean(address_of(device), known);
    examination.fail(
        fmt::format("{}: this machine has no device {}{}", device.name, address_of(device),
                    hint.empty() ? nics.empty() ? "; it has no NIC on PCI"
                                                : "; its NICs: " + join(nics, ", ")
                                 : "; " + hint),
        "dpdk-devbind.py --status-dev net   # and correct `device` in the configuration");
}

void report_unbound(Examination& examination, const DeviceSettings& device,
                    const std::string& driver) {
    const std::string address = address_of(device);
    std::string text = fmt::format("{}: {} is bound to {}", device.name, address,
                                   driver.empty() ? "no driver" : "the kernel's " + driver);
    for (const std::string& interface : examination.files.names(in_sysfs(device, "net"))) {
        text += fmt::format(", as {}", interface);
        if (carries_default_route(examination.files, interface))
            text += ", which carries the default route: you may be connected through it";
    }
    examination.fail(text,
                     fmt::format("modprobe vfio-pci && driverctl set-override {} vfio-pci   # or "
                                 "for now: dpdk-devbind.py --bind=vfio-pci {}",
                                 address, address));
}

// Other devices of the group must not be in the kernel's hands.
void check_group(Examination& examination, const DeviceSettings& device) {
    const FileTree& files = examination.files;
    const std::string address = address_of(device);
    const std::string group = files.link_name(in_sysfs(device, "iommu_group"));
    if (group.empty() && !has_no_iommu_mode(files))
        return examination.fail(
            fmt::format("{}: {} is bound to vfio-pci, but has no IOMMU group", device.name,
                        address),
            "switch VT-d or AMD-Vi on in the firmware, and add to the kernel's command line: "
            "intel_iommu=on iommu=pt");
    for (const std::string& other : files.names(in_sysfs(device, "iommu_group/devices"))) {
        const std::string driver = files.link_name(fmt::format("{}/{}/driver", kDevices, other));
        if (driver.empty() || driver == "vfio-pci" || driver == "pcieport") continue;
        return examination.fail(
            fmt::format("{}: {} shares IOMMU group {} with {}, which the kernel's {} uses",
                        device.name, address, group, other, driver),
            fmt::format("driverctl set-override {} vfio-pci   # or use a slot with a group of its "
                        "own",
                        other));
    }
    const std::string node = group.empty() ? "" : "/dev/vfio/" + group;
    if (!node.empty() && !files.is_writable(node))
        return examination.fail(
            fmt::format("{}: {} may not be opened by this user", device.name, node),
            fmt::format("chgrp rampart {} && chmod g+rw {}", node, node));
    examination.ok(fmt::format("{}: {} is bound to vfio-pci{}", device.name, address,
                               group.empty() ? " without an IOMMU" : ", group " + group));
}

void check_nic(Examination& examination, const DeviceSettings& device) {
    const FileTree& files = examination.files;
    const std::string address = address_of(device);
    if (!files.exists(fmt::format("{}/{}", kDevices, address)))
        return report_missing(examination, device);
    if (!is_network_class(files, address))
        return examination.fail(fmt::format("{}: {} is no network device", device.name, address),
                                "dpdk-devbind.py --status-dev net");
    const std::string driver = files.link_name(in_sysfs(device, "driver"));
    if (contains(kBifurcated, driver))
        return examination.ok(
            fmt::format("{}: {} stays with the kernel's {}, as its DPDK driver "
                        "wants it",
                        device.name, address, driver));
    if (!contains(kUserSpace, driver)) return report_unbound(examination, device, driver);
    if (driver == "vfio-pci") return check_group(examination, device);
    examination.warn(fmt::format("{}: {} is bound to {}: it may write to any memory", device.name,
                                 address, driver),
                     fmt::format("driverctl set-override {} vfio-pci", address));
}

// Virtual devices over an interface that must be there already.
void check_virtual(Examination& examination, const DeviceSettings& device) {
    const std::string& text = device.device;
    const size_t at = text.find("iface=");
    if (at == std::string::npos || text.starts_with("net_tap"))
        return examination.ok(
            fmt::format("{}: {} needs nothing of the machine", device.name, text));
    const size_t from = at + std::string_view("iface=").size();
    const std::string interface = text.substr(from, text.find(',', from) - from);
    if (examination.files.exists("/sys/class/net/" + interface))
        return examination.ok(fmt::format("{}: {} is there", device.name, interface));
    std::vector<std::string_view> known;
    const std::vector<std::string> interfaces = examination.files.names("/sys/class/net");
    known.assign(interfaces.begin(), interfaces.end());
    const std::string hint = did_you_mean(interface, known);
    examination.fail(fmt::format("{}: there is no interface {} here{}{}", device.name, interface,
                                 hint.empty() ? "" : "; ", hint),
                     "ip link   # in the network namespace that rampartd runs in");
}

bool is_any_on_vfio(const Examination& examination) {
    const std::vector<DeviceSettings>& devices = examination.demand.devices;
    return std::any_of(devices.begin(), devices.end(), [&](const DeviceSettings& device) {
        return is_nic(device) &&
               !contains(kBifurcated, examination.files.link_name(in_sysfs(device, "driver")));
    });
}

int node_of(const FileTree& files, unsigned cpu) {
    for (const std::string& name : files.names(fmt::format("/sys/devices/system/cpu/cpu{}", cpu))) {
        int node = 0;
        if (!name.starts_with("node")) continue;
        const auto result = std::from_chars(name.data() + 4, name.data() + name.size(), node);
        if (result.ec == std::errc()) return node;
    }
    return -1;
}

}  // namespace

void check_iommu(Examination& examination) {
    const FileTree& files = examination.files;
    const size_t groups = files.names("/sys/kernel/iommu_groups").size();
    if (groups != 0) return examination.ok(fmt::format("on, {} groups", groups));
    const std::string fix =
        "switch VT-d or AMD-Vi on in the firmware, and add to the kernel's command line: "
        "intel_iommu=on iommu=pt";
    if (has_no_iommu_mode(files))
        return examination.warn(
            "off, and vfio works without one: NICs may write to any memory, "
            "and rampartd needs CAP_SYS_RAWIO",
            fix);
    if (!examination.demand.has_configuration)
        return examination.warn("off: vfio-pci will not work; virtual ports will", fix);
    if (!is_any_on_vfio(examination)) return examination.ok("off, and not needed");
    examination.fail("off: vfio-pci needs it",
                     fix + "   # in a guest without one: echo Y > " + std::string(kNoIommuMode));
}

void check_devices(Examination& examination) {
    if (!examination.demand.has_configuration)
        return examination.ok("not looked at: `doctor FILE` checks those that FILE names");
    for (const DeviceSettings& device : examination.demand.devices) {
        if (!device.has_device()) continue;
        if (device.is_virtual)
            check_virtual(examination, device);
        else
            check_nic(examination, device);
    }
}

void check_numa(Examination& examination) {
    const FileTree& files = examination.files;
    const Demand& demand = examination.demand;
    bool is_far = false;
    for (const DeviceSettings& device : demand.devices) {
        if (!is_nic(device)) continue;
        const std::string text = files.text(in_sysfs(device, "numa_node"));
        int node = -1;
        std::from_chars(text.data(), text.data() + text.size(), node);
        if (node < 0) continue;
        std::set<unsigned> far;
        for (const unsigned cpu : demand.worker_cpus)
            if (const int own = node_of(files, cpu); own >= 0 && own != node) far.insert(cpu);
        if (far.empty()) continue;
        is_far = true;
        examination.warn(
            fmt::format("{}: {} is on node {}, the workers' CPU {} is not", device.name,
                        address_of(device), node, format_cpu_list({far.begin(), far.end()})),
            fmt::format("choose cores.workers among CPU {}",
                        files.text(fmt::format("/sys/devices/system/node/node{}/cpulist", node))));
    }
    if (!is_far) examination.ok("no worker is far from a NIC");
}

void check_forwarding(Examination& examination) {
    const FileTree& files = examination.files;
    if (!examination.demand.is_routed)
        return examination.ok("the kernel has no part in transparent ports");
    bool is_good = true;
    const auto warn = [&](std::string text, std::string fix) {
        examination.warn(std::move(text), std::move(fix));
        is_good = false;
    };
    if (files.text("/proc/sys/net/ipv4/ip_forward") == "1")
        warn(
            "the kernel forwards IPv4, too, between whatever interfaces it has; Rampart does not "
            "need it",
            "sysctl -w net.ipv4.ip_forward=0");
    if (files.text("/proc/sys/net/ipv6/conf/all/forwarding") == "1")
        warn(
            "the kernel forwards IPv6, too, between whatever interfaces it has; Rampart does not "
            "need it",
            "sysctl -w net.ipv6.conf.all.forwarding=0");
    if (files.text("/proc/sys/net/ipv4/conf/all/rp_filter") == "1")
        warn(
            "the kernel drops packets for this box that did not come the way its answers go "
            "(rp_filter)",
            "sysctl -w net.ipv4.conf.all.rp_filter=2");
    if (!files.exists("/dev/net/tun")) {
        examination.fail("routed ports need TAP devices, and /dev/net/tun is not there",
                         "modprobe tun");
        return;
    }
    if (is_good) examination.ok("the kernel forwards nothing by itself");
}

}  // namespace rampart
