#include "control/machine_check.h"

#include <algorithm>

#include <fmt/format.h>

namespace rampart {
namespace {

constexpr uint64_t kMiB = 1u << 20;
constexpr uint64_t kPageMiB = 2;

void check_device(const DeviceSettings& device, const MachineFacts& machine,
                  Diagnostics& diagnostics) {
    const std::string address = device.device.substr(0, device.device.find(','));
    const std::vector<std::string>& known = machine.pci_devices;
    if (std::find(known.begin(), known.end(), address) != known.end()) return;
    const std::vector<std::string_view> words(known.begin(), known.end());
    std::string hint = did_you_mean(address, words);
    if (hint.empty()) hint = "`dpdk-devbind.py --status` lists the devices";
    diagnostics.error("E027", device.location,
                      // Of a string, std::quoted() would be found as well.
                      fmt::format("this machine has no device {}", rampart::quoted(address)),
                      std::move(hint));
}

}  // namespace

void check_machine(const SystemSettings& system, uint32_t max_flows, const MachineFacts& machine,
                   uint64_t hugepage_bytes, Diagnostics& diagnostics) {
    for (const DeviceSettings& device : system.devices)
        if (device.has_device() && !device.is_virtual) check_device(device, machine, diagnostics);
    const uint64_t wanted = memory_wanted(system, max_flows);
    if (system.memory.hugepages != Hugepages::Always || wanted <= hugepage_bytes) return;
    const uint64_t pages = (wanted / kMiB + kPageMiB - 1) / kPageMiB;
    diagnostics.error(
        "E028", system.memory.location,
        fmt::format("{} flows, {} ports and {} workers need {} MiB of memory; there are {} MiB of "
                    "hugepages",
                    max_flows, system.devices.size(), worker_count(system), wanted / kMiB,
                    hugepage_bytes / kMiB),
        fmt::format("reserve {} pages of 2 MiB: sysctl vm.nr_hugepages={}, or write hugepages: "
                    "auto",
                    pages, pages));
}

}  // namespace rampart
