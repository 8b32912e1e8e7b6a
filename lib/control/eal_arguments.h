// EAL arguments: what DPDK is told, derived from the configuration (so nobody has to write them).
//
// Pure: the machine's properties come in as MachineFacts. Lcore 0 is the control thread, lcore n
// the worker n-1; several lcores may share a CPU, and do so when there are too few. Virtual devices
// are attached later, when their ports are opened. Control thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/system_settings.h"

namespace rampart {

struct MachineFacts {
    std::vector<unsigned> cpus;                 // that this process may use, ascending, not empty
    uint64_t free_hugepage_bytes = 0;           // in pages of 2 MiB and 1 GiB
    uint64_t all_hugepage_bytes = 0;            // those in use included
    std::vector<std::string> pci_devices = {};  // "0000:3b:00.0"
};

// Reads them from the scheduler and sysfs.
MachineFacts read_machine_facts();

struct EalPlan {
    std::vector<std::string> arguments;  // for Eal::start
    unsigned control_cpu = 0;
    std::vector<unsigned> worker_cpus;  // by worker
    bool uses_hugepages = false;
    uint64_t memory_bytes = 0;
};

// Workers wanted: cores.workers as a list or a number, else as many as the port with the most
// queues asks for, else one.
uint16_t worker_count(const SystemSettings& system);
// Receive queues that a port is asked for: never more than there are workers to poll them.
uint16_t receive_queues_wanted(const DeviceSettings& device, uint16_t workers);
// Whether it needs the kernel's routes.
bool is_routed(const SystemSettings& system);
// Packet buffers for all descriptors, bursts, caches and hand-off rings, unless memory.mbufs says.
uint32_t mbufs_wanted(const SystemSettings& system);
// The share of conntrack.max that each worker's table holds.
uint32_t flows_per_worker(uint32_t max, uint16_t workers);
// What each flow may take of its table: a key for each direction where flows may be translated.
uint32_t keys_per_flow(const SystemSettings& system);
// How many flows of other workers a worker may have to hand packets to.
uint32_t foreign_keys(const SystemSettings& system, uint32_t max_flows, uint16_t workers);
// What the tables, the packet buffers and the drivers need, unless memory.size says.
uint64_t memory_wanted(const SystemSettings& system, uint32_t max_flows);

// Fails when the configuration names a CPU that this process may not use, or too many workers.
Result<EalPlan> plan_eal(const SystemSettings& system, uint32_t max_flows,
                         const MachineFacts& machine);

}  // namespace rampart
