// MasqueradeWatch: ends flows that are masqueraded to an address that the box has no longer.
//
// Their replies cannot come back. A new address (DHCP, PPP) thus takes effect for clients as soon
// as they try again, and not when the old flows time out. Looks at the addresses once per second,
// and when they have changed through the flow tables, a slice at a time. Control thread only.
// Follows Linux's nf_nat_masquerade.c, which does it when an address is deleted.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"
#include "control/flow_list.h"

namespace rampart {

class KernelPath;

class MasqueradeWatch {
  public:
    // `path` may be null: no port is routed.
    MasqueradeWatch(KernelPath* path, const std::vector<Worker*>& workers)
        : path_(path), workers_(workers) {}

    void each_second();
    // Every few milliseconds.
    void turn(Tick now);

  private:
    // False: the worker cannot take more at the moment.
    bool end(const FlowEntry& flow);

    KernelPath* path_;
    const std::vector<Worker*>& workers_;
    std::vector<IpAddress> addresses_;  // sorted
    std::optional<FlowCursor> walk_;
    uint64_t ended_ = 0;  // by this walk
};

}  // namespace rampart
