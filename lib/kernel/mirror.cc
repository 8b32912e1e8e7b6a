#include "kernel/mirror.h"

#include <algorithm>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <tuple>

namespace rampart {
namespace {

constexpr int kDumpAttempts = 5;  // the tables may change meanwhile

bool stands_on(const KernelLink& link) {
    return link.kind == "macvlan" || link.kind == "macvtap";
}

}  // namespace

bool Mirror::NeighbourOrder::operator()(const NeighbourKey& a,
                                        const NeighbourKey& b) const noexcept {
    return std::tie(a.interface, a.family, a.address) < std::tie(b.interface, b.family, b.address);
}

Result<std::unique_ptr<Mirror>> Mirror::create(Routing& routing,
                                               const std::vector<KernelIndex>& links) {
    std::unique_ptr<Mirror> mirror(new Mirror(routing, links));
    // First the listener, so that no change falls between.
    auto listener = NetlinkSocket::listen({RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                           RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NEXTHOP,
                                           RTNLGRP_NEIGH, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE});
    if (!listener) return tl::unexpected(listener.error());
    auto asker = NetlinkSocket::open();
    if (!asker) return tl::unexpected(asker.error());
    mirror->listener_ = std::move(*listener);
    mirror->asker_ = std::move(*asker);
    mirror->dump_everything();
    mirror->work(0, [] {});
    return mirror;
}

bool Mirror::listen() {
    const auto heard = listener_->receive([&](const nlmsghdr* message) { hear(message); });
    if (heard == NetlinkSocket::Heard::Lost) {
        ++counters_.resynchronised;
        must_dump_everything_ = true;
    }
    return heard != NetlinkSocket::Heard::Nothing;
}

void Mirror::hear(const nlmsghdr* message) {
    switch (message->nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
            hear_link(message);
            break;
        case RTM_DELADDR:
            must_dump_routes4_ = true;  // those with this source address are gone, too
            [[fallthrough]];
        case RTM_NEWADDR:
            must_dump_addresses_ = true;
            break;
        case RTM_NEWROUTE:
        case RTM_DELROUTE:
            hear_route(message);
            break;
        case RTM_DELNEXTHOP:
            must_dump_routes4_ = true;  // its routes are gone
            must_dump_routes6_ = true;
            [[fallthrough]];
        case RTM_NEWNEXTHOP:
            must_dump_next_hops_ = true;
            break;
        case RTM_NEWNEIGH:
        case RTM_DELNEIGH:
            hear_neighbour(message);
            break;
        case RTM_NEWRULE:
        case RTM_DELRULE:
            check_rules();
            break;
        default:
            break;
    }
}

void Mirror::hear_link(const nlmsghdr* message) {
    const auto link = read_link(message);
    if (!link) return;
    const auto known = links_.find(link->index);
    if (message->nlmsg_type == RTM_NEWLINK && known != links_.end() && known->second == *link)
        return;
    const InterfaceIndex before = interface_of(link->index);
    if (message->nlmsg_type == RTM_DELLINK)
        links_.erase(link->index);
    else
        links_.insert_or_assign(link->index, *link);
    if (before == kNoInterface && interface_of(link->index) == kNoInterface) return;
    must_pass_on_links_ = true;
    must_dump_addresses_ = true;
    must_dump_routes4_ = true;
    routes_.mark_all();
}

void Mirror::hear_route(const nlmsghdr* message) {
    auto route = read_route(message);
    if (!route) return;
    if (message->nlmsg_type == RTM_NEWROUTE)
        routes_.add(std::move(*route), message->nlmsg_flags);
    else
        routes_.remove(*route);
}

void Mirror::dump_everything() {
    must_dump_everything_ = false;
    dump_links();
    dump_next_hops();
    dump_addresses();
    dump_routes(Family::Ipv4);
    dump_routes(Family::Ipv6);
    dump_neighbours();
    check_rules();
}

void Mirror::dump_links() {
    must_dump_links_ = false;
    for (int i = 0; i < kDumpAttempts; ++i) {
        links_.clear();
        if (asker_->dump(RTM_GETLINK, AF_UNSPEC, sizeof(ifinfomsg), [&](const nlmsghdr* message) {
                if (const auto link = read_link(message))
                    links_.insert_or_assign(link->index, *link);
            }))
            break;
    }
    routes_.mark_all();
    must_pass_on_links_ = true;
}

void Mirror::dump_addresses() {
    must_dump_addresses_ = false;
    for (int i = 0; i < kDumpAttempts; ++i) {
        addresses_.clear();
        if (asker_->dump(RTM_GETADDR, AF_UNSPEC, sizeof(ifaddrmsg), [&](const nlmsghdr* message) {
                const auto address = read_address(message);
                if (address && address->is_usable) addresses_.push_back(*address);
            }))
            break;
    }
    // What grows old is used last.
    std::stable_partition(addresses_.begin(), addresses_.end(),
                          [](const KernelAddress& address) { return !address.is_deprecated; });
    must_pass_on_links_ = true;
}

void Mirror::dump_routes(Family family) {
    (family == Family::Ipv4 ? must_dump_routes4_ : must_dump_routes6_) = false;
    const uint8_t kernel_family = family == Family::Ipv4 ? AF_INET : AF_INET6;
    for (int i = 0; i < kDumpAttempts; ++i) {
        routes_.clear(family);
        if (asker_->dump(RTM_GETROUTE, kernel_family, sizeof(rtmsg), [&](const nlmsghdr* message) {
                if (auto route = read_route(message)) routes_.add(std::move(*route), NLM_F_APPEND);
            }))
            break;
    }
}

void Mirror::dump_next_hops() {
    must_dump_next_hops_ = false;
    for (int i = 0; i < kDumpAttempts; ++i) {
        routes_.clear_next_hops();
        if (asker_->dump(RTM_GETNEXTHOP, AF_UNSPEC, sizeof(nhmsg), [&](const nlmsghdr* message) {
                if (auto next_hop = read_next_hop(message))
                    routes_.set_next_hop(std::move(*next_hop));
            }))
            break;
    }
    routes_.mark_all();
}

// Rules send packets to tables by where they come from and the like, which is not followed.
void Mirror::check_rules() {
    for (const uint8_t family : {uint8_t{AF_INET}, uint8_t{AF_INET6}}) {
        asker_->dump(RTM_GETRULE, family, sizeof(fib_rule_hdr), [&](const nlmsghdr* message) {
            if (mnl_nlmsg_get_payload_len(message) < sizeof(fib_rule_hdr)) return;
            const auto* rule = static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(message));
            const bool is_usual = rule->action == FR_ACT_TO_TBL &&
                                  (rule->table == RT_TABLE_LOCAL || rule->table == RT_TABLE_MAIN ||
                                   rule->table == RT_TABLE_DEFAULT);
            if (!is_usual)
                note(
                    "the kernel has routing rules (ip rule) for other tables than local, main and "
                    "default; packets that are forwarded do not follow them");
        });
    }
}

