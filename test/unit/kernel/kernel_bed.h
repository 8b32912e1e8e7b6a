// KernelBed: a network namespace of this process with twins `lan` and `wan`, VLAN 30 `guest` on lan
// (a twin, where the kernel has no VLANs), and a Mirror that is driven by hand.
//
// `ip` changes the kernel as an administrator would; sync() lets the mirror hear of it. Needs root.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernel/link_setup.h"
#include "kernel/mirror.h"
#include "kernel/twin.h"
#include "routing/routing.h"

namespace rampart::test {

// Leaves for a namespace of its own, in which only `lo` is up. Ends the test if it cannot.
void enter_namespace();
// Until the kernel has taken all addresses into use, at most 5 s.
void wait_for_addresses();
// Runs the command, which must succeed.
void shell(const std::string& command);

class KernelBed {
  public:
    static constexpr InterfaceIndex kLan = 0, kWan = 1, kGuest = 2;
    static constexpr MacAddress kLanMac{2, 0, 0, 0, 0, 1}, kWanMac{2, 0, 0, 0, 0, 2};

    KernelBed();

    Routing& routing() { return *routing_; }
    Mirror& mirror() { return *mirror_; }
    void sync();
    // "via 192.0.2.254 wan", "on link lan", "local", "blackhole", "no route"; the hop of this hash.
    std::string find(const std::string& destination, uint32_t flow_hash = 0) const;
    // "02:... resolved", "failed", "unresolved", "none"
    std::string neighbour(InterfaceIndex interface, const std::string& address) const;
    std::string source(InterfaceIndex interface, const std::string& peer) const;
    // A second mirror and routing, as after a restart of the daemon.
    std::vector<Routing::RouteEntry> routes_after_restart() const;
    void make_mirror();

  private:
    std::unique_ptr<Routing> routing_;
    std::unique_ptr<Twin> lan_, wan_, guest_;
    std::vector<KernelIndex> links_;
    std::unique_ptr<Mirror> mirror_;
    uint64_t now_ns_ = 1'000'000'000;
};

}  // namespace rampart::test
