// Statement: something a rule does to a packet or its flow besides the verdict, such as `set_mark`;
// StatementType: the kind.
//
// A statement is one file in rules/statements/ that defines one StatementType, plus one line in
// statements/registry.cc. All statements of a rule are carried out, in the order of the registry,
// when all its matches hold; none ends the chain. A cached verdict carries them out again for every
// packet (PathNode::has_effects), so nothing is lost on the short way.
//
// Types are constants. A Statement is built by the loader and immutable afterwards; what execute()
// changes belongs to the packet, its flow, or a structure that several workers may write.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "rules/match.h"

namespace rampart {

struct StatementType {
    std::string_view key;
    HookMask hooks;
    // Reports what is wrong and then returns empty Arguments.
    Arguments (*parse)(const Value& value, ParseContext& context);
    // On workers. Null: there is nothing to do per packet.
    void (*execute)(const Arguments& arguments, RuleInput& input) noexcept;
    // The value in the language's own words, so that printing and parsing round-trip.
    std::string (*print)(const Arguments& arguments, const Names& names);
    // It may set RuleInput::flow_changed.
    bool changes_flows = false;
    Help help;
};

struct Statement {
    const StatementType* type = nullptr;
    Arguments arguments;
};

// In the order in which they are carried out and printed.
std::span<const StatementType* const> statement_types() noexcept;
const StatementType* find_statement_type(std::string_view key) noexcept;

}  // namespace rampart
