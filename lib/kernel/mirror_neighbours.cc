// The part of Mirror that is about neighbours.
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "kernel/mirror.h"

namespace rampart {
namespace {

constexpr uint16_t kHasAddress =
    NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;

bool is_group(const IpAddress& address) {
    if (address.family == Family::Ipv6) return address.bytes[0] == 0xff;
    return address.bytes[0] >> 4 == 0xe || address.bytes[0] == 0xff;
}

}  // namespace

void Mirror::hear_neighbour(const nlmsghdr* message) {
    auto neighbour = read_neighbour(message);
    if (!neighbour) return;
    if (message->nlmsg_type == RTM_DELNEIGH) neighbour->state = NUD_NONE;
    pass_on_neighbour(*neighbour);
}

void Mirror::pass_on_neighbour(const KernelNeighbour& neighbour) {
    // Those of macvlans are the kernel's own business.
    const InterfaceIndex interface = interface_of(neighbour.link);
    if (interface == kNoInterface || own_links_[interface] != neighbour.link) return;
    if (is_group(neighbour.address)) return;
    const NeighbourKey key{interface, neighbour.address.family, neighbour.address.bytes};
    if (neighbour.state == NUD_NONE) {
        neighbours_.erase(key);
        routing_.remove_neighbour(key);
        return;
    }
    neighbours_[key] = neighbour.state;
    using State = NeighbourWord::State;
    const State state = (neighbour.state & kHasAddress) != 0  ? State::Resolved
                        : (neighbour.state & NUD_FAILED) != 0 ? State::Failed
                                                              : State::Unresolved;
    routing_.set_neighbour(key, state, state == State::Resolved ? neighbour.mac : MacAddress{});
}

// Those that were known and are not told of any more are gone.
void Mirror::dump_neighbours() {
    auto before = std::exchange(neighbours_, {});
    for (const uint8_t family : {uint8_t{AF_INET}, uint8_t{AF_INET6}}) {
        asker_->dump(RTM_GETNEIGH, family, sizeof(ndmsg), [&](const nlmsghdr* message) {
            if (const auto neighbour = read_neighbour(message)) pass_on_neighbour(*neighbour);
        });
    }
    for (const auto& [key, state] : before) {
        if (!neighbours_.contains(key)) routing_.remove_neighbour(key);
    }
}

void Mirror::ask_for_neighbours() {
    for (const NeighbourKey& key : routing_.take_requests()) {
        ++counters_.neighbour_requests;
        if (resolve(key)) {
            // The kernel tells how it ended, but not that it has begun.
            if (neighbours_.try_emplace(key, uint16_t{NUD_INCOMPLETE}).second)
                routing_.set_neighbour(key, NeighbourWord::State::Unresolved, {});
            continue;
        }
        // What the kernel will not even try has failed for a while, so that nobody waits for it.
        routing_.set_neighbour(key, NeighbourWord::State::Failed, {});
        refused_.push_back(key);
    }
}

// The kernel sees no packets to them, so it would not ask again by itself.
void Mirror::renew_neighbours() {
    for (const NeighbourKey& key : std::exchange(refused_, {})) {
        if (!neighbours_.contains(key)) routing_.remove_neighbour(key);
    }
    for (const NeighbourKey& key : routing_.take_used()) {
        const auto known = neighbours_.find(key);
        if (known != neighbours_.end() && known->second == NUD_STALE) resolve(key);
    }
}

// NTF_USE: as if the kernel itself had a packet for the neighbour.
bool Mirror::resolve(const NeighbourKey& key) {
    if (key.interface >= own_links_.size() || own_links_[key.interface] == 0) return false;
    alignas(nlmsghdr) char buffer[256] = {};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = RTM_NEWNEIGH;
    auto* header = static_cast<ndmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ndmsg)));
    header->ndm_family = key.family == Family::Ipv4 ? AF_INET : AF_INET6;
    header->ndm_ifindex = own_links_[key.interface];
    header->ndm_flags = NTF_USE;
    mnl_attr_put(message, NDA_DST, address_bits(key.family) / 8, key.address.data());
    return asker_->request(message, NLM_F_CREATE) == 0;
}

}  // namespace rampart
