#include "control/fill_watch.h"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "conntrack/settings.h"
#include "control/stats.h"
#include "dataplane/worker.h"

namespace rampart {
namespace {

constexpr uint32_t kBelow_percent = 5;  // so far below the warning it is over
constexpr unsigned kPatience_s = 3;     // of refusals before connections that close give way
constexpr uint64_t kReportEvery_ns = 10'000'000'000;

}  // namespace

uint32_t FillWatch::fill_percent() const noexcept {
    uint64_t most = 0;
    for (const Worker* worker : workers_)
        most = std::max(most, uint64_t{worker->flows().count()} * 100 / worker->flows().limit());
    return static_cast<uint32_t>(most);
}

void FillWatch::look(const ConntrackSettings& settings, uint64_t now_ns) {
    const uint32_t fill = fill_percent();
    const uint32_t warn_at = settings.warn_at_percent;
    if (warn_at != 0 && !is_above_ && fill >= warn_at) {
        is_above_ = true;
        spdlog::warn("conntrack: the flow table is {}% full (warn_at: {}%)", fill, warn_at);
    } else if (is_above_ && fill + kBelow_percent < std::max(warn_at, kBelow_percent)) {
        is_above_ = false;
        spdlog::info("conntrack: the flow table is {}% full again (warn_at: {}%)", fill, warn_at);
    }
    if (settings.on_full == OnFull::EarlyDrop) make_room();
    if (now_ns - reported_ns_ >= kReportEvery_ns) report_full(now_ns);
}

// One part in twenty of each full table, in slices that hold a worker up for microseconds.
void FillWatch::make_room() {
    const uint64_t refused = totals_of(workers_).drops[static_cast<size_t>(DropReason::TableFull)];
    refusing_looks_ = refused != refused_before_ ? refusing_looks_ + 1 : 0;
    refused_before_ = refused;
    if (refusing_looks_ < kPatience_s) return;
    for (Worker* worker : workers_) {
        const uint32_t limit = worker->flows().limit();
        if (worker->flows().count() < limit - limit / 20) continue;
        for (uint32_t i = 0; i <= limit / 20 / kEraseRangeSlots; ++i)
            if (!worker->mailbox().has_room() ||
                !worker->mailbox().post({.kind = Command::Kind::EvictClosing}))
                break;
    }
}

void FillWatch::report_full(uint64_t now_ns) {
    const Totals totals = totals_of(workers_);
    const uint64_t refused = totals.drops[static_cast<size_t>(DropReason::TableFull)];
    if (totals.early_drop != early_drops_ || refused != refused_) {
        spdlog::warn("conntrack: table full: {} flows gave way to new ones, {} packets refused",
                     totals.early_drop - early_drops_, refused - refused_);
        reported_ns_ = now_ns;
    }
    early_drops_ = totals.early_drop;
    refused_ = refused;
}

}  // namespace rampart
