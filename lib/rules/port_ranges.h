// PortRanges: the value of `sport` and `dport` as sorted ranges.
//
// Only protocols with ports (rules/protocols.h) can match: the tuple of any other keeps zeros or an
// ICMP identifier in the same place. Parsed by the loader, immutable; contains() is on the packet
// path.
#pragma once

#include <vector>

#include "base/scalar.h"
#include "rules/match.h"
#include "rules/protocols.h"

namespace rampart {

struct PortRanges {
    std::vector<PortRange> merged;   // sorted, disjoint
    std::vector<PortRange> written;  // in the order of the file

    bool contains(uint16_t port) const noexcept {
        for (const PortRange& range : merged) {
            if (port <= range.last) return port >= range.first;
        }
        return false;
    }
};

Arguments parse_port_ranges(const Value& value, ParseContext& context);
std::string print_port_ranges(const Arguments& arguments, const Names& names);

struct Projection;
template <typename T>
class Intervals;
// Narrows `ports`, a field of `projection`.
void project_port_ranges(const Arguments& arguments, bool negated, Projection& projection,
                         Intervals<uint16_t>& ports);

inline bool evaluate_port_ranges(const Arguments& arguments, uint8_t protocol, be16 port) noexcept {
    return has_ports(protocol) && arguments.as<PortRanges>().contains(port.host());
}

}  // namespace rampart
