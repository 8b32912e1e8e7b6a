// The short way of flows that are settled: answered, ASSURED, and with nothing special about them.
//
// For TCP and UDP packets of such flows this does exactly what the tracker's update() would do (a
// test compares them) and leaves everything that could change more than deadline and windows to it.
// Worker only.
#pragma once

#include <algorithm>

#include "conntrack/flow.h"
#include "conntrack/settings.h"
#include "packet/packet.h"

namespace rampart {

inline bool is_settled(uint16_t status) noexcept {
    using namespace flow_status;
    constexpr uint16_t kLooked =
        kSeenReply | kAssured | kDying | kFixedTimeout | kHelper | kRuleTimeout;
    return (status & kLooked) == (kSeenReply | kAssured);
}

// Ticks, as the fill level of the table allows them. Made once per burst.
struct SettledTimeouts {
    Tick udp_stream;
    // Of ESTABLISHED: by whether data wait for their acknowledgement, and twice whether the
    // connection makes no progress.
    Tick tcp[4];
    uint8_t max_retrans;

    template <typename Scale>
    static SettledTimeouts of(const ConntrackSettings& settings, Scale scale) noexcept {
        const Tick established = settings.timeout(TimeoutId::TcpEstablished);
        const Tick unacknowledged =
            std::min(established, settings.timeout(TimeoutId::TcpUnacknowledged));
        const Tick max_retrans = std::min(established, settings.timeout(TimeoutId::TcpMaxRetrans));
        return {scale(settings.timeout(TimeoutId::UdpStream)),
                {scale(established), scale(unacknowledged), scale(max_retrans), scale(max_retrans)},
                settings.tcp_max_retrans};
    }
};

// The timeout of a TCP flow after this packet; 0: nothing has changed, and the tracker must be
// asked. A function of its own, because what it needs and what the loop around it needs do not fit
// into the registers together.
Tick update_settled_tcp(Flow& flow, const Packet& packet, Direction direction,
                        const SettledTimeouts& timeouts) noexcept;

// Sets `timeout`, from now on. False: nothing has changed, and the tracker must be asked.
inline bool update_settled(Flow& flow, const Packet& packet, Direction direction,
                           const SettledTimeouts& timeouts, Tick& timeout) noexcept {
    if (packet.protocol == ip_protocol::kUdp) {
        timeout = timeouts.udp_stream;
        return true;
    }
    if (packet.protocol != ip_protocol::kTcp) return false;
    timeout = update_settled_tcp(flow, packet, direction, timeouts);
    return timeout != 0;
}

}  // namespace rampart
