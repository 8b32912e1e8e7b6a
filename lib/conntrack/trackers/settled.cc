#include "conntrack/trackers/settled.h"

#include "conntrack/trackers/tcp_window.h"

namespace rampart {
namespace {

constexpr uint8_t kClassFlags = tcp_flag::kFin | tcp_flag::kSyn | tcp_flag::kRst | tcp_flag::kAck;

}  // namespace

Tick update_settled_tcp(Flow& flow, const Packet& packet, Direction direction,
                        const SettledTimeouts& timeouts) noexcept {
    if (flow.state.load() != static_cast<uint8_t>(TcpState::Established)) return 0;
    if ((packet.tcp_flags & kClassFlags) != tcp_flag::kAck) return 0;
    TcpFlow& tcp = flow.tcp;
    const TcpSegment segment = read_segment(packet, tcp_flag::kAck);
    bool has_unacknowledged;
    if (!advance_if_plain(tcp, direction, segment, has_unacknowledged)) return 0;
    count_retransmission(tcp, direction, segment);
    // Of a segment that is no RST and announces a window. Neither is predictable: no branch.
    return timeouts.tcp[has_unacknowledged + 2 * unsigned{tcp.retrans >= timeouts.max_retrans}];
}

}  // namespace rampart
