#include "control/trace_feed.h"

#include <algorithm>

#include "control/slice_timer.h"
#include "dataplane/worker.h"

namespace rampart {
namespace {

constexpr uint64_t kTurn_us = 10'000;
constexpr uint32_t kRecordsAtOnce = 16;

}  // namespace

TraceFeed::TraceFeed(EventLoop& loop, std::vector<Worker*> workers)
    : loop_(loop), workers_(std::move(workers)), lost_(workers_.size()) {}

bool TraceFeed::add(TraceListener& listener, std::unique_ptr<CompiledTraceFilter> filter) {
    unsigned place = 0;
    while (place < traces_.size() && !is_free(place))
        ++place;
    if (place == traces_.size()) return false;
    traces_[place] = {&listener, std::move(filter)};
    for (Worker* worker : workers_)
        worker->trace().set_filter(place, traces_[place].filter->filter());
    if (is_running_) return true;
    for (size_t i = 0; i < workers_.size(); ++i)
        lost_[i] = workers_[i]->trace().lost();
    timer_ = loop_.every(kTurn_us, [this] { turn(); });
    is_running_ = true;
    return true;
}

// A worker may still write records for a filter that was taken away.
bool TraceFeed::is_free(unsigned place) const {
    return traces_[place].listener == nullptr &&
           std::none_of(retired_.begin(), retired_.end(),
                        [place](const Retired& retired) { return retired.place == place; });
}

void TraceFeed::remove(TraceListener& listener) {
    for (unsigned place = 0; place < traces_.size(); ++place) {
        Trace& trace = traces_[place];
        if (trace.listener != &listener) continue;
        Retired retired{place, std::move(trace.filter), {}};
        for (Worker* worker : workers_) {
            worker->trace().set_filter(place, nullptr);
            retired.loops.push_back(worker->counters().loops.load());
        }
        retired_.push_back(std::move(retired));
        trace = {};
    }
}

// The workers in turns, until their rings are empty or the time of a slice is used up.
void TraceFeed::turn() {
    const SliceTimer timer;
    for (bool has_more = true; has_more && !timer.is_over();) {
        has_more = false;
        for (Worker* worker : workers_)
            has_more |= read_from(*worker);
    }
    for (size_t i = 0; i < workers_.size(); ++i) {
        const uint64_t lost = workers_[i]->trace().lost();
        if (lost == lost_[i]) continue;
        for (const Trace& trace : traces_)
            if (trace.listener != nullptr) trace.listener->on_lost(lost - lost_[i]);
        lost_[i] = lost;
    }
    free_retired();
}

bool TraceFeed::read_from(Worker& worker) {
    std::array<TraceRecord, kRecordsAtOnce> records;
    const uint32_t count = worker.trace().read(records.data(), kRecordsAtOnce);
    for (uint32_t i = 0; i < count; ++i)
        for (unsigned place = 0; place < traces_.size(); ++place)
            if (records[i].filters >> place & 1 && traces_[place].listener != nullptr)
                traces_[place].listener->on_record(records[i]);
    return count == kRecordsAtOnce;
}

// A worker may hold a filter until the end of the loop that it was in, and its ring records of it.
void TraceFeed::free_retired() {
    std::erase_if(retired_, [this](const Retired& retired) {
        for (size_t i = 0; i < workers_.size(); ++i)
            if (workers_[i]->counters().loops.load() < retired.loops[i] + 2) return false;
        return true;
    });
    const bool is_wanted = std::any_of(traces_.begin(), traces_.end(), [](const Trace& trace) {
        return trace.listener != nullptr;
    });
    if (is_wanted || !retired_.empty()) return;
    timer_ = {};
    is_running_ = false;
}

}  // namespace rampart
