#include "kernel/link_setup.h"

#include <cerrno>
#include <cstring>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <fmt/format.h>

namespace rampart {
namespace {

constexpr unsigned kShortestWithBroadcast = 30;  // longer prefixes have no broadcast address

// A message about a link, with room for a few attributes.
class LinkMessage {
  public:
    LinkMessage(uint16_t type, KernelIndex link) {
        message = mnl_nlmsg_put_header(buffer_);
        message->nlmsg_type = type;
        header = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
        header->ifi_family = AF_UNSPEC;
        header->ifi_index = link;
    }
    nlmsghdr* message;
    ifinfomsg* header;

  private:
    alignas(nlmsghdr) char buffer_[512] = {};
};

Result<void> result_of(int error, const std::string& what) {
    if (error == 0) return {};
    return failure(fmt::format("{}: {}", what, std::strerror(error)),
                   error == EPERM ? "rampartd needs CAP_NET_ADMIN" : "");
}

}  // namespace

Result<LinkSetup> LinkSetup::open() {
    auto socket = NetlinkSocket::open();
    if (!socket) return tl::unexpected(socket.error());
    return LinkSetup(std::move(*socket));
}

KernelIndex LinkSetup::find(const std::string& name) {
    KernelIndex found = 0;
    socket_->dump(RTM_GETLINK, AF_UNSPEC, sizeof(ifinfomsg), [&](const nlmsghdr* message) {
        const auto link = read_link(message);
        if (link && link->name == name) found = link->index;
    });
    return found;
}

Result<void> LinkSetup::set_mac(KernelIndex link, const MacAddress& mac) {
    LinkMessage change(RTM_NEWLINK, link);
    mnl_attr_put(change.message, IFLA_ADDRESS, mac.size(), mac.data());
    return result_of(socket_->request(change.message), "the twin's link address cannot be set");
}

Result<void> LinkSetup::set_mtu(KernelIndex link, uint16_t mtu) {
    LinkMessage change(RTM_NEWLINK, link);
    mnl_attr_put_u32(change.message, IFLA_MTU, mtu);
    return result_of(socket_->request(change.message), "the twin's MTU cannot be set");
}

Result<void> LinkSetup::set_up(KernelIndex link) {
    LinkMessage change(RTM_NEWLINK, link);
    change.header->ifi_change = IFF_UP;
    change.header->ifi_flags = IFF_UP;
    return result_of(socket_->request(change.message), "the twin cannot be set up");
}

Result<KernelIndex> LinkSetup::add_vlan(KernelIndex parent, const std::string& name, uint16_t vlan,
                                        uint16_t mtu) {
    LinkMessage change(RTM_NEWLINK, 0);
    nlmsghdr* message = change.message;
    mnl_attr_put_strz(message, IFLA_IFNAME, name.c_str());
    mnl_attr_put_u32(message, IFLA_LINK, static_cast<uint32_t>(parent));
    mnl_attr_put_u32(message, IFLA_MTU, mtu);
    nlattr* info = mnl_attr_nest_start(message, IFLA_LINKINFO);
    mnl_attr_put_strz(message, IFLA_INFO_KIND, "vlan");
    nlattr* data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
    mnl_attr_put_u16(message, IFLA_VLAN_ID, vlan);
    mnl_attr_nest_end(message, data);
    mnl_attr_nest_end(message, info);
    const int error = socket_->request(message, NLM_F_CREATE | NLM_F_EXCL);
    if (error == EEXIST)
        return failure(fmt::format("the kernel has an interface '{}' already", name),
                       "name this VLAN otherwise with 'kernel'");
    if (error == EOPNOTSUPP)
        return failure(fmt::format("VLAN '{}' cannot be made: this kernel has no VLANs", name),
                       "load the kernel's module: modprobe 8021q");
    if (const auto made = result_of(error, fmt::format("VLAN '{}' cannot be made", name)); !made)
        return tl::unexpected(made.error());
    return find(name);
}

int LinkSetup::change_address(uint16_t type, KernelIndex link, const IpPrefix& address,
                              uint16_t flags) {
    const bool is_ipv4 = address.address.family == Family::Ipv4;
    const size_t bytes = address_bits(address.address.family) / 8;
    alignas(nlmsghdr) char buffer[256] = {};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = type;
    auto* header = static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
    header->ifa_family = is_ipv4 ? AF_INET : AF_INET6;
    header->ifa_prefixlen = static_cast<uint8_t>(address.length);
    header->ifa_index = static_cast<uint32_t>(link);
    mnl_attr_put(message, IFA_LOCAL, bytes, address.address.bytes.data());
    mnl_attr_put(message, IFA_ADDRESS, bytes, address.address.bytes.data());
    if (is_ipv4 && address.length <= kShortestWithBroadcast && type == RTM_NEWADDR) {
        const IpAddress broadcast = address.range().last;
        mnl_attr_put(message, IFA_BROADCAST, bytes, broadcast.bytes.data());
    }
    return socket_->request(message, flags);
}

Result<void> LinkSetup::add_address(KernelIndex link, const IpPrefix& address) {
    const int error = change_address(RTM_NEWADDR, link, address, NLM_F_CREATE | NLM_F_EXCL);
    if (error == EEXIST) return {};
    return result_of(error,
                     fmt::format("the address {} cannot be set", address.address.to_string()));
}

Result<void> LinkSetup::remove_address(KernelIndex link, const IpPrefix& address) {
    const int error = change_address(RTM_DELADDR, link, address, 0);
    if (error == EADDRNOTAVAIL || error == ENODEV) return {};
    return result_of(error,
                     fmt::format("the address {} cannot be removed", address.address.to_string()));
}

}  // namespace rampart
