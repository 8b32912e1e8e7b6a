#include "dataplane/admission.h"

namespace rampart {
namespace {

// Slots that only flows of essential rules may use.
uint32_t reserve_of(const WorkerContext& context) noexcept {
    const ConntrackSettings& settings = context.snapshot->conntrack;
    if (!settings.has_essential_rules) return 0;
    return static_cast<uint32_t>(uint64_t{context.flows.limit()} * settings.reserve_percent / 100);
}

bool make_room(WorkerContext& context) noexcept {
    switch (context.flows.evict(context.now.tick)) {
        case FlowTable::Evicted::Nothing:
            return false;
        case FlowTable::Evicted::Expired:
            context.counters.expired.add(1);
            break;
        case FlowTable::Evicted::Unassured:
            context.counters.early_drop.add(1);
            break;
    }
    return true;
}

}  // namespace

bool may_enter(const WorkerContext& context) noexcept {
    if (context.flows.count() < context.flows.limit()) return true;
    return context.snapshot->conntrack.on_full == OnFull::EarlyDrop && context.flows.can_evict();
}

Admission admit(WorkerContext& context, FlowInfo& info, bool is_essential) noexcept {
    const ConntrackSettings& settings = context.snapshot->conntrack;
    const uint32_t room = context.flows.limit() - (is_essential ? 0 : reserve_of(context));
    if (settings.max_per_source != 0 && context.sources != nullptr && !is_essential) {
        const uint64_t source = context.sources->source_of(info.original, settings.source_prefix4,
                                                           settings.source_prefix6);
        if (context.sources->try_add(source, settings.max_per_source, info.source) ==
            SourceCounts::Added::Refused)
            return Admission::SourceLimit;
    }
    if (context.flows.count() < room) return Admission::Admitted;
    if (settings.on_full == OnFull::EarlyDrop && make_room(context)) return Admission::Admitted;
    if (info.source != 0) context.sources->remove(info.source);
    info.source = 0;
    return Admission::TableFull;
}

uint32_t timeout_scale(const ConntrackSettings& settings, const FlowTable& flows) noexcept {
    if (settings.adaptive_end_percent == 0) return kFullTimeouts;
    const int64_t fill = int64_t{flows.count()} * 100;
    const int64_t start = int64_t{settings.adaptive_start_percent} * flows.limit();
    const int64_t end = int64_t{settings.adaptive_end_percent} * flows.limit();
    if (fill <= start) return kFullTimeouts;
    if (fill >= end) return 1;
    return static_cast<uint32_t>((end - fill) * kFullTimeouts / (end - start));
}

}  // namespace rampart
