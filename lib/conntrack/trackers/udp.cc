// UDP: a conversation becomes a stream when it is answered and lasts longer than two seconds
// (netfilter's nf_conntrack_proto_udp.c). One question and one answer never become ASSURED.
// UDP-Lite (RFC 3828) becomes a stream with the first packet after an answer.
#include "conntrack/trackers/trackers.h"

namespace rampart {
namespace {

constexpr TimeoutId kTimeoutIds[] = {TimeoutId::Udp, TimeoutId::UdpStream};
constexpr Tick kStreamAfter = ticks_of_seconds(2);

TrackOutcome first(const TrackInput& input) noexcept {
    return TrackOutcome::accept(input.settings.timeout(TimeoutId::Udp));
}

TrackOutcome stream(const TrackInput& input) noexcept {
    Flow& flow = input.flow;
    if (!flow.has(flow_status::kAssured)) flow.note_status(flow_status::kAssured);
    return TrackOutcome::accept(input.settings.timeout(TimeoutId::UdpStream));
}

TrackOutcome update(const TrackInput& input) noexcept {
    const Flow& flow = input.flow;
    if (!flow.has(flow_status::kSeenReply) || input.now - flow.created <= kStreamAfter)
        return TrackOutcome::accept(input.settings.timeout(TimeoutId::Udp));
    return stream(input);
}

TrackOutcome update_lite(const TrackInput& input) noexcept {
    if (!input.flow.has(flow_status::kSeenReply))
        return TrackOutcome::accept(input.settings.timeout(TimeoutId::Udp));
    return stream(input);
}

}  // namespace

const Tracker kUdpTracker = {"udp", ip_protocol::kUdp, first, update, {}, kTimeoutIds};
const Tracker kUdpLiteTracker = {"udplite",  ip_protocol::kUdpLite, first, update_lite, {},
                                 kTimeoutIds};

}  // namespace rampart
