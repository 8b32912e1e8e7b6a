// What the kernel tells over rtnetlink, as values: links, addresses, routes, next hops, neighbours.
//
// The functions read one message and return nothing for those that are of no concern or broken.
// Pure; any thread. Source: rtnetlink(7), linux/rtnetlink.h, linux/neighbour.h, linux/nexthop.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/mac_address.h"

struct nlmsghdr;

namespace rampart {

// The kernel's number of an interface; 0: none.
using KernelIndex = int;

struct KernelLink {
    KernelIndex index = 0;
    KernelIndex parent = 0;  // what it stands on
    std::string name;
    std::string kind;  // "vlan", "macvlan", "tun"; empty: a device
    MacAddress mac{};
    uint16_t mtu = 0;
    bool is_up = false;        // by configuration
    bool has_carrier = false;  // and the other end answers
    bool operator==(const KernelLink&) const = default;
};

struct KernelAddress {
    KernelIndex link = 0;
    IpAddress address;
    unsigned prefix_length = 0;
    bool is_link_scope = false;  // or of narrower scope
    bool is_usable = false;      // not tentative, and nobody else has it
    bool is_deprecated = false;
};

struct KernelHop {
    KernelIndex link = 0;
    Family family = Family::None;  // of the gateway; None: on link
    AddressBytes gateway{};
    unsigned weight = 1;
    bool is_dead = false;  // the kernel does not use it
    // Whether two hops are the same; what state they are in does not matter.
    bool operator==(const KernelHop& other) const {
        return link == other.link && family == other.family && gateway == other.gateway &&
               weight == other.weight;
    }
};

struct KernelRoute {
    IpPrefix prefix;
    uint32_t table = 0;
    uint8_t type = 0;  // RTN_...
    uint8_t tos = 0;
    uint32_t metric = 0;
    uint32_t next_hop_id = 0;  // a next hop object; 0: `hops`
    std::vector<KernelHop> hops;
    bool is_encapsulated = false;  // in MPLS and the like, which is not done here
};

struct KernelNextHop {
    uint32_t id = 0;
    bool is_blackhole = false;
    KernelHop hop;
    struct Member {
        uint32_t id = 0;
        unsigned weight = 1;
    };
    std::vector<Member> members;  // of a group
};

struct KernelNeighbour {
    KernelIndex link = 0;
    IpAddress address;
    MacAddress mac{};
    uint16_t state = 0;  // NUD_...
};

std::optional<KernelLink> read_link(const nlmsghdr* message);
std::optional<KernelAddress> read_address(const nlmsghdr* message);
std::optional<KernelRoute> read_route(const nlmsghdr* message);
std::optional<KernelNextHop> read_next_hop(const nlmsghdr* message);
std::optional<KernelNeighbour> read_neighbour(const nlmsghdr* message);

}  // namespace rampart
