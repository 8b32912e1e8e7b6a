#include "rules/match.h"

#include "rules/sets/set_use.h"
#include "rules/target.h"

namespace rampart {

std::string_view to_string(Hook hook) noexcept {
    switch (hook) {
        case Hook::Raw:
            return "raw";
        case Hook::Input:
            return "input";
        case Hook::Forward:
            return "forward";
        case Hook::Output:
            return "output";
        case Hook::Prerouting:
            return "nat.prerouting";
        case Hook::Postrouting:
            return "nat.postrouting";
        case Hook::None:
            break;
    }
    return "none";
}

bool Match::is_constant() const noexcept {
    if (type->dependence == Dependence::Packet) return false;
    return type->sets == nullptr || !type->sets(arguments)->depend_on_packet();
}

bool Match::counts_in_sets() const noexcept {
    return type->sets != nullptr && !negated && type->sets(arguments)->any_counted();
}

const MatchType* find_match_type(std::string_view key) noexcept {
    for (const MatchType* type : match_types()) {
        if (type->key == key) return type;
    }
    return nullptr;
}

const TargetType* find_action(std::string_view name) noexcept {
    for (const TargetType* type : target_types()) {
        if (!type->own_key && type->name == name) return type;
    }
    return nullptr;
}

const TargetType* find_target_key(std::string_view key) noexcept {
    for (const TargetType* type : target_types()) {
        if (type->own_key && type->name == key) return type;
    }
    return nullptr;
}

}  // namespace rampart
