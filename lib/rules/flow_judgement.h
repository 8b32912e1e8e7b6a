// judge_flow(): would these rules let a flow begin?
//
// Asked about flows that exist already, when the packets that began them are long gone: by the
// worker after a reload (reload.established: recheck), and by control about the connection of
// whoever asks for a new configuration. What depends on the packet itself (its flags, a rate)
// cannot be answered then, and the doubt is for the flow: where such a rule accepts, it accepts;
// where it refuses, it is passed over; where it goes to another chain, both ways are tried. So a
// refusal is certain as far as addresses, ports, protocol, interfaces and state are concerned.
//
// Counts nothing, changes nothing, runs no statement. Any thread.
#pragma once

#include "rules/rule_input.h"
#include "rules/ruleset.h"

namespace rampart {

struct FlowJudgement {
    bool is_refused = false;
    RuleIndex rule = 0;  // that decided; a rule or the policy
};

// `input` describes the flow's first packet as well as it is known: tuple, ports and class are
// those to be judged, input.packet is any packet of the flow.
FlowJudgement judge_flow(const Ruleset& ruleset, int chain, const RuleInput& input) noexcept;

}  // namespace rampart
