#include "control/link_watch.h"

#include <spdlog/spdlog.h>

#include "dpdk/port.h"

namespace rampart {

void LinkWatch::look() {
    for (size_t i = 0; i < ports_.size(); ++i) {
        const Port& port = *ports_[i];
        const bool is_up = port.is_link_up();
        if (is_up == was_up_[i]) continue;
        was_up_[i] = is_up;
        if (!is_up)
            spdlog::warn("interface '{}': the link is down", port.name());
        else if (const uint32_t speed = port.link_speed_mbps(); speed != 0)
            spdlog::info("interface '{}': the link is up, {} Mbit/s", port.name(), speed);
        else
            spdlog::info("interface '{}': the link is up", port.name());
    }
}

}  // namespace rampart
