// LinkSetup: changes links and addresses of the kernel, over netlink.
//
// Control thread, or the kernel path's; one thread per object. Errors say what to do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/mac_address.h"
#include "base/result.h"
#include "kernel/kernel_objects.h"
#include "kernel/netlink_socket.h"

namespace rampart {

class LinkSetup {
  public:
    static Result<LinkSetup> open();

    // 0: there is none.
    KernelIndex find(const std::string& name);
    Result<void> set_mac(KernelIndex link, const MacAddress& mac);
    Result<void> set_mtu(KernelIndex link, uint16_t mtu);
    Result<void> set_up(KernelIndex link);
    // A VLAN on top of `parent`, which ends with it.
    Result<KernelIndex> add_vlan(KernelIndex parent, const std::string& name, uint16_t vlan,
                                 uint16_t mtu);
    // One that is there already is no error, nor is one that is gone.
    Result<void> add_address(KernelIndex link, const IpPrefix& address);
    Result<void> remove_address(KernelIndex link, const IpPrefix& address);

  private:
    explicit LinkSetup(std::unique_ptr<NetlinkSocket> socket) : socket_(std::move(socket)) {}
    int change_address(uint16_t type, KernelIndex link, const IpPrefix& address, uint16_t flags);

    std::unique_ptr<NetlinkSocket> socket_;
};

}  // namespace rampart
