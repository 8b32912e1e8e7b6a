// IpfixSettings: where flows are exported to, and which of their events.
//
// Fixed while the daemon runs; absent from SystemSettings when nothing is exported. Built by
// config/build_ipfix, read by control/flow_export. Value type, control thread.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ip_address.h"

namespace rampart {

struct IpfixSettings {
    enum class Transport : uint8_t { Udp, Tcp };

    IpAddress collector;
    uint16_t port = 4739;
    Transport transport = Transport::Udp;
    std::optional<IpAddress> source;  // absent: as the kernel's routes have it
    uint32_t domain = 0;              // observation domain id
    bool tells_new = false;
    bool tells_end = true;
    uint32_t template_refresh_s = 60;  // UDP only

    bool operator==(const IpfixSettings&) const = default;
};

}  // namespace rampart
