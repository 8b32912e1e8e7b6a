// Snapshot: one generation of everything the workers act on.
//
// Config builds it, the publisher numbers and publishes it, workers load the pointer once per loop.
// The configuration parts are immutable. The path tables are the exception: each belongs to one
// worker, which counts packets in it; control reads them and folds the last counts into the next
// generation once no worker uses this one any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "conntrack/settings.h"
#include "rules/path_table.h"
#include "rules/ruleset.h"

namespace rampart {

struct LinkSettings {
    // EtherTypes other than IPv4 and IPv6 that pass between the ports of a bridge pair,
    // in host order; `pass_all` lets every Ethernet II type through.
    std::vector<uint16_t> pass;
    bool pass_all = false;
};

// Where the records of `log` statements go.
struct RuleLogSettings {
    enum class To : uint8_t { Daemon, Syslog, Journald, File };
    To to = To::Daemon;  // Daemon: among the daemon's own messages
    bool is_json = false;
    std::string path;  // of File
    uint64_t max_bytes = 64u << 20;
    uint32_t files = 4;

    bool operator==(const RuleLogSettings&) const = default;
};

struct LoggingSettings {
    RuleLogSettings rules;
    uint32_t invalid_per_s = 0;  // INVALID packets that each worker logs; 0: none
};

struct ReloadSettings {
    bool recheck = false;         // flows that these rules would refuse are ended
    bool reset_counters = false;  // the rules count from zero
    uint32_t confirm_s = 0;       // how long `apply` waits for `confirm`; 0: it does not
};

struct Snapshot {
    uint32_t generation = 0;
    // The generation that was loaded; others of the same lineage came of it by changing single
    // rules, and number them the same way. 0: loaded, and not published yet.
    uint32_t lineage = 0;
    // Control: changes whenever a set that is not dynamic has changed, from numbers that no
    // generation has; 0 at first.
    std::atomic<uint32_t> epoch{0};
    Ruleset ruleset;
    ConntrackSettings conntrack;
    LinkSettings link;
    LoggingSettings logging;
    ReloadSettings reload;
    // One per worker, made by the publisher.
    std::vector<std::unique_ptr<PathTable>> paths;
    // Rules with `connlimit`, by number, and who counts for them, per worker; set by RuleStates.
    std::vector<CountingRule> counting_rules;
    std::vector<CountedFlows*> counted_flows;
    // By NatAction::pool: the number of its pool plus one, the same in all generations; 0: it is
    // not counted. Set by control's NatPools.
    std::vector<uint16_t> pools;

    uint16_t pool_of(const NatAction& action) const noexcept {
        return action.pool < pools.size() ? pools[action.pool] : uint16_t{0};
    }

    // What verdicts that flows remember are stamped with. Workers read it once per burst, before
    // they look at any set: a change that came later makes what they remember void.
    uint32_t verdict_epoch() const noexcept {
        const uint32_t changed = epoch.load(std::memory_order_acquire);
        return changed != 0 ? changed : generation;
    }
    // The same settings with other rules, which came of `ruleset`; not published yet. Control.
    std::unique_ptr<Snapshot> with_ruleset(Ruleset changed) const;
    // Control: what all workers counted with this generation, by RuleIndex.
    std::vector<RuleCount> counts() const;
};

}  // namespace rampart
