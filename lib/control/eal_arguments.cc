#include "control/eal_arguments.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <system_error>

#include <fmt/format.h>

#include "conntrack/flow_table.h"
#include "dataplane/journal.h"
#include "dataplane/packet_capture.h"
#include "dataplane/packet_trace.h"
#include "dataplane/rule_log.h"
#include "dpdk/packet_pool.h"
#include "routing/routing.h"

namespace rampart {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kHugepageBytes = 2 * kMiB;
constexpr unsigned kMaxWorkers = 64;
// Descriptors and buffers that a driver may hold on to per queue.
constexpr uint32_t kMbufsPerQueue = 2048;
constexpr uint32_t kMbufsPerWorker = 1024;  // mempool cache and bursts in flight
constexpr uint32_t kHeldPerWorker = 2048;   // fragments (Reassembly::Options)
constexpr uint32_t kMbufsPerHandOff = 1024;
constexpr uint32_t kMinMbufs = 8192;
constexpr uint64_t kBaseBytes = 64 * kMiB;  // EAL's own, and what is small
// A worker's mailbox; notices and hand-over between each two threads that pass packets on.
constexpr uint64_t kMailboxBytes = 2 * kMiB, kBytesPerPair = kMiB / 4;
constexpr uint64_t kBytesPerPort = 8 * kMiB;

bool is_allowed(unsigned cpu, const MachineFacts& machine) {
    return std::find(machine.cpus.begin(), machine.cpus.end(), cpu) != machine.cpus.end();
}

tl::unexpected<Error> cpu_failure(std::string_view key, unsigned cpu) {
    return failure(fmt::format("{}: CPU {} does not exist here or is not allowed", key, cpu),
                   "`taskset -p $$` and `lscpu` show the CPUs that can be used");
}

Result<void> place_cores(const CoreSettings& cores, uint16_t workers, const MachineFacts& machine,
                         EalPlan& plan) {
    if (workers > kMaxWorkers)
        return failure(
            fmt::format("{} workers are more than the {} that are possible", workers, kMaxWorkers),
            "lower cores.workers");
    plan.control_cpu = cores.control.value_or(machine.cpus.front());
    if (!is_allowed(plan.control_cpu, machine))
        return cpu_failure("cores.control", plan.control_cpu);
    for (const unsigned cpu : cores.workers) {
        if (!is_allowed(cpu, machine)) return cpu_failure("cores.workers", cpu);
        plan.worker_cpus.push_back(cpu);
    }
    // The CPUs after the control thread's, going round: its own, which is mostly idle, comes last.
    std::vector<unsigned> order = machine.cpus;
    std::rotate(order.begin(), std::upper_bound(order.begin(), order.end(), plan.control_cpu),
                order.end());
    while (plan.worker_cpus.size() < workers)
        plan.worker_cpus.push_back(order[plan.worker_cpus.size() % order.size()]);
    return {};
}

std::string lcores_argument(const EalPlan& plan) {
    std::string text = fmt::format("--lcores=0@{}", plan.control_cpu);
    for (size_t i = 0; i < plan.worker_cpus.size(); ++i)
        text += fmt::format(",{}@{}", i + 1, plan.worker_cpus[i]);
    return text;
}

bool names_prefix(const std::vector<std::string>& words) {
    return std::any_of(words.begin(), words.end(),
                       [](const std::string& word) { return word.starts_with("--file-prefix"); });
}

}  // namespace

namespace {

// Those of 2 MiB and of 1 GiB: EAL takes both.
uint64_t read_hugepages(const std::string& name) {
    uint64_t bytes = 0;
    for (const uint64_t page_KiB : {2048u, 1048576u}) {
        std::ifstream file(
            fmt::format("/sys/kernel/mm/hugepages/hugepages-{}kB/{}", page_KiB, name));
        if (uint64_t pages = 0; file >> pages) bytes += pages * page_KiB * 1024;
    }
    return bytes;
}

}  // namespace

MachineFacts read_machine_facts() {
    MachineFacts facts;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (CPU_ISSET(cpu, &set)) facts.cpus.push_back(cpu);
        }
    }
    if (facts.cpus.empty()) facts.cpus.push_back(0);
    facts.free_hugepage_bytes = read_hugepages("free_hugepages");
    facts.all_hugepage_bytes = read_hugepages("nr_hugepages");
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/bus/pci/devices", none))
        facts.pci_devices.push_back(entry.path().filename());
    return facts;
}

uint16_t worker_count(const SystemSettings& system) {
    const CoreSettings& cores = system.cores;
    if (!cores.workers.empty()) return static_cast<uint16_t>(cores.workers.size());
    if (cores.worker_count != 0) return static_cast<uint16_t>(cores.worker_count);
    uint16_t most = 1;
    for (const DeviceSettings& device : system.devices)
        most = std::max(most, device.queues.value_or(1));
    return most;
}

uint16_t receive_queues_wanted(const DeviceSettings& device, uint16_t workers) {
    return std::clamp<uint16_t>(device.queues.value_or(workers), 1, workers);
}

