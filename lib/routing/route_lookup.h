// RouteLookup: the one question that rules ask of the routes, and its answer.
//
// Apart from routing.h because rules are also read and checked where there is no DPDK, and because
// tests answer it from a list. Routing is final: whoever has one calls it directly. Workers.
#pragma once

#include <cstdint>

#include "base/interface_index.h"
#include "base/ip_address.h"

namespace rampart {

enum class RouteKind : uint8_t {
    NoRoute,      // answered with: net unreachable
    Local,        // to the box itself: its addresses, broadcast and multicast
    OnLink,       // the destination is a neighbour
    Gateway,      // `next_hop` is a neighbour
    Blackhole,    // dropped in silence
    Unreachable,  // answered with: host unreachable
    Prohibit,     // answered with: administratively prohibited
};

struct Route {
    RouteKind kind = RouteKind::NoRoute;
    InterfaceIndex interface = kNoInterface;  // of OnLink, Gateway, and Local where known
    Family next_hop_family = Family::None;    // of Gateway; IPv6 also for IPv4 routes (RFC 8950)
    bool is_broadcast = false;                // of Local: a network's broadcast address
    AddressBytes next_hop{};                  // of Gateway
};

class RouteLookup {
  public:
    RouteLookup() = default;
    RouteLookup(const RouteLookup&) = delete;
    RouteLookup& operator=(const RouteLookup&) = delete;
    virtual ~RouteLookup() = default;

    // `flow_hash` chooses among the hops of a route that has several.
    virtual Route find(Family family, const AddressBytes& destination,
                       uint32_t flow_hash) const noexcept = 0;
};

}  // namespace rampart
