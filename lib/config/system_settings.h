// SystemSettings: the parts of a configuration that are fixed while the daemon runs.
//
// Devices, cores, memory and the control socket. `apply` refuses a file that changes them and says
// that a restart is needed. Built by config/build_system, read by app/rampartd and control.
// Value type, control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/interface_index.h"
#include "base/ip_address.h"
#include "base/value.h"
#include "config/ipfix_settings.h"
#include "config/monitoring_settings.h"
#include "conntrack/settings.h"

namespace rampart {

// What an interface is in the kernel.
struct TwinSettings {
    std::string name;                              // empty: it has no twin
    std::vector<IpPrefix> addresses;               // with their host bits; may change any time
    std::vector<std::string> left_to_system = {};  // "dhcp" and the like: somebody else's to set
    InterfaceIndex parent = kNoInterface;          // of a VLAN, which has no device
    uint16_t vlan = 0;

    bool operator==(const TwinSettings& other) const {
        return name == other.name && parent == other.parent && vlan == other.vlan;
    }
};

struct DeviceSettings {
    std::string name;    // the interface's name; position = InterfaceIndex
    std::string device;  // "0000:3b:00.0" or DPDK devargs of a virtual device ("net_tap0,iface=x")
    bool is_virtual = false;
    std::optional<uint16_t> queues;  // receive queues; absent: one per worker
    uint16_t mtu = 1500;
    bool is_routed = false;  // not a port of a transparent pair
    TwinSettings twin;
    Location location;

    // A VLAN has no device of its own.
    bool has_device() const noexcept { return twin.parent == kNoInterface; }
    bool operator==(const DeviceSettings& other) const {
        return name == other.name && device == other.device && queues == other.queues &&
               mtu == other.mtu && is_routed == other.is_routed && twin == other.twin;
    }
};

struct CoreSettings {
    std::optional<unsigned> control;  // CPU of the control core; absent: the first allowed one
    std::vector<unsigned> workers;    // CPUs of the workers, one poll-mode thread each; may repeat
    // cores.workers as a number: that many, which the daemon places. 0: `workers` says it, or
    // nothing does.
    unsigned worker_count = 0;
    bool sleep_when_idle = false;  // cores.idle: sleep

    bool operator==(const CoreSettings&) const = default;
};

enum class Hugepages : uint8_t { Auto, Always, Never };

struct MemorySettings {
    Hugepages hugepages = Hugepages::Auto;
    uint64_t size_bytes = 0;  // of DPDK's heap; 0: computed from the tables and pools
    uint32_t mbufs = 0;       // packet buffers in the pool; 0: computed from ports and queues
    Location location;        // of the value of `hugepages`

    bool operator==(const MemorySettings& other) const {
        return hugepages == other.hugepages && size_bytes == other.size_bytes &&
               mbufs == other.mbufs;
    }
};

// What the daemon gives up when its start is complete (control/confinement.h).
enum class Confine : uint8_t { Full, Capabilities, None };

struct ControlSettings {
    std::string socket = "/run/rampart/rampart.sock";
    uint32_t mode = 0660;
    std::string group = "rampart";
    std::string state = "/var/lib/rampart";  // directory of the configurations' history
    Confine confine = Confine::Full;

    bool operator==(const ControlSettings&) const = default;
};

struct SystemSettings {
    std::vector<DeviceSettings> devices;
    CoreSettings cores;
    MemorySettings memory;
    ControlSettings control;
    MonitoringSettings monitoring;
    KeyIndexKind key_index = KeyIndexKind::Buckets;  // conntrack.index
    bool has_counters = true;                        // conntrack.counters
    bool tracks_ipv6 = true;                         // conntrack.ipv6
    std::vector<std::string> eal;                    // extra EAL arguments, after the derived ones
    std::optional<IpfixSettings> ipfix;              // absent: nothing is exported

    bool operator==(const SystemSettings&) const = default;
};

}  // namespace rampart
