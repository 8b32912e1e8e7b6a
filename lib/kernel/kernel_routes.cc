#include "kernel/kernel_routes.h"

#include <algorithm>
#include <linux/rtnetlink.h>

namespace rampart {
namespace {

constexpr unsigned kMostNesting = 2;  // groups of next hops have no groups in them

// The order in which the kernel's usual rules look into the tables.
int rank_of(uint32_t table) {
    return table == RT_TABLE_LOCAL ? 0 : table == RT_TABLE_MAIN ? 1 : 2;
}

bool is_followed(const KernelRoute& route) {
    return route.table == RT_TABLE_LOCAL || route.table == RT_TABLE_MAIN ||
           route.table == RT_TABLE_DEFAULT;
}

// Groups of hosts, and what stays on its link and is the same prefix on each.
bool is_of_no_use(const IpPrefix& prefix) {
    const AddressBytes& address = prefix.address.bytes;
    if (prefix.address.family == Family::Ipv4) return prefix.length >= 4 && address[0] >> 4 == 0xe;
    if (prefix.length >= 8 && address[0] == 0xff) return true;
    return prefix.length >= 10 && prefix.length < 128 && address[0] == 0xfe &&
           (address[1] & 0xc0) == 0x80;
}

bool has_same_place(const KernelRoute& a, const KernelRoute& b) {
    return a.table == b.table && a.tos == b.tos && a.metric == b.metric;
}

bool is_same(const KernelRoute& a, const KernelRoute& b) {
    return has_same_place(a, b) && a.type == b.type && a.next_hop_id == b.next_hop_id &&
           a.hops == b.hops;
}

bool has_hop(const KernelRoute& route, const KernelHop& wanted) {
    return std::any_of(route.hops.begin(), route.hops.end(), [&](const KernelHop& hop) {
        return hop.link == wanted.link && hop.family == wanted.family &&
               hop.gateway == wanted.gateway;
    });
}

bool comes_first(const KernelRoute& a, const KernelRoute& b) {
    const int rank_a = rank_of(a.table), rank_b = rank_of(b.table);
    return rank_a != rank_b ? rank_a < rank_b : a.metric < b.metric;
}

}  // namespace

void KernelRoutes::add(KernelRoute route, uint16_t flags) {
    if (is_of_no_use(route.prefix) || route.type == RTN_MULTICAST) return;
    if (!is_followed(route) || route.tos != 0) {
        ++ignored_;
        return;
    }
    changed_.insert(route.prefix);
    Routes& routes = routes_[route.prefix];
    if (route.prefix.address.family == Family::Ipv4)
        add4(routes, std::move(route), flags);
    else
        add6(routes, std::move(route), flags);
}

// As fib_table_insert(): there may be several of one metric, and the first is used.
void KernelRoutes::add4(Routes& routes, KernelRoute route, uint16_t flags) {
    const auto same = std::find_if(routes.begin(), routes.end(),
                                   [&](const KernelRoute& other) { return is_same(other, route); });
    const auto first = std::find_if(routes.begin(), routes.end(), [&](const KernelRoute& other) {
        return has_same_place(other, route);
    });
    if ((flags & NLM_F_REPLACE) != 0 && first != routes.end()) {
        *first = std::move(route);
    } else if (same != routes.end()) {
        *same = std::move(route);  // the state of its hops may be another
    } else if ((flags & NLM_F_APPEND) != 0 || first == routes.end()) {
        routes.push_back(std::move(route));
    } else {
        routes.insert(first, std::move(route));
    }
}

// Routes with gateways and of one metric are one route with several hops; each message tells of all
// hops. Others of the same metric stand behind each other.
void KernelRoutes::add6(Routes& routes, KernelRoute route, uint16_t flags) {
    const auto is_part = [&](const KernelRoute& other) {
        return has_same_place(other, route) && other.type == route.type &&
               other.next_hop_id == route.next_hop_id &&
               std::all_of(other.hops.begin(), other.hops.end(),
                           [&](const KernelHop& hop) { return has_hop(route, hop); });
    };
    const auto is_replaced = [&](const KernelRoute& other) {
        return has_same_place(other, route) && (flags & NLM_F_REPLACE) != 0;
    };
    auto place = routes.size();
    for (size_t i = 0; i < routes.size();) {
        if (!is_replaced(routes[i]) && !is_part(routes[i])) {
            ++i;
            continue;
        }
        place = std::min(place, i);
        routes.erase(routes.begin() + static_cast<ptrdiff_t>(i));
    }
    routes.insert(routes.begin() + static_cast<ptrdiff_t>(std::min(place, routes.size())),
                  std::move(route));
}

void KernelRoutes::remove(const KernelRoute& route) {
    const auto found = routes_.find(route.prefix);
    if (found == routes_.end()) return;
    changed_.insert(route.prefix);
    Routes& routes = found->second;
    if (route.prefix.address.family == Family::Ipv6) {
        remove6(routes, route);
    } else {
        auto gone = std::find_if(routes.begin(), routes.end(),
                                 [&](const KernelRoute& other) { return is_same(other, route); });
        if (gone == routes.end())
            gone = std::find_if(routes.begin(), routes.end(), [&](const KernelRoute& other) {
                return has_same_place(other, route);
            });
        if (gone != routes.end()) routes.erase(gone);
    }
    if (routes.empty()) routes_.erase(found);
}

// A message tells of the hops that go; what remains stays.
void KernelRoutes::remove6(Routes& routes, const KernelRoute& route) {
    for (auto at = routes.begin(); at != routes.end();) {
        const bool is_meant = has_same_place(*at, route) && at->type == route.type &&
                              at->next_hop_id == route.next_hop_id;
        const size_t before = at->hops.size();
        if (is_meant)
            std::erase_if(at->hops, [&](const KernelHop& hop) { return has_hop(route, hop); });
        if (is_meant && at->hops.empty() && (before > 0 || route.hops.empty()))
            at = routes.erase(at);
        else
            ++at;
    }
}

void KernelRoutes::set_next_hop(KernelNextHop next_hop) {
    const uint32_t id = next_hop.id;
    next_hops_.insert_or_assign(id, std::move(next_hop));
    for (const auto& [prefix, routes] : routes_) {
        if (std::any_of(routes.begin(), routes.end(),
                        [](const KernelRoute& route) { return route.next_hop_id != 0; }))
            changed_.insert(prefix);
    }
}

void KernelRoutes::remove_next_hop(uint32_t id) {
    next_hops_.erase(id);
    for (const auto& [prefix, routes] : routes_) {
        if (std::any_of(routes.begin(), routes.end(),
                        [](const KernelRoute& route) { return route.next_hop_id != 0; }))
            changed_.insert(prefix);
    }
}

void KernelRoutes::clear(Family family) {
    for (auto at = routes_.begin(); at != routes_.end();) {
        if (at->first.address.family != family) {
            ++at;
            continue;
        }
        changed_.insert(at->first);
        at = routes_.erase(at);
    }
}

void KernelRoutes::clear_next_hops() {
    next_hops_.clear();
}

void KernelRoutes::mark_all() {
    for (const auto& [prefix, routes] : routes_)
        changed_.insert(prefix);
}

void KernelRoutes::resolve(uint32_t next_hop, unsigned depth, std::vector<KernelHop>& hops,
                           bool& is_blackhole) const {
    const auto found = next_hops_.find(next_hop);
    if (found == next_hops_.end() || depth == kMostNesting) return;
    is_blackhole |= found->second.is_blackhole;
    if (found->second.members.empty() && !found->second.is_blackhole)
        hops.push_back(found->second.hop);
    for (const KernelNextHop::Member& member : found->second.members) {
        const size_t first = hops.size();
        resolve(member.id, depth + 1, hops, is_blackhole);
        for (size_t i = first; i < hops.size(); ++i)
            hops[i].weight = member.weight;
    }
}

bool KernelRoutes::translate(const KernelRoute& route, const FindInterface& find_interface,
                             Routing::RouteEntry& entry) const {
    entry.prefix = route.prefix;
    entry.metric = route.metric;
    entry.is_broadcast = route.type == RTN_BROADCAST;
    entry.hops.clear();
    std::vector<KernelHop> hops = route.hops;
    bool is_blackhole = route.type == RTN_BLACKHOLE;
    if (route.next_hop_id != 0 && next_hops_.contains(route.next_hop_id)) {
        hops.clear();
        resolve(route.next_hop_id, 0, hops, is_blackhole);
    }
    if (is_blackhole) {
        entry.kind = RouteKind::Blackhole;
        return true;
    }
    switch (route.type) {
        case RTN_UNICAST:
            entry.kind = RouteKind::OnLink;
            break;
        case RTN_LOCAL:
        case RTN_BROADCAST:
        case RTN_ANYCAST:
            entry.kind = RouteKind::Local;
            break;
        case RTN_PROHIBIT:
            entry.kind = RouteKind::Prohibit;
            return true;
        case RTN_THROW:
            entry.kind = RouteKind::NoRoute;
            return true;
        default:
            entry.kind = RouteKind::Unreachable;
            return true;
    }
    bool is_any_alive = hops.empty() && route.next_hop_id == 0;
    for (const KernelHop& hop : hops) {
        if (hop.is_dead) continue;
        is_any_alive = true;
        const InterfaceIndex interface = find_interface(hop.link);
        if (interface == kNoInterface || route.is_encapsulated) continue;
        entry.hops.push_back({interface, hop.family, hop.gateway, hop.weight});
    }
    // The kernel tells of IPv6's hops in any order; flows shall stay with theirs.
    if (route.prefix.address.family == Family::Ipv6)
        std::sort(entry.hops.begin(), entry.hops.end());
    if (entry.kind == RouteKind::OnLink && entry.hops.empty()) entry.kind = RouteKind::Unreachable;
    return is_any_alive;
}

void KernelRoutes::flush(const FindInterface& find_interface, Routing& routing) {
    for (const IpPrefix& prefix : changed_) {
        const auto found = routes_.find(prefix);
        Routes candidates = found == routes_.end() ? Routes{} : found->second;
        std::stable_sort(candidates.begin(), candidates.end(), comes_first);
        Routing::RouteEntry entry;
        const bool is_there = std::any_of(
            candidates.begin(), candidates.end(),
            [&](const KernelRoute& route) { return translate(route, find_interface, entry); });
        const auto given = given_.find(prefix);
        if (given != given_.end() && (!is_there || given->second.metric != entry.metric))
            routing.remove(given->second);
        if (is_there) {
            routing.add(entry);
            given_.insert_or_assign(prefix, entry);
        } else if (given != given_.end()) {
            given_.erase(given);
        }
    }
    changed_.clear();
}

}  // namespace rampart
