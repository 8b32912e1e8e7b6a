#include "conntrack/trackers/settled.h"

#include "conntrack/trackers/tcp_window.h"

namespace rampart {
namespace {

// After a segment that is no RST and announces a window. Neither is predictable: no branch.
Tick established_timeout(const TcpFlow& tcp, const SettledTimeouts& timeouts) noexcept {
    const unsigned is_unacknowledged =
        ((tcp.flags[0] | tcp.flags[1]) & tcp_side::kUnacked) / tcp_side::kUnacked;
    return timeouts.tcp[is_unacknowledged + 2 * unsigned{tcp.retrans >= timeouts.max_retrans}];
}

}  // namespace

Tick update_settled_tcp(Flow& flow, const Packet& packet, Direction direction,
                        const SettledTimeouts& timeouts) noexcept {
    if (flow.state.load() != static_cast<uint8_t>(TcpState::Established)) return 0;
    const TcpSegment segment = read_segment(packet);
    if (segment.tcp_class != TcpClass::Ack || !advance_if_plain(flow.tcp, direction, segment))
        return 0;
    flow.tcp.last_class = TcpClass::Ack;
    return established_timeout(flow.tcp, timeouts);
}

}  // namespace rampart
