// BorrowedDevice: an interface of the kernel whose packets a routed port takes through a packet
// socket (DPDK's net_af_packet).
//
// The kernel gets every packet as well, and would answer for the twin's addresses behind the rules'
// back. So what comes in there is dropped for the kernel, behind the packet socket: by a chain at
// the device's ingress hook, in a table of nftables that lives as long as the object. Devices that
// are bound to DPDK need nothing of the kind. One thread. Source: nft(8), libnftables(3).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct nft_ctx;

namespace rampart {

class BorrowedDevice {
  public:
    // The interface that these devargs name, or empty: none is borrowed.
    static std::string name_in(std::string_view devargs);

    static Result<std::unique_ptr<BorrowedDevice>> take(const std::string& name);
    ~BorrowedDevice();
    BorrowedDevice(const BorrowedDevice&) = delete;
    BorrowedDevice& operator=(const BorrowedDevice&) = delete;

  private:
    explicit BorrowedDevice(nft_ctx* nft) : nft_(nft) {}
    bool run(const std::string& commands);

    nft_ctx* nft_;
    std::string table_;  // empty: not made
};

}  // namespace rampart
