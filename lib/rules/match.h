// Match: one condition of a rule; MatchType: the kind of condition, such as `dport`.
//
// A match is one file in rules/matches/ that defines one MatchType, plus one line in
// matches/registry.cc. The descriptor holds the whole of it: the key, how its value is parsed,
// evaluated and printed, and its help text. The loader, the printer and the generated reference
// ask the registry; nothing else knows the list.
//
// Types are constants. A Match is built by the loader and immutable afterwards; workers call
// evaluate() on it from the classify stage.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/diagnostics.h"
#include "base/value.h"
#include "rules/arguments.h"
#include "rules/names.h"
#include "rules/rule_input.h"

namespace rampart {

class SetUses;

// The hooks of design decision D2, as bits: a match says where it may stand.
enum class Hook : uint8_t {
    None = 0,
    Raw = 1,
    Input = 2,
    Forward = 4,
    Output = 8,
    Prerouting = 16,   // nat.prerouting: destinations are translated
    Postrouting = 32,  // nat.postrouting: sources
};
using HookMask = uint8_t;
inline constexpr HookMask kAllHooks = 0x3f, kFilterHooks = 0x0f, kNatHooks = 0x30;
// In the order in which a packet comes to them, as far as it does.
inline constexpr Hook kHooks[] = {Hook::Raw,     Hook::Prerouting, Hook::Input,
                                  Hook::Forward, Hook::Output,     Hook::Postrouting};

constexpr HookMask mask_of(Hook hook) noexcept {
    return static_cast<HookMask>(hook);
}

std::string_view to_string(Hook hook) noexcept;

// Which protocols a rule was already narrowed to (`proto:`): `dport` needs one with ports.
struct RuleScope {
    HookMask hooks = kAllHooks;       // hooks this chain can be reached from
    const Value* protocol = nullptr;  // the value of `proto`, if the rule has one
    std::vector<uint8_t> protocols;   // its numbers; empty = any
    Location rule{};                  // for messages about the whole rule
};

// What a parser may ask and where it reports.
struct ParseContext {
    Diagnostics& diagnostics;
    const Names& names;
    const RuleScope& scope;
    std::string_view key = {};  // of the match being parsed, and where it stands
    Location key_location = {};
};

// Does the answer stay the same for every packet of a flow, direction and conntrack state (D1)?
enum class Dependence : uint8_t { Flow, Packet };

// The address families a match can hold for, as bits.
using FamilyMask = uint8_t;
inline constexpr FamilyMask kIpv4Only = 1, kIpv6Only = 2, kBothFamilies = 3;

struct Help {
    std::string_view summary;   // one sentence
    std::string_view values;    // "a port, a range, or a list"
    std::string_view example;   // a whole rule in flow style; the registry test loads it
    std::string_view iptables;  // the nearest spelling there
    std::string_view nft;
};

struct Projection;

struct MatchType {
    std::string_view key;
    Dependence dependence;
    HookMask hooks;
    // Reports what is wrong and then returns empty Arguments. `value` is never null.
    Arguments (*parse)(const Value& value, ParseContext& context);
    bool (*evaluate)(const Arguments& arguments, const RuleInput& input) noexcept;
    // The value in the language's own words, so that printing and parsing round-trip.
    std::string (*print)(const Arguments& arguments, const Names& names);
    // Null: both. Two matches of a rule without a common family can never hold together.
    FamilyMask (*families)(const Arguments& arguments) noexcept;
    // Narrows what the classifier thinks the rule can match (classifier/projection.h): exactly or
    // wider, `negated` included. Only for constant matches. Null: the classifier asks nothing of
    // it.
    void (*project)(const Arguments& arguments, bool negated, Projection& projection) = nullptr;
    Help help;
    // The sets among the values. What looks at a dynamic set depends on the packet. Null: none.
    const SetUses* (*sets)(const Arguments& arguments) noexcept = nullptr;
    // Its arguments have a state that RuleStates keeps.
    bool remembers = false;
    // Class and direction alone decide it, and project() says so exactly.
    bool is_of_state = false;
    // What it says changes with the flow's status.
    bool looks_at_status = false;
};

struct Match {
    const MatchType* type = nullptr;
    bool negated = false;  // under `not:`
    Arguments arguments;

    // The answer stays the same for every packet of a flow, direction and state.
    bool is_constant() const noexcept;
    bool counts_in_sets() const noexcept;
    bool matches(const RuleInput& input) const noexcept {
        return type->evaluate(arguments, input) != negated;
    }
};

// In the order in which rules are printed.
std::span<const MatchType* const> match_types() noexcept;
const MatchType* find_match_type(std::string_view key) noexcept;

}  // namespace rampart
