#include "kernel/kernel_objects.h"

#include <array>
#include <cstring>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

namespace rampart {
namespace {

// The attributes of one message, by type.
class Attributes {
  public:
    static constexpr size_t kMost = 64;

    Attributes(const nlmsghdr* message, size_t header_bytes) {
        if (mnl_nlmsg_get_payload_len(message) >= header_bytes)
            mnl_attr_parse(message, static_cast<unsigned>(header_bytes), keep, this);
    }
    explicit Attributes(const nlattr* nested) { mnl_attr_parse_nested(nested, keep, this); }
    Attributes(const void* payload, size_t bytes) {
        mnl_attr_parse_payload(payload, bytes, keep, this);
    }

    bool has(uint16_t type) const { return found_[type] != nullptr; }
    const nlattr* get(uint16_t type) const { return found_[type]; }
    const uint8_t* payload(uint16_t type) const {
        return static_cast<const uint8_t*>(mnl_attr_get_payload(found_[type]));
    }
    size_t size(uint16_t type) const {
        return has(type) ? mnl_attr_get_payload_len(found_[type]) : 0;
    }
    uint32_t number(uint16_t type, uint32_t otherwise = 0) const {
        return size(type) >= 4 ? mnl_attr_get_u32(found_[type]) : otherwise;
    }
    std::string text(uint16_t type) const {
        if (!has(type) || mnl_attr_validate(found_[type], MNL_TYPE_NUL_STRING) < 0) return {};
        return mnl_attr_get_str(found_[type]);
    }
    // False: it is not there, or not as long as an address of this family.
    bool address(uint16_t type, Family family, AddressBytes& out) const {
        if (size(type) != address_bits(family) / 8 || size(type) == 0) return false;
        out = {};
        std::memcpy(out.data(), payload(type), size(type));
        return true;
    }
    bool mac(uint16_t type, MacAddress& out) const {
        if (size(type) != out.size()) return false;
        std::memcpy(out.data(), payload(type), out.size());
        return true;
    }

  private:
    static int keep(const nlattr* attribute, void* data) {
        const uint16_t type = mnl_attr_get_type(attribute);
        if (type < kMost) static_cast<Attributes*>(data)->found_[type] = attribute;
        return MNL_CB_OK;
    }

