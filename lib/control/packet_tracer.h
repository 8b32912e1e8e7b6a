// Packet tracer: what would become of a packet, and which rules say so.
//
// The production parser, tracker and rules (walk()) judge a frame whose flow is made up from what
// the question says about its state. Nothing is changed by it: buckets, sets and counters are left
// alone (RuleInput::is_rehearsal), and paths are recorded in a table of its own. Stages that need
// more than one packet (reassembly, steering, the flow table's room) are not asked.
// Any thread that may read the Snapshot; control and `rampartctl test --config`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/packet_question.h"
#include "packet/drop_reason.h"
#include "packet/packet.h"
#include "packet/verdict.h"
#include "rules/snapshot.h"

namespace rampart {

// A rule that was looked at and did not match.
struct PassedRule {
    const Chain* chain = nullptr;
    const Rule* rule = nullptr;
    const Match* failed = nullptr;  // the first match that does not hold; null: not to be told
};

struct MatchedRule {
    const Chain* chain = nullptr;
    const Rule* rule = nullptr;  // null: the policy, or the implicit rule when `is_implicit`
    bool is_implicit = false;
    std::vector<PassedRule> passed;  // before it; only when they were asked for
};

// A walk from one base chain.
struct TracedWalk {
    const Chain* base = nullptr;
    std::vector<MatchedRule> rules;  // in the order in which they matched
};

struct TracedPacket {
    Tuple tuple;
    uint16_t ip_length = 0;
    InterfaceIndex in = kNoInterface;
    Verdict verdict = Verdict::Pending;  // Forward or Drop
    DropReason reason{};                 // of Drop
    RejectWith reject_with = RejectWith::None;
    InterfaceIndex out = kNoInterface;
    bool has_class = false;
    CtClass ct_class = CtClass::New;
    InvalidReason invalid = InvalidReason::None;
    bool is_notracked = false;  // by raw
    std::vector<TracedWalk> walks;
};

TracedPacket trace_packet(const Snapshot& snapshot, PacketQuestion question, uint64_t wall_ns,
                          bool with_passed);

}  // namespace rampart
