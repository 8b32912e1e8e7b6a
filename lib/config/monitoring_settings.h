// MonitoringSettings: where the daemon tells others how it does (control/monitoring/).
//
// Built by config/build_monitoring, fixed while the daemon runs. Value type, control thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/ip_address.h"

namespace rampart {

struct MonitoringSettings {
    IpAddress address;  // family None: nothing listens
    uint16_t port = 0;
    bool metrics = true;       // /metrics, for Prometheus
    bool rule_metrics = true;  // among them three or more for each rule
    bool status_page = false;  // / and what it consists of
    std::string place;         // "FILE:LINE" of `listen`

    // "127.0.0.1:9482".
    std::string endpoint() const;
    bool is_on() const noexcept { return address.family != Family::None; }
    bool operator==(const MonitoringSettings& other) const {
        return address == other.address && port == other.port && metrics == other.metrics &&
               rule_metrics == other.rule_metrics && status_page == other.status_page;
    }
};

// 127.0.0.0/8 and ::1.
bool is_loopback(const IpAddress& address) noexcept;

}  // namespace rampart
