// Twin: the TAP that stands for a port in the kernel.
//
// Named like the port, with its link address and MTU, up from the start; it disappears when it is
// closed, and what stands on it (VLANs, addresses, routes) with it. Frames are whole: no offloads,
// VLAN tags in place. Reads and writes never wait.
// Control thread: create; the kernel path's thread: the rest.
// Source: Linux, Documentation/networking/tuntap.rst.
#pragma once

#include <memory>
#include <string>

#include "base/mac_address.h"
#include "base/result.h"
#include "kernel/kernel_objects.h"
#include "kernel/link_setup.h"

namespace rampart {

class Twin {
  public:
    struct Options {
        std::string interface;  // for messages
        std::string name;
        MacAddress mac{};
        uint16_t mtu = 1500;
    };
    static Result<std::unique_ptr<Twin>> create(const Options& options, LinkSetup& links);
    ~Twin();
    Twin(const Twin&) = delete;
    Twin& operator=(const Twin&) = delete;

    int fd() const noexcept { return fd_; }
    KernelIndex link() const noexcept { return link_; }
    const std::string& name() const noexcept { return name_; }
    // Whether the kernel shall see a carrier: as the port has one.
    void set_carrier(bool has_carrier) noexcept;

  private:
    explicit Twin(std::string name) : name_(std::move(name)) {}

    std::string name_;
    int fd_ = -1;
    KernelIndex link_ = 0;
    bool has_carrier_ = true;
};

}  // namespace rampart
