// Target: what a rule does with a packet that matched; TargetType: the kind, such as `reject`.
//
// A target is one file in rules/targets/ that defines one TargetType, plus one line in
// targets/registry.cc. A target is data: parsing yields a Decision that the chain walk acts on, so
// there is nothing to call per packet.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "nat/nat_action.h"
#include "packet/verdict.h"
#include "rules/match.h"

namespace rampart {

// What the walk does next. Continue is also what a rule without a target does.
enum class Step : uint8_t {
    Continue,
    Accept,
    Drop,
    Reject,
    Return,
    Jump,
    Goto,
    Notrack,
    Translate,
};

struct Decision {
    Step step = Step::Continue;
    RejectWith reject_with = RejectWith::None;
    uint16_t chain = 0;                         // of Jump and Goto: index into Ruleset::chains
    std::shared_ptr<const NatAction> nat = {};  // of Translate, never null then

    // Of the filter: the walk ends with it.
    bool is_verdict() const noexcept {
        return step == Step::Accept || step == Step::Drop || step == Step::Reject;
    }
    bool operator==(const Decision& other) const noexcept {
        const bool is_same_nat =
            nat == nullptr || other.nat == nullptr ? nat == other.nat : *nat == *other.nat;
        return step == other.step && reject_with == other.reject_with && chain == other.chain &&
               is_same_nat;
    }
};

struct TargetType {
    // `action: NAME`, or when `own_key` is set the key itself (`jump: CHAIN`).
    std::string_view name;
    bool own_key;
    HookMask hooks;
    // The further keys of the rule that belong to this target (`reject_with`).
    std::span<const std::string_view> options;
    // `rule` is the whole rule; false when something was reported.
    bool (*parse)(const Value& rule, ParseContext& context, Decision& decision);
    // As in the file: "action: reject, reject_with: tcp-reset".
    std::string (*print)(const Decision& decision, const Names& names);
    // The short form of listings: "ACCEPT", "reject-with tcp-reset", a chain's name.
    std::string (*print_short)(const Decision& decision, const Names& names);
    Help help;
};

std::span<const TargetType* const> target_types() noexcept;
// By name of an action ("drop") or by own key ("jump").
const TargetType* find_action(std::string_view name) noexcept;
const TargetType* find_target_key(std::string_view key) noexcept;
// The type that prints this decision; null for a plain Continue.
const TargetType* target_of(const Decision& decision) noexcept;

}  // namespace rampart
