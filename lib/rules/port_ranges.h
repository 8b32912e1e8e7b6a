// PortRanges: the value of `sport` and `dport` as sorted ranges.
//
// Only protocols with ports (packet/ip_protocol.h) can match: the tuple of any other keeps zeros or
// an ICMP identifier in the same place. Parsed by the loader, immutable; contains() is on the
// packet path.
#pragma once

#include <vector>

#include "base/scalar.h"
#include "packet/ip_protocol.h"
#include "rules/match.h"
#include "rules/protocols.h"
#include "rules/sets/set_use.h"

namespace rampart {

struct PortRanges {
    std::vector<PortRange> merged;   // sorted, disjoint
    std::vector<PortRange> written;  // in the order of the file
    SetUses sets;

    bool contains(uint16_t port) const noexcept {
        for (const PortRange& range : merged) {
            if (port <= range.last) return port >= range.first;
        }
        return false;
    }
};

// `field`: by what "@set" among the values is looked up.
Arguments parse_port_ranges(const Value& value, SetField field, ParseContext& context);
const SetUses* sets_of_port_ranges(const Arguments& arguments) noexcept;
std::string print_port_ranges(const Arguments& arguments, const Names& names);

struct Projection;
template <typename T>
class Intervals;
// Narrows `ports`, a field of `projection`.
void project_port_ranges(const Arguments& arguments, bool negated, Projection& projection,
                         Intervals<uint16_t>& ports);

inline bool evaluate_port_ranges(const Arguments& arguments, const RuleInput& input,
                                 be16 port) noexcept {
    const auto& ranges = arguments.as<PortRanges>();
    return has_ports(input.tuple.protocol) &&
           (ranges.contains(port.host()) || ranges.sets.holds(input));
}

}  // namespace rampart
