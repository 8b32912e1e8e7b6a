// GRE: one flow for each pair of addresses, or for each call of PPTP (RFC 2637), whose call ids are
// keys (netfilter's nf_conntrack_proto_gre.c). The two directions of a call carry unrelated call
// ids, which only a helper that reads the control connection could pair: without one they are two
// flows.
#include "conntrack/trackers/trackers.h"

namespace rampart {
namespace {

constexpr TimeoutId kTimeoutIds[] = {TimeoutId::Gre, TimeoutId::GreStream};

TrackOutcome first(const TrackInput& input) noexcept {
    return TrackOutcome::accept(input.settings.timeout(TimeoutId::Gre));
}

TrackOutcome update(const TrackInput& input) noexcept {
    Flow& flow = input.flow;
    if (!flow.has(flow_status::kSeenReply))
        return TrackOutcome::accept(input.settings.timeout(TimeoutId::Gre));
    if (!flow.has(flow_status::kAssured)) flow.note_status(flow_status::kAssured);
    return TrackOutcome::accept(input.settings.timeout(TimeoutId::GreStream));
}

}  // namespace

const Tracker kGreTracker = {"gre", ip_protocol::kGre, first, update, {}, kTimeoutIds};

}  // namespace rampart
