// NatValue: the value of a target that translates addresses: `snat`, `dnat` and their kin.
//
// A word ("192.0.2.1-192.0.2.9", "192.0.2.1:80") or a mapping ("{ to: ..., random: fully }"). Each
// target says which keys it takes; printing gives back what parses to the same action. Control
// thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "rules/match.h"
#include "rules/target.h"

namespace rampart {

namespace nat_key {
inline constexpr uint8_t kTo = 1,  // addresses, with ports where kToPorts is set
    kToPorts = 2,                  // "192.0.2.1:80"
    kToPrefix = 4,                 // of a network instead
    kPorts = 8, kRandom = 16, kPersistent = 32, kShift = 64, kChecksumNeutral = 128;
}

struct NatForm {
    std::string_view target;
    uint8_t keys = 0;             // nat_key
    bool needs_protocol = false;  // ports only where `proto` names one that has them
    std::string_view example = {};
};

// Reports what is wrong and is false then. `rule` is the whole rule.
bool parse_nat_value(const Value& rule, const NatForm& form, ParseContext& context,
                     NatAction& action);
// "192.0.2.1", or "{ to: 192.0.2.1, random: fully }".
std::string print_nat_value(const NatAction& action, const NatForm& form);
// "192.0.2.1-192.0.2.9:80-89", as iptables lists it; empty without addresses and ports.
std::string print_nat_range(const NatAction& action);
// "80-89"
std::string print_nat_ports(const NatAction& action);

Decision translate(const NatAction& action);

}  // namespace rampart
