// RouteSide: one of the two copies of the routes, and of what interfaces are, that Routing holds.
//
// A destination is looked up in DPDK's FIB (DIR24_8 for IPv4, a trie for IPv6), which answers with
// the number of a group: a kind and its hops. Group 0 is NoRoute, the answer where no route is.
//
//   destination -> FIB -> group -> hop, by the hash of the flow -> Route
//
// Workers read the side that is published; the mirror's thread changes the other one. Nothing here
// is atomic: Routing sees to it that nobody reads a side while it changes.
// Source of the choice among hops: RFC 2992 (hash-threshold), as Linux does it.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "routing/routing.h"

struct rte_fib;
struct rte_fib6;

namespace rampart {

// What one group of hops is; `hops` is empty for kinds that need none.
struct GroupContents {
    RouteKind kind = RouteKind::NoRoute;
    std::vector<Routing::Hop> hops;
    bool is_broadcast = false;
    auto operator<=>(const GroupContents&) const = default;
};

// An interface as workers ask for it.
struct RoutedInterface {
    std::vector<MacAddress> macs;  // the first is its own
    std::vector<InterfaceAddress> addresses;
    uint16_t mtu = 1500;
    bool is_up = false;
    bool operator==(const RoutedInterface&) const = default;
};

class RouteSide {
  public:
    using GroupId = uint32_t;
    static constexpr GroupId kNoRouteGroup = 0;

    // `name` is unique in the process and has at most 16 characters.
    static Result<std::unique_ptr<RouteSide>> create(const Routing::Options& options,
                                                     const std::string& name);
    static uint64_t bytes_for(const Routing::Options& options) noexcept;
    // Blocks for prefixes longer than 24 bits: of IPv4 one per /24 that has some, of IPv6 one per
    // eight bits of every branch.
    static uint32_t tbl8_count(uint32_t routes) noexcept;
    static constexpr uint32_t kLargestIn2Bytes = 32767;  // one bit of a next hop is the FIB's own
    ~RouteSide();
    RouteSide(const RouteSide&) = delete;
    RouteSide& operator=(const RouteSide&) = delete;

    // --- workers ---
    Route find(Family family, const AddressBytes& destination, uint32_t flow_hash) const noexcept;
    bool source_address(InterfaceIndex interface, Family family, const AddressBytes& peer,
                        AddressBytes& source) const noexcept;
    // One that does not exist is down and has no address.
    const RoutedInterface& interface(InterfaceIndex index) const noexcept {
        return interfaces_[index < kMaxInterfaces ? index : kMaxInterfaces];
    }

    // --- the mirror's thread, while no worker reads this side ---
    void set_interface(InterfaceIndex index, const RoutedInterface& interface);
    // After the interfaces: which hops are chosen depends on their links.
    void set_group(GroupId id, const GroupContents& contents);
    // False: the tables are full, and the prefix has no route of its own.
    bool set_route(const IpPrefix& prefix, GroupId group) noexcept;
    void remove_route(const IpPrefix& prefix) noexcept;

  private:
    struct Choice {
        uint32_t last_hash = 0;  // of its share; ascending
        Route route;
    };
    struct alignas(64) Group {
        Route first;
        uint32_t count = 1;
        const Choice* choices = nullptr;  // if there are several
    };

    explicit RouteSide(const Routing::Options& options) : groups_(options.max_groups + 1) {}

    rte_fib* fib4_ = nullptr;
    rte_fib6* fib6_ = nullptr;
    std::vector<Group> groups_;
    std::unordered_map<GroupId, std::vector<Choice>> choices_;
    // The last one stands for kNoInterface: addresses on no port.
    std::array<RoutedInterface, kMaxInterfaces + 1> interfaces_;
};

}  // namespace rampart
