// Projection: what a rule's constant matches leave of each field that the classifier looks at.
//
// Begins with everything; each match that has a `project` function narrows it. The result holds at
// least every packet that the rule can match, exactly or wider: the classifier only uses it to skip
// rules that cannot match, and the walk evaluates all matches of those that are left. Only matches
// that are constant for a flow, direction and state may project (Dependence::Flow): a rule that is
// skipped must not have anything to say about whether the verdict may be cached.
// Control thread, while a Ruleset is compiled.
#pragma once

#include <bitset>
#include <cstdint>

#include "conntrack/ct_class.h"
#include "rules/classifier/intervals.h"
#include "rules/interface.h"
#include "rules/match.h"

namespace rampart {

struct Rule;

// Class and direction, as one of ten.
inline constexpr unsigned kCtStateCount = kCtClassCount * 2;
constexpr unsigned ct_state(CtClass ct_class, Direction direction) noexcept {
    return static_cast<unsigned>(ct_class) * 2 + static_cast<unsigned>(direction);
}

struct Projection {
    FamilyMask families = kBothFamilies;
    std::bitset<256> protocols = std::bitset<256>().set();
    InterfacePresence in = InterfacePresence().set();
    InterfacePresence out = InterfacePresence().set();
    std::bitset<kCtStateCount> ct = std::bitset<kCtStateCount>().set();
    Intervals<uint32_t> src4, dst4;  // host order; of IPv4 packets
    Intervals<Address6> src6, dst6;  // of IPv6 packets
    // The tuple's port words in host order, whatever they hold: of ICMP, the identifier and
    // type << 8 | code.
    Intervals<uint16_t> src_port, dst_port;
    // The rule matches exactly what `ct` has: class and direction are all that it looks at.
    bool is_by_state = true;
};

// What all matches of `rule` leave.
Projection project(const Rule& rule);
// The match looks at the packet, its tuple, ports, class and direction, and at nothing else.
bool looks_at_key_only(const Match& match) noexcept;

}  // namespace rampart
