// NetlinkSocket: rtnetlink and its kin, to ask the kernel, to tell it something, and to hear of
// changes.
//
// One socket either asks (request, dump: they wait for the kernel's answer, which it gives at once)
// or listens (receive: never waits). The buffer of a listener is large; what it loses all the same
// is reported, and its owner dumps again. One thread per socket.
// Sources: RFC 3549, netlink(7), rtnetlink(7).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"

struct mnl_socket;
struct nlmsghdr;

namespace rampart {

class NetlinkSocket {
  public:
    using Handler = std::function<void(const nlmsghdr*)>;

    // `bus`: NETLINK_..., rtnetlink when not told.
    static Result<std::unique_ptr<NetlinkSocket>> open(int bus = 0);
    // `groups`: RTNLGRP_...
    static Result<std::unique_ptr<NetlinkSocket>> listen(const std::vector<unsigned>& groups);
    ~NetlinkSocket();
    NetlinkSocket(const NetlinkSocket&) = delete;
    NetlinkSocket& operator=(const NetlinkSocket&) = delete;

    int fd() const noexcept;

    // Sends `message` and returns 0 or the kernel's errno. Sets its sequence number and flags.
    int request(nlmsghdr* message, uint16_t more_flags = 0);
    // All objects of a kind (RTM_GETROUTE, AF_INET), `header_bytes` long. False: the answer was
    // cut short, what was told may be incomplete.
    bool dump(uint16_t type, uint8_t family, size_t header_bytes, const Handler& handler);
    // All that a request of another bus asks for. Sets its sequence number and flags.
    bool dump(nlmsghdr* message, const Handler& handler);

    enum class Heard : uint8_t { Nothing, Something, Lost };
    // What waits, up to a bound. Lost: the kernel had more to tell than the socket could hold.
    Heard receive(const Handler& handler);

  private:
    NetlinkSocket() = default;

    mnl_socket* socket_ = nullptr;
    unsigned port_ = 0;
    unsigned sequence_ = 0;
    std::vector<char> buffer_;
};

}  // namespace rampart
