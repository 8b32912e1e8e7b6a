// Confinement: what the daemon gives up when its start is complete.
//
// Until then it needs much (devices, hugepages, twins); after that packets come from strangers, and
// a mistake in their handling should meet as little power as possible. Capabilities belong to
// threads, so each thread drops its own: workers before their first packet, the others when
// everything is up. Then a filter bounds the system calls of all (system_call_filter.h).
//
// What stays: CAP_NET_ADMIN, when ports are routed or stand on interfaces of the kernel, which are
// configured while the daemon runs and put back when it ends. Threads: as noted.
#pragma once

#include "config/system_settings.h"

namespace rampart {

class Confinement {
  public:
    explicit Confinement(const SystemSettings& system);

    bool drops_capabilities() const noexcept { return confine_ != Confine::None; }
    bool keeps_net_admin() const noexcept { return keeps_net_admin_; }

    // Of the calling thread. False: something remained. Any thread.
    bool drop_own_capabilities() const noexcept { return drop_own(keeps_net_admin_); }
    // The same, with nothing that stays. Any thread.
    bool drop_all_own_capabilities() const noexcept { return drop_own(false); }
    // Of DPDK's interrupt thread, which cannot be asked otherwise; returns when it is done, or has
    // not answered for a second. Control thread.
    bool drop_those_of_interrupts() const;
    // The control thread's own and, last of all, the system calls of all threads. Logs what came
    // of it.
    void complete() const;
    // Logs calls that were refused, by name. Control thread, once per second.
    static void each_second();

  private:
    bool drop_own(bool keep_net_admin) const noexcept;

    Confine confine_;
    bool keeps_net_admin_;
};

}  // namespace rampart
