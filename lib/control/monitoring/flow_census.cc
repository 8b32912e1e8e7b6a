#include "control/monitoring/flow_census.h"

#include "conntrack/flow_table.h"
#include "conntrack/tracker.h"
#include "control/slice_timer.h"
#include "dataplane/worker.h"

namespace rampart {
namespace {

constexpr uint32_t kSlotsPerLook = 64;  // at the clock

// Of protocols without states of their own.
constexpr std::string_view kProgress[] = {"UNREPLIED", "SEEN_REPLY", "ASSURED"};

size_t progress_of(const Flow& flow) noexcept {
    if (flow.has(flow_status::kAssured)) return 2;
    return flow.has(flow_status::kSeenReply) ? 1 : 0;
}

}  // namespace

std::string_view counted_protocol(size_t tracker) noexcept {
    const Tracker& known = *trackers()[tracker];
    return known.protocol == 0 ? std::string_view("other") : known.name;
}

std::string_view counted_state(size_t tracker, size_t state) noexcept {
    const std::span<const std::string_view> names = trackers()[tracker]->states;
    if (!names.empty()) return state < names.size() ? names[state] : std::string_view();
    return state < std::size(kProgress) ? kProgress[state] : std::string_view();
}

FlowCensus::FlowCensus(std::vector<Worker*> workers) : workers_(std::move(workers)) {
    uint32_t slots = 0;
    for (const Worker* worker : workers_)
        slots += worker->flows().capacity();
    slots_per_turn_ = slots / kTurnsPerPass + 1;
}

void FlowCensus::count(const FlowTable& flows, FlowIndex index) {
    FlowInfo info;
    if (flows.sweep_at(index) == 0 || !flows.read_info(index, info)) return;
    const uint8_t number = tracker_number(info.original.protocol);
    const Flow& flow = flows.flow(index);
    const bool has_states = !trackers()[number]->states.empty();
    const size_t state = has_states ? flow.state.load() : progress_of(flow);
    if (state >= FlowCounting::kStates) return;
    ++counting_.flows[number][state];
    ++counting_.total;
}

void FlowCensus::turn() {
    const SliceTimer timer;
    for (uint32_t looked = 0; looked < slots_per_turn_; ++looked) {
        if (looked % kSlotsPerLook == 0 && timer.is_over()) return;
        const FlowTable& flows = workers_[worker_]->flows();
        count(flows, index_);
        if (++index_ < flows.capacity()) continue;
        index_ = 0;
        if (++worker_ < workers_.size()) continue;
        worker_ = 0;
        last_ = std::make_shared<const FlowCounting>(counting_);
        counting_ = {};
        return;
    }
}

}  // namespace rampart
