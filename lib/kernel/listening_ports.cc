#include "kernel/listening_ports.h"

#include <arpa/inet.h>
#include <cstring>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "kernel/netlink_socket.h"

namespace rampart {
namespace {

bool is_loopback(const inet_diag_msg& socket) noexcept {
    if (socket.idiag_family == AF_INET) return (ntohl(socket.id.idiag_src[0]) >> 24) == 127;
    in6_addr address;
    std::memcpy(&address, socket.id.idiag_src, sizeof address);
    return IN6_IS_ADDR_LOOPBACK(&address);
}

// `states`: TCP's numbers; a UDP socket without a peer counts as closed.
bool add(NetlinkSocket& netlink, uint8_t family, uint8_t protocol, uint32_t states,
         PortSet& ports) {
    alignas(nlmsghdr) char buffer[128] = {};
    nlmsghdr* message = mnl_nlmsg_put_header(buffer);
    message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    auto* request = static_cast<inet_diag_req_v2*>(
        mnl_nlmsg_put_extra_header(message, sizeof(inet_diag_req_v2)));
    request->sdiag_family = family;
    request->sdiag_protocol = protocol;
    request->idiag_states = states;
    return netlink.dump(message, [&](const nlmsghdr* answer) {
        if (mnl_nlmsg_get_payload_len(answer) < sizeof(inet_diag_msg)) return;
        const auto* socket = static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(answer));
        const uint16_t port = ntohs(socket->id.idiag_sport);
        if (port != 0 && !is_loopback(*socket)) ports.set(port);
    });
}

}  // namespace

Result<PortSets> read_listening_ports() {
    auto netlink = NetlinkSocket::open(NETLINK_SOCK_DIAG);
    if (!netlink) return tl::unexpected<Error>(netlink.error());
    PortSets ports;
    for (const uint8_t family : {uint8_t{AF_INET}, uint8_t{AF_INET6}}) {
        if (!add(**netlink, family, IPPROTO_TCP, 1u << TCP_LISTEN, ports.tcp) ||
            !add(**netlink, family, IPPROTO_UDP, 1u << TCP_CLOSE, ports.udp))
            return failure("the kernel does not tell which ports programs listen on (sock_diag)");
    }
    return ports;
}

}  // namespace rampart