uint32_t mbufs_wanted(const SystemSettings& system) {
    if (system.memory.mbufs != 0) return system.memory.mbufs;
    const uint16_t workers = worker_count(system);
    uint32_t queues = 0;
    for (const DeviceSettings& device : system.devices)
        if (device.has_device()) queues += receive_queues_wanted(device, workers) + workers;
    const uint32_t wanted = queues * kMbufsPerQueue + workers * (kMbufsPerWorker + kHeldPerWorker) +
                            workers * (workers - 1u) * kMbufsPerHandOff;
    return std::max(wanted, kMinMbufs);
}

bool is_routed(const SystemSettings& system) {
    return std::any_of(system.devices.begin(), system.devices.end(),
                       [](const DeviceSettings& device) { return device.is_routed; });
}

uint32_t flows_per_worker(uint32_t max, uint16_t workers) {
    return static_cast<uint32_t>((uint64_t{max} + workers - 1) / workers);
}

uint32_t keys_per_flow(const SystemSettings& system) {
    return is_routed(system) ? 2 : 1;
}

uint32_t foreign_keys(const SystemSettings& system, uint32_t max_flows, uint16_t workers) {
    // Without translation only flows that a helper of another worker has announced.
    constexpr uint32_t kShareOfPairs = 8, kLeast = 4096;
    if (workers == 1) return 0;
    const uint32_t flows = flows_per_worker(max_flows, workers);
    return std::max(is_routed(system) ? std::min(max_flows, 2 * flows) : flows / kShareOfPairs,
                    kLeast);
}

namespace {

// For the allocator's own headers and gaps: a few large pieces leave little, but what rte_hash
// takes is an estimate.
uint64_t gaps_in(uint64_t bytes, const SystemSettings& system) {
    constexpr uint64_t kMost = 64ull << 20;
    const uint64_t eighth = bytes / 8;
    return system.key_index == KeyIndexKind::RteHash ? eighth : std::min(eighth, kMost);
}

}  // namespace

uint64_t memory_wanted(const SystemSettings& system, uint32_t max_flows) {
    if (system.memory.size_bytes != 0) return system.memory.size_bytes;
    const uint16_t workers = worker_count(system);
    const uint64_t tables =
        workers * FlowTable::bytes_for({.capacity = flows_per_worker(max_flows, workers),
                                        .keys_per_flow = keys_per_flow(system),
                                        .foreign_keys = foreign_keys(system, max_flows, workers),
                                        .has_ways = is_routed(system),
                                        .has_accounting = system.has_counters,
                                        .has_ipv6 = system.tracks_ipv6,
                                        .index = system.key_index});
    const uint64_t journals =
        workers * (Journal::kBytes + RuleLog::kBytes + PacketTrace::kBytes + PacketCapture::kBytes);
    const uint64_t buffers = PacketPool::bytes_for(mbufs_wanted(system));
    const uint64_t routes = is_routed(system) ? Routing::bytes_for(Routing::Options{}) : 0;
    const uint64_t rings = workers * kMailboxBytes + uint64_t{workers} * workers * kBytesPerPair;
    const uint64_t rest =
        kBaseBytes + journals + rings + routes + kBytesPerPort * system.devices.size();
    const uint64_t bytes = tables + buffers + gaps_in(tables + buffers, system) + rest;
    return (bytes + kHugepageBytes - 1) / kHugepageBytes * kHugepageBytes;
}

Result<EalPlan> plan_eal(const SystemSettings& system, uint32_t max_flows,
                         const MachineFacts& machine) {
    EalPlan plan;
    if (const auto placed = place_cores(system.cores, worker_count(system), machine, plan); !placed)
        return tl::unexpected<Error>(placed.error());
    plan.memory_bytes = memory_wanted(system, max_flows);
    plan.uses_hugepages = system.memory.hugepages == Hugepages::Always ||
                          (system.memory.hugepages == Hugepages::Auto &&
                           machine.free_hugepage_bytes >= plan.memory_bytes);
    std::vector<std::string>& arguments = plan.arguments;
    arguments = {lcores_argument(plan), "--main-lcore=0", "--log-level=warning"};
    // The name of the directory in which DPDK's telemetry socket is.
    if (!names_prefix(system.eal)) arguments.push_back("--file-prefix=rampart");
    // Nothing is left behind in /run/dpdk or hugetlbfs; EAL refuses --in-memory with --no-huge.
    if (plan.uses_hugepages)
        arguments.push_back("--in-memory");
    else
        arguments.insert(arguments.end(), {"--no-huge", "--no-shconf"});
    arguments.push_back("-m");
    arguments.push_back(std::to_string(std::max<uint64_t>(plan.memory_bytes / kMiB, 1)));
    bool has_pci = false;
    for (const DeviceSettings& device : system.devices) {
        if (device.is_virtual || !device.has_device()) continue;
        has_pci = true;
        arguments.push_back("-a");
        arguments.push_back(device.device);
    }
    if (!has_pci) arguments.push_back("--no-pci");
    // Physical addresses matter only to devices that read memory on their own, and ordinary pages
    // have none to offer.
    if (!has_pci || !plan.uses_hugepages) arguments.push_back("--iova-mode=va");
    arguments.insert(arguments.end(), system.eal.begin(), system.eal.end());
    return plan;
}

}  // namespace rampart
