// Receive queues: whether each NIC can spread packets over the workers, as far as its model tells.
//
// What a driver really offers is known when DPDK has opened the port: `rampartctl status` shows the
// steering that came of it. Here the models are listed whose DPDK driver has one queue, or no RSS.
// Sources: DPDK 22.11 Network Interface Controller Drivers, "Features Overview"; the drivers' own
// chapters.
#include <fmt/format.h>

#include "control/doctor/checks.h"
#include "control/eal_arguments.h"

namespace rampart {
namespace {

struct Model {
    std::string_view vendor;
    std::string_view device;  // a prefix
    std::string_view what;
};

constexpr Model kOneQueue[] = {
    {"0x8086", "0x100", "an Intel 8254x (e1000)"},
    {"0x8086", "0x10d3", "an Intel 82574 (e1000e)"},
};
constexpr Model kOnTheHost[] = {
    {"0x1af4", "0x1000", "virtio: RSS depends on the hypervisor (VIRTIO_NET_F_RSS)"},
    {"0x1af4", "0x1041", "virtio: RSS depends on the hypervisor (VIRTIO_NET_F_RSS)"},
    {"0x15ad", "0x07b0", "vmxnet3: RSS hashes UDP ports only from hardware version 4 on"},
};
constexpr std::string_view kVirtualOneWay[] = {"net_af_packet", "net_pcap", "net_null",
                                               "net_af_xdp"};

template <size_t N>
const Model* find(const Model (&models)[N], std::string_view vendor, std::string_view device) {
    for (const Model& model : models)
        if (model.vendor == vendor && device.starts_with(model.device)) return &model;
    return nullptr;
}

void check_nic(Examination& examination, const DeviceSettings& device, size_t workers) {
    const std::string folder =
        fmt::format("/sys/bus/pci/devices/{}/", device.device.substr(0, device.device.find(',')));
    const std::string vendor = examination.files.text(folder + "vendor");
    const std::string model = examination.files.text(folder + "device");
    if (vendor.empty()) return;
    if (const Model* one = find(kOneQueue, vendor, model))
        return examination.warn(
            fmt::format("{}: {} has one receive queue, so one of {} workers hands packets to the "
                        "others",
                        device.name, one->what, workers),
            "use another model for more than one worker; virtio-net and vmxnet3 in guests");
    if (const Model* maybe = find(kOnTheHost, vendor, model))
        return examination.ok(fmt::format("{}: {}", device.name, maybe->what));
    examination.ok(
        fmt::format("{}: nothing known against {}:{}; `rampartctl status` shows the "
                    "steering",
                    device.name, vendor.substr(2), model.substr(2)));
}

}  // namespace

void check_queues(Examination& examination) {
    const Demand& demand = examination.demand;
    const size_t workers = demand.worker_cpus.size();
    if (workers < 2) return examination.ok("one worker needs no spreading");
    for (const DeviceSettings& device : demand.devices) {
        if (!device.has_device()) continue;
        if (receive_queues_wanted(device, static_cast<uint16_t>(workers)) < workers)
            examination.warn(fmt::format("{}: {} queues for {} workers: packets are handed over",
                                         device.name, device.queues.value_or(1), workers),
                             "leave `queues` out, or write as many as there are workers");
        else if (!device.is_virtual)
            check_nic(examination, device, workers);
        else
            for (const std::string_view driver : kVirtualOneWay)
                if (device.device.starts_with(driver))
                    examination.ok(
                        fmt::format("{}: {} does not hash symmetrically, packets are "
                                    "handed over",
                                    device.name, driver));
    }
}

}  // namespace rampart
