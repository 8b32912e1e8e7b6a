// RuleEditor: single rules added and removed while traffic flows.
//
// A change makes a new generation that shares everything but that rule with the running one, so it
// is a matter of milliseconds, however many rules there are. What came is not in the compiled index
// and is asked for every packet; when there is much of it, the rules are compiled anew by a thread
// of its own, on the control thread's CPU, and the result is published as a further generation.
// Changes last until the next change of the configuration or the next start. Control thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>

#include "config/rule_change.h"
#include "control/config_transaction.h"
#include "control/publisher.h"
#include "rules/classifier/classifier.h"

namespace rampart {

class RuleEditor {
  public:
    // Makes these rules the current generation.
    using Publish = std::function<Published(std::unique_ptr<Snapshot>)>;

    RuleEditor(const Publisher& publisher, Publish publish)
        : publisher_(publisher), publish_(std::move(publish)) {}

    struct Done {
        std::string id;
        std::string text;
        std::string chain;
        size_t number = 0;  // of the rule in its chain, from 1
        Published published;
        uint64_t took_us = 0;  // until all workers used it
    };
    // Nothing: `diagnostics` say why, and nothing has changed.
    std::optional<Done> add(const std::string& chain, const std::string& text,
                            const RulePosition& position, Diagnostics& diagnostics);
    std::optional<Done> remove(const std::string& id, Diagnostics& diagnostics);

    // Every so often: takes up what was compiled aside, and has it compiled when that pays.
    void turn();
    bool is_compiling() const noexcept { return compiled_.valid(); }
    // Changes of the running rules since their configuration was loaded.
    uint32_t changes() const noexcept { return publisher_.current().ruleset.changes; }

    // So many rules may be unknown to the index before it is compiled anew.
    static constexpr size_t kMostUnknown = 64;

  private:
    using Clock = std::chrono::steady_clock;
    Done publish(ChangedRuleset changed, Clock::time_point since);

    const Publisher& publisher_;
    Publish publish_;
    std::future<std::unique_ptr<Classifier>> compiled_;
    uint32_t compiled_lineage_ = 0;
};

}  // namespace rampart
