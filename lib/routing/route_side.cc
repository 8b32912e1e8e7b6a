#include "routing/route_side.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>

#include "base/endian.h"

namespace rampart {
namespace {

uint32_t host_order(const AddressBytes& address) noexcept {
    be32 wire;
    std::memcpy(&wire, address.data(), sizeof wire);
    return wire.host();
}

Route route_of(RouteKind kind, const Routing::Hop& hop) noexcept {
    Route route;
    route.kind = kind;
    route.interface = hop.interface;
    if (kind != RouteKind::OnLink || hop.family == Family::None) return route;
    route.kind = RouteKind::Gateway;
    route.next_hop_family = hop.family;
    route.next_hop = hop.gateway;
    return route;
}

unsigned common_bits(const AddressBytes& a, const AddressBytes& b) noexcept {
    for (size_t i = 0; i < a.size(); ++i) {
        const uint8_t difference = a[i] ^ b[i];
        if (difference != 0)
            return static_cast<unsigned>(i * 8) +
                   static_cast<unsigned>(std::countl_zero(difference));
    }
    return 128;
}

}  // namespace

Result<std::unique_ptr<RouteSide>> RouteSide::create(const Routing::Options& options,
                                                     const std::string& name) {
    std::unique_ptr<RouteSide> side(new RouteSide(options));
    side->groups_[kNoRouteGroup] = {};

    rte_fib_conf conf4{};
    conf4.type = options.compact ? RTE_FIB_DUMMY : RTE_FIB_DIR24_8;
    conf4.default_nh = kNoRouteGroup;
    conf4.max_routes = static_cast<int>(options.max_routes4);
    if (!options.compact) {
        conf4.dir24_8.nh_sz =
            options.max_groups <= kLargestIn2Bytes ? RTE_FIB_DIR24_8_2B : RTE_FIB_DIR24_8_4B;
        conf4.dir24_8.num_tbl8 = tbl8_count(options.max_routes4);
    }
    side->fib4_ = rte_fib_create((name + "-4").c_str(), options.numa_node, &conf4);

    rte_fib6_conf conf6{};
    conf6.type = options.compact ? RTE_FIB6_DUMMY : RTE_FIB6_TRIE;
    conf6.default_nh = kNoRouteGroup;
    conf6.max_routes = static_cast<int>(options.max_routes6);
    if (!options.compact) {
        conf6.trie.nh_sz =
            options.max_groups <= kLargestIn2Bytes ? RTE_FIB6_TRIE_2B : RTE_FIB6_TRIE_4B;
        conf6.trie.num_tbl8 = tbl8_count(options.max_routes6 * 2);
    }
    side->fib6_ = rte_fib6_create((name + "-6").c_str(), options.numa_node, &conf6);
    if (side->fib4_ == nullptr || side->fib6_ == nullptr)
        return failure("no memory for the routes (" +
                           std::to_string(Routing::bytes_for(options) >> 20) +
                           " MiB): " + rte_strerror(rte_errno),
                       "raise memory.size");
    return side;
}

RouteSide::~RouteSide() {
    rte_fib_free(fib4_);
    rte_fib6_free(fib6_);
}

Route RouteSide::find(Family family, const AddressBytes& destination,
                      uint32_t flow_hash) const noexcept {
    uint64_t id = kNoRouteGroup;
    if (family == Family::Ipv4) {
        uint32_t address = host_order(destination);
        rte_fib_lookup_bulk(fib4_, &address, &id, 1);
    } else {
        uint8_t address[1][RTE_FIB6_IPV6_ADDR_SIZE];
        std::memcpy(address[0], destination.data(), sizeof address[0]);
        rte_fib6_lookup_bulk(fib6_, address, &id, 1);
    }
    const Group& group = groups_[id];
    if (group.count == 1) [[likely]]
        return group.first;
    const Choice* choice = group.choices;
    while (choice->last_hash < flow_hash)
        ++choice;
    return choice->route;
}

bool RouteSide::source_address(InterfaceIndex index, Family family, const AddressBytes& peer,
                               AddressBytes& source) const noexcept {
    const InterfaceAddress* best = nullptr;
    unsigned best_bits = 0;
    for (const InterfaceAddress& address : interface(index).addresses) {
        if (address.address.family != family) continue;
        const unsigned bits = common_bits(address.address.bytes, peer);
        if (bits >= address.prefix_length) {
            source = address.address.bytes;
            return true;
        }
        if (address.is_link_scope) continue;
        if (best != nullptr && (family == Family::Ipv4 || bits <= best_bits)) continue;
        best = &address;
        best_bits = bits;
    }
    // A port without an address speaks with one of another interface; those of `lo` go first.
    for (size_t i = 0; best == nullptr && i <= kMaxInterfaces; ++i) {
        const RoutedInterface& other = interfaces_[(i + kMaxInterfaces) % (kMaxInterfaces + 1)];
        for (const InterfaceAddress& address : other.addresses) {
            if (address.address.family != family || address.is_link_scope) continue;
            best = &address;
            break;
        }
    }
    if (best == nullptr) return false;
    source = best->address.bytes;
    return true;
}

void RouteSide::set_interface(InterfaceIndex index, const RoutedInterface& interface) {
    interfaces_[index < kMaxInterfaces ? index : kMaxInterfaces] = interface;
}

void RouteSide::set_group(GroupId id, const GroupContents& contents) {
    Group& group = groups_[id];
    group = Group{};
    group.first.kind = contents.kind;
    group.first.is_broadcast = contents.is_broadcast;
    choices_.erase(id);
    if (contents.hops.empty()) return;
    const bool is_any_up =
        std::any_of(contents.hops.begin(), contents.hops.end(),
                    [&](const auto& hop) { return interface(hop.interface).is_up; });
    std::vector<Choice> choices;
    uint64_t total = 0;
    for (const Routing::Hop& hop : contents.hops) {
        if (is_any_up && !interface(hop.interface).is_up) continue;
        total += std::max(hop.weight, 1u);
    }
    uint64_t sum = 0;
    for (const Routing::Hop& hop : contents.hops) {
        if (is_any_up && !interface(hop.interface).is_up) continue;
        sum += std::max(hop.weight, 1u);
        choices.push_back(
            {static_cast<uint32_t>((sum << 32) / total - 1), route_of(contents.kind, hop)});
    }
    group.first = choices[0].route;
    group.first.is_broadcast = contents.is_broadcast;  // which has one hop at most
    group.count = static_cast<uint32_t>(choices.size());
    if (choices.size() == 1) return;
    group.choices = (choices_[id] = std::move(choices)).data();
}

bool RouteSide::set_route(const IpPrefix& prefix, GroupId group) noexcept {
    const auto depth = static_cast<uint8_t>(prefix.length);
    const AddressBytes& address = prefix.address.bytes;
    if (prefix.address.family == Family::Ipv4)
        return rte_fib_add(fib4_, host_order(address), depth, group) == 0;
    return rte_fib6_add(fib6_, address.data(), depth, group) == 0;
}

void RouteSide::remove_route(const IpPrefix& prefix) noexcept {
    const auto depth = static_cast<uint8_t>(prefix.length);
    const AddressBytes& address = prefix.address.bytes;
    if (prefix.address.family == Family::Ipv4)
        rte_fib_delete(fib4_, host_order(address), depth);
    else
        rte_fib6_delete(fib6_, address.data(), depth);
}

}  // namespace rampart