void Mirror::update() {
    if (must_dump_everything_) dump_everything();
    if (must_dump_links_) dump_links();
    if (must_dump_next_hops_) dump_next_hops();
    if (must_dump_addresses_) dump_addresses();
    if (must_dump_routes4_) dump_routes(Family::Ipv4);
    if (must_dump_routes6_) dump_routes(Family::Ipv6);
    if (must_pass_on_links_) pass_on_links();
}

void Mirror::work(uint64_t now_ns, const std::function<void()>& wait) {
    if (now_ns >= next_renewal_ns_) {
        renew_neighbours();
        next_renewal_ns_ = now_ns + kRenewPeriod_ns;
    }
    ask_for_neighbours();
    if (now_ns < next_apply_ns_) return;
    update();
    if (routes_.has_changes())
        routes_.flush([&](KernelIndex link) { return interface_of(link); }, routing_);
    const uint32_t epoch = routing_.epoch();
    routing_.apply(wait);
    if (routing_.epoch() == epoch) return;
    ++counters_.applied;
    next_apply_ns_ = now_ns + kApplyPeriod_ns;
    if (routing_.routes_left_out() > 0)
        note("the kernel has more routes than the tables hold; some are left out");
}

InterfaceIndex Mirror::interface_of(KernelIndex link) const {
    for (unsigned depth = 0; depth < 2 && link != 0; ++depth) {
        const auto own = std::find(own_links_.begin(), own_links_.end(), link);
        if (own != own_links_.end()) return static_cast<InterfaceIndex>(own - own_links_.begin());
        const auto found = links_.find(link);
        if (found == links_.end() || !stands_on(found->second)) return kNoInterface;
        link = found->second.parent;
    }
    return kNoInterface;
}

void Mirror::pass_on_links() {
    must_pass_on_links_ = false;
    std::vector<InterfaceAddress> elsewhere;
    std::vector<std::vector<InterfaceAddress>> addresses(own_links_.size());
    const auto pass_over = [&](bool is_own) {
        for (const KernelAddress& address : addresses_) {
            const InterfaceIndex index = interface_of(address.link);
            const InterfaceAddress value{address.address, address.prefix_length,
                                         address.is_link_scope};
            if (index != kNoInterface && (own_links_[index] == address.link) == is_own)
                addresses[index].push_back(value);
            const auto link = links_.find(address.link);
            const bool is_loopback = link != links_.end() && link->second.name == "lo";
            if (is_own && is_loopback && !address.is_link_scope) elsewhere.push_back(value);
        }
    };
    pass_over(true);   // those of an interface itself go before
    pass_over(false);  // those of macvlans on it
    for (size_t i = 0; i < own_links_.size(); ++i) {
        const auto index = static_cast<InterfaceIndex>(i);
        if (own_links_[i] == 0) continue;
        const auto own = links_.find(own_links_[i]);
        if (own == links_.end()) {
            routing_.set_link(index, false, 0, {});
            routing_.set_addresses(index, {});
            continue;
        }
        std::vector<MacAddress> macs{own->second.mac};
        for (const auto& [number, link] : links_) {
            if (number != own_links_[i] && link.is_up && interface_of(number) == index)
                macs.push_back(link.mac);
        }
        const bool is_up = own->second.is_up && own->second.has_carrier;
        routing_.set_link(index, is_up, own->second.mtu, macs);
        routing_.set_addresses(index, addresses[i]);
    }
    routing_.set_addresses(kNoInterface, elsewhere);
}

Mirror::Counters Mirror::counters() const noexcept {
    Counters counters = counters_;
    counters.ignored_routes = routes_.ignored();
    return counters;
}

void Mirror::note(std::string text) {
    if (noted_.insert(text).second) notes_.push_back(std::move(text));
}

std::vector<std::string> Mirror::take_notes() {
    return std::exchange(notes_, {});
}

}  // namespace rampart
