// Tracker: what one protocol's packets do to their flow.
//
// A tracker is one file in conntrack/trackers/ that defines one Tracker, plus one line in
// trackers/registry.cc. It sees one packet at a time together with its flow and answers with a
// TrackOutcome; the track stage carries it out. Trackers are stateless constants; they may write
// the flow they are given, on the worker that owns it. That a changed status may change verdicts is
// the stage's business.
//
// Results as in netfilter (nf_conntrack_proto_tcp.c): IGNORE is not INVALID. An ignored packet
// keeps its class and passes the rules like any other; only the entry stays as it is.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "conntrack/flow.h"
#include "conntrack/sequence_adjust.h"
#include "conntrack/settings.h"
#include "packet/packet.h"

namespace rampart {

enum class TrackResult : uint8_t {
    Accept,
    Ignore,         // keeps its class; timeout and counters unchanged
    Invalid,        // loses its flow; class INVALID
    Reopen,         // the flow is over: erase it and treat the packet as a first one
    AcceptAndErase  // the packet passes with its class; the flow goes
};

struct TrackOutcome {
    TrackResult result = TrackResult::Accept;
    InvalidReason reason = InvalidReason::None;  // of Invalid
    bool refresh = true;                         // of Accept: set the deadline, count the packet
    Tick timeout = 0;                            // ticks from now, when `refresh` is set

    static constexpr TrackOutcome accept(Tick timeout) noexcept {
        return {TrackResult::Accept, InvalidReason::None, true, timeout};
    }
    static constexpr TrackOutcome accept_unchanged() noexcept {
        return {TrackResult::Accept, InvalidReason::None, false, 0};
    }
    static constexpr TrackOutcome ignore() noexcept {
        return {TrackResult::Ignore, InvalidReason::None, false, 0};
    }
    static constexpr TrackOutcome invalid(InvalidReason reason) noexcept {
        return {TrackResult::Invalid, reason, false, 0};
    }
};

struct TrackInput {
    const Packet& packet;
    Flow& flow;
    Direction direction;
    const ConntrackSettings& settings;
    Tick now;
    const SequenceAdjust* adjust = nullptr;  // of a flow whose payload a helper has changed
};

struct Tracker {
    std::string_view name;  // as `conntrack -L` prints it; "unknown" for the generic tracker
    uint8_t protocol;       // 0: the generic tracker
    // A packet without a flow: may it start one? Fills the fresh `flow`. Accept or Invalid.
    TrackOutcome (*first)(const TrackInput& input) noexcept;
    // A packet of an existing flow, before SEEN_REPLY is set for it.
    TrackOutcome (*update)(const TrackInput& input) noexcept;
    // Printed names of Flow::state; empty for protocols without states.
    std::span<const std::string_view> states;
    std::span<const TimeoutId> timeouts;  // those it uses
    // States in which an ASSURED flow gives way in a full table, as bits (1 << Flow::state).
    uint32_t closing_states = 0;
    // The state in which a rule's `timeout` counts; -1: in any.
    int8_t steady_state = -1;
    // States in which the connection is over though its entry is still there, as bits.
    uint32_t ended_states = 0;
};

// The tracker's timeout, unless a rule has set one for the flow and it counts now.
inline Tick timeout_of(const Flow& flow, const Tracker& tracker, Tick timeout) noexcept {
    if (!flow.has(flow_status::kRuleTimeout)) [[likely]]
        return timeout;
    const bool counts = tracker.steady_state < 0 || tracker.steady_state == flow.state.load();
    return counts ? flow.rule_timeout : timeout;
}

inline bool has_ended(const Flow& flow, const Tracker& tracker) noexcept {
    return tracker.ended_states >> flow.state.load() & 1;
}

// A packet that is UNTRACKED whatever the rules say, if it is not INVALID.
inline bool is_never_tracked(const Packet& packet, const ConntrackSettings& settings) noexcept {
    return packet.is_untracked_icmpv6 || (packet.family == Family::Ipv6 && !settings.ipv6);
}

std::span<const Tracker* const> trackers() noexcept;
// The generic tracker when no other claims the protocol.
const Tracker& tracker_of(uint8_t protocol) noexcept;

}  // namespace rampart
