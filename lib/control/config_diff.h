// The difference of two configurations, as an administrator thinks of it: settings by their path,
// rules by their id.
//
//   live     conntrack.timeouts.udp: 30s -> 60s
//   restart  conntrack.max: 262144 -> 500000
//   live     forward: + rule web, at 3: proto tcp dport 80 accept
//
// Settings are compared as written, after `define` was applied; one that is absent counts as its
// default. Rules are compared as compiled: a rule that only changed its place is "moved". `restart`
// marks what a running daemon refuses to change. Pure function, control thread.
#pragma once

#include <string>
#include <vector>

#include "config/loader.h"
#include "control/json.h"

namespace rampart {

struct Difference {
    enum class Kind { Added, Removed, Changed, Moved };

    Kind kind = Kind::Changed;
    std::string path;    // "conntrack.max", "chains.forward"
    std::string rule;    // id, when it is about a rule
    std::string before;  // texts; empty when there was, or is, none
    std::string after;
    bool needs_restart = false;
};

// In the order of the newer configuration, settings first.
std::vector<Difference> compare(const Configuration& before, const Configuration& after);

std::string to_text(const std::vector<Difference>& differences);
Json to_json(const std::vector<Difference>& differences);

}  // namespace rampart
