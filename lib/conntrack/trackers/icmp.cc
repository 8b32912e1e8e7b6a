// ICMP and ICMPv6 queries: a request starts a flow, its reply answers it, nothing is ever ASSURED.
// Errors do not come here: they belong to the flow of the packet they quote.
#include "conntrack/trackers/trackers.h"
#include "packet/icmp_types.h"

namespace rampart {
namespace {

constexpr TimeoutId kIcmpTimeouts[] = {TimeoutId::Icmp};
constexpr TimeoutId kIcmpv6Timeouts[] = {TimeoutId::Icmpv6};

TrackOutcome first_of(const TrackInput& input, IcmpType type, TimeoutId timeout) noexcept {
    if (type.kind != IcmpKind::Request) return TrackOutcome::invalid(InvalidReason::IcmpNoRequest);
    return TrackOutcome::accept(input.settings.timeout(timeout));
}

TrackOutcome first4(const TrackInput& input) noexcept {
    return first_of(input, icmp4_type(*input.packet.l4()), TimeoutId::Icmp);
}

TrackOutcome first6(const TrackInput& input) noexcept {
    return first_of(input, icmp6_type(*input.packet.l4()), TimeoutId::Icmpv6);
}

TrackOutcome update4(const TrackInput& input) noexcept {
    return TrackOutcome::accept(input.settings.timeout(TimeoutId::Icmp));
}

TrackOutcome update6(const TrackInput& input) noexcept {
    return TrackOutcome::accept(input.settings.timeout(TimeoutId::Icmpv6));
}

}  // namespace

const Tracker kIcmpTracker = {"icmp", ip_protocol::kIcmp, first4, update4, {}, kIcmpTimeouts};
const Tracker kIcmpv6Tracker = {"icmpv6", ip_protocol::kIcmpv6, first6, update6,
                                {},       kIcmpv6Timeouts};

}  // namespace rampart
