// PortWatch: which ports the box serves itself, for ReservedPorts.
//
// Ports that programs of the box listen on, asked for once per second; and those that rules in
// nat.prerouting forward, where they name ports of TCP or UDP. Rules for more than kMaxForwarded
// ports, for all of them, or for ports of a set are left out. Control thread only.
#pragma once

#include "base/port_set.h"
#include "rules/ruleset.h"

namespace rampart {

class ReservedPorts;

// What rules with `dnat` forward.
PortSets forwarded_ports(const Ruleset& ruleset);

class PortWatch {
  public:
    static constexpr size_t kMaxForwarded = 4096;  // of one rule

    // Without a routed port nothing is translated, and nothing is watched.
    PortWatch(ReservedPorts& reserved, bool is_routed)
        : reserved_(reserved), is_routed_(is_routed) {}

    // Of the rules that are to be published.
    void follow(const Ruleset& ruleset);
    void each_second();
    // Those that are reserved now.
    const PortSets& listening() const noexcept { return listening_; }
    const PortSets& forwarded() const noexcept { return forwarded_; }

  private:
    void assign();

    ReservedPorts& reserved_;
    bool is_routed_;
    PortSets listening_, forwarded_;
    bool has_failed_ = false;
};

}  // namespace rampart