    std::array<const nlattr*, kMost> found_{};
};

Family family_of(uint8_t family) {
    return family == AF_INET ? Family::Ipv4 : family == AF_INET6 ? Family::Ipv6 : Family::None;
}

template <typename Header>
const Header* header_of(const nlmsghdr* message) {
    if (mnl_nlmsg_get_payload_len(message) < sizeof(Header)) return nullptr;
    return static_cast<const Header*>(mnl_nlmsg_get_payload(message));
}

// RTA_GATEWAY, or RTA_VIA with a family of its own (RFC 8950).
void read_gateway(const Attributes& attributes, Family family, KernelHop& hop) {
    if (attributes.address(RTA_GATEWAY, family, hop.gateway)) {
        hop.family = family;
        return;
    }
    const size_t bytes = attributes.size(RTA_VIA);
    if (bytes < sizeof(uint16_t)) return;
    uint16_t address_family = 0;
    std::memcpy(&address_family, attributes.payload(RTA_VIA), sizeof address_family);
    const Family via = family_of(static_cast<uint8_t>(address_family));
    if (via == Family::None || bytes != sizeof address_family + address_bits(via) / 8) return;
    hop.family = via;
    std::memcpy(hop.gateway.data(), attributes.payload(RTA_VIA) + sizeof address_family,
                address_bits(via) / 8);
}

void read_multipath(const Attributes& attributes, Family family, KernelRoute& route) {
    const uint8_t* at = attributes.payload(RTA_MULTIPATH);
    size_t left = attributes.size(RTA_MULTIPATH);
    while (left >= sizeof(rtnexthop)) {
        rtnexthop header;
        std::memcpy(&header, at, sizeof header);
        if (header.rtnh_len < sizeof header || header.rtnh_len > left) return;
        const Attributes own(at + sizeof header, header.rtnh_len - sizeof header);
        KernelHop& hop = route.hops.emplace_back();
        hop.link = header.rtnh_ifindex;
        hop.weight = header.rtnh_hops + 1u;
        hop.is_dead = (header.rtnh_flags & RTNH_F_DEAD) != 0;
        read_gateway(own, family, hop);
        route.is_encapsulated |= own.has(RTA_ENCAP);
        const size_t step = MNL_ALIGN(header.rtnh_len);
        if (step >= left) return;
        at += step;
        left -= step;
    }
}

}  // namespace

std::optional<KernelLink> read_link(const nlmsghdr* message) {
    const auto* header = header_of<ifinfomsg>(message);
    if (header == nullptr || header->ifi_family != AF_UNSPEC) return std::nullopt;
    const Attributes attributes(message, sizeof *header);
    KernelLink link;
    link.index = header->ifi_index;
    link.parent = static_cast<KernelIndex>(attributes.number(IFLA_LINK));
    link.name = attributes.text(IFLA_IFNAME);
    link.mtu = static_cast<uint16_t>(std::min<uint32_t>(attributes.number(IFLA_MTU), 0xffff));
    link.is_up = (header->ifi_flags & IFF_UP) != 0;
    link.has_carrier = (header->ifi_flags & IFF_LOWER_UP) != 0;
    attributes.mac(IFLA_ADDRESS, link.mac);
    if (attributes.has(IFLA_LINKINFO))
        link.kind = Attributes(attributes.get(IFLA_LINKINFO)).text(IFLA_INFO_KIND);
    return link;
}

std::optional<KernelAddress> read_address(const nlmsghdr* message) {
    const auto* header = header_of<ifaddrmsg>(message);
    if (header == nullptr) return std::nullopt;
    const Attributes attributes(message, sizeof *header);
    const Family family = family_of(header->ifa_family);
    KernelAddress address;
    address.link = static_cast<KernelIndex>(header->ifa_index);
    address.address.family = family;
    address.prefix_length = header->ifa_prefixlen;
    AddressBytes peer{};
    const bool has_local = attributes.address(IFA_LOCAL, family, address.address.bytes);
    const bool has_peer = attributes.address(IFA_ADDRESS, family, peer);
    if (!has_local && !has_peer) return std::nullopt;
    if (!has_local) address.address.bytes = peer;
    // Of a line between two points only the address itself is known to be here.
    if (has_local && has_peer && peer != address.address.bytes)
        address.prefix_length = address_bits(family);
    const uint32_t flags = attributes.number(IFA_FLAGS, header->ifa_flags);
    address.is_link_scope = header->ifa_scope >= RT_SCOPE_LINK;
    address.is_usable = (flags & IFA_F_DADFAILED) == 0 &&
                        ((flags & IFA_F_TENTATIVE) == 0 || (flags & IFA_F_OPTIMISTIC) != 0);
    address.is_deprecated = (flags & IFA_F_DEPRECATED) != 0;
    return address;
}

std::optional<KernelRoute> read_route(const nlmsghdr* message) {
    const auto* header = header_of<rtmsg>(message);
    if (header == nullptr || (header->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
    const Family family = family_of(header->rtm_family);
    if (family == Family::None || header->rtm_dst_len > address_bits(family) ||
        header->rtm_src_len != 0)
        return std::nullopt;
    const Attributes attributes(message, sizeof *header);
    KernelRoute route;
    route.prefix.address.family = family;
    route.prefix.length = header->rtm_dst_len;
    if (!attributes.address(RTA_DST, family, route.prefix.address.bytes) && route.prefix.length > 0)
        return std::nullopt;
    route.table = attributes.number(RTA_TABLE, header->rtm_table);
    route.type = header->rtm_type;
    route.tos = header->rtm_tos;
    route.metric = attributes.number(RTA_PRIORITY);
    route.next_hop_id = attributes.number(RTA_NH_ID);
    route.is_encapsulated = attributes.has(RTA_ENCAP);
    if (attributes.has(RTA_MULTIPATH)) {
        read_multipath(attributes, family, route);
    } else if (attributes.has(RTA_OIF)) {
        KernelHop& hop = route.hops.emplace_back();
        hop.link = static_cast<KernelIndex>(attributes.number(RTA_OIF));
        hop.is_dead = (header->rtm_flags & RTNH_F_DEAD) != 0;
        read_gateway(attributes, family, hop);
    }
    return route;
}

std::optional<KernelNextHop> read_next_hop(const nlmsghdr* message) {
    const auto* header = header_of<nhmsg>(message);
    if (header == nullptr) return std::nullopt;
    const Attributes attributes(message, sizeof *header);
    KernelNextHop next_hop;
    next_hop.id = attributes.number(NHA_ID);
    next_hop.is_blackhole = attributes.has(NHA_BLACKHOLE);
    next_hop.hop.link = static_cast<KernelIndex>(attributes.number(NHA_OIF));
    next_hop.hop.is_dead = (header->nh_flags & RTNH_F_DEAD) != 0;
    const Family family = family_of(header->nh_family);
    if (attributes.address(NHA_GATEWAY, family, next_hop.hop.gateway)) next_hop.hop.family = family;
    for (size_t at = 0; at + sizeof(nexthop_grp) <= attributes.size(NHA_GROUP);
         at += sizeof(nexthop_grp)) {
        nexthop_grp member;
        std::memcpy(&member, attributes.payload(NHA_GROUP) + at, sizeof member);
        next_hop.members.push_back({member.id, member.weight + 1u});
    }
    return next_hop;
}

std::optional<KernelNeighbour> read_neighbour(const nlmsghdr* message) {
    const auto* header = header_of<ndmsg>(message);
    if (header == nullptr) return std::nullopt;
    const Attributes attributes(message, sizeof *header);
    KernelNeighbour neighbour;
    neighbour.link = header->ndm_ifindex;
    neighbour.state = header->ndm_state;
    neighbour.address.family = family_of(header->ndm_family);
    if (!attributes.address(NDA_DST, neighbour.address.family, neighbour.address.bytes))
        return std::nullopt;
    attributes.mac(NDA_LLADDR, neighbour.mac);
    return neighbour;
}

}  // namespace rampart
