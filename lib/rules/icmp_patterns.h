// IcmpPatterns: the value of `icmp` and `icmpv6`, types and codes of ICMP messages.
//
// Both keys share the parser and differ in their table of names. A pattern covers a run of types
// and one code or all. Parsed by the loader, immutable; matches() is on the packet path.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/match.h"

namespace rampart {

struct IcmpPattern {
    static constexpr int16_t kAnyCode = -1;

    uint8_t first_type = 0;
    uint8_t last_type = 0;
    int16_t code = kAnyCode;
    // The packet must not have crossed a router (RFC 4861, 11.2).
    bool hop_limit_255 = false;

    bool operator==(const IcmpPattern&) const = default;
};

struct IcmpName {
    std::string_view name;
    IcmpPattern pattern;
};

struct IcmpPatterns {
    std::vector<IcmpPattern> patterns;
    std::vector<std::string> written;

    bool matches(uint8_t type, uint8_t code, uint8_t hop_limit) const noexcept {
        for (const IcmpPattern& pattern : patterns) {
            if (type >= pattern.first_type && type <= pattern.last_type &&
                (pattern.code == IcmpPattern::kAnyCode || pattern.code == code) &&
                (!pattern.hop_limit_255 || hop_limit == 255)) {
                return true;
            }
        }
        return false;
    }
};

// `protocol` is the one the rule must name, `names` the known messages.
Arguments parse_icmp_patterns(const Value& value, uint8_t protocol, std::span<const IcmpName> names,
                              ParseContext& context);
struct Projection;
// Negated patterns narrow nothing.
void project_icmp_patterns(const Arguments& arguments, bool negated, uint8_t protocol,
                           Projection& projection);
std::string print_icmp_patterns(const Arguments& arguments, const Names& names);

}  // namespace rampart
