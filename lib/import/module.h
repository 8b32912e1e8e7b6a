// Module: a match or a target of iptables, its options, and what they mean in the language.
//
// modules/ has one file per group of them; modules/registry.cc lists all. A module without
// `translate` is one that Rampart has no counterpart for: `refusal` says why. The options in front
// of any module (-s, -d, -i, -o, -p, -f) are a module of their own, kRuleOptions.
// Constant, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "import/rule_draft.h"

namespace rampart {

struct OptionType {
    std::string_view name;   // as iptables-save writes it: "--dport"
    std::string_view alias;  // "--destination-port", or empty
    uint8_t words;           // that follow it
    bool may_be_negated;
};

struct OptionUse {
    const OptionType* type;
    bool negated;
    std::vector<std::string> words;
    const std::string& word() const { return words.front(); }
};

struct Module;

// One `-m NAME` or `-j NAME` of a rule with the options that followed.
struct ModuleUse {
    const Module* module;
    std::vector<OptionUse> options;

    const OptionUse* find(std::string_view name) const noexcept;
    bool has(std::string_view name) const noexcept { return find(name) != nullptr; }
    // The first word of an option, or `otherwise` when it is absent.
    std::string_view word(std::string_view name, std::string_view otherwise = {}) const noexcept;
};

struct Module {
    std::string_view name;
    std::span<const OptionType> options;
    void (*translate)(const ModuleUse& use, RuleDraft& draft);
    std::string_view refusal;

    const OptionType* find_option(std::string_view word) const noexcept;
};

extern const Module kRuleOptions;
const Module* find_match_module(std::string_view name) noexcept;
const Module* find_target_module(std::string_view name) noexcept;
// The module that `-p tcp` loads by itself; null for protocols without one.
const Module* find_protocol_module(std::string_view protocol) noexcept;

}  // namespace rampart
