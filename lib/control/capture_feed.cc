#include "control/capture_feed.h"

#include <algorithm>
#include <cstring>

#include "control/slice_timer.h"
#include "dataplane/worker.h"

namespace rampart {
namespace {

constexpr uint64_t kTurn_us = 10'000;
constexpr uint32_t kCellsAtOnce = 64;

// Where the rules with this id count in `snapshot`.
CaptureFilter::Rules find_rules(const Snapshot* snapshot, const std::string& id) {
    CaptureFilter::Rules found{.snapshot = snapshot};
    if (snapshot == nullptr) return found;
    for (const Chain& chain : snapshot->ruleset.chains)
        for (const Rule& rule : chain.rules)
            if (rule.id == id && found.count < CaptureFilter::kMaxRules)
                found.rule[found.count++] = rule.rule_index;
    return found;
}

}  // namespace

CaptureFeed::CaptureFeed(EventLoop& loop, std::vector<Worker*> workers)
    : loop_(loop), workers_(std::move(workers)), unfinished_(workers_.size()) {}

CaptureFeed::~CaptureFeed() = default;

bool CaptureFeed::add(CaptureListener& listener, CaptureWish wish) {
    unsigned place = 0;
    while (place < captures_.size() && !is_free(place))
        ++place;
    if (place == captures_.size()) return false;
    Capture& capture = captures_[place];
    capture.listener = &listener;
    capture.wish = std::make_shared<const CaptureWish>(std::move(wish));
    capture.filter = make_filter(*capture.wish, published_, nullptr);
    capture.lost_before.clear();
    for (Worker* worker : workers_)
        capture.lost_before.push_back(worker->capture().lost(place));
    set_filter(place, capture.filter.get());
    run();
    return true;
}

void CaptureFeed::run() {
    if (is_running_) return;
    rest_ = loop_.when_idle([this] {
        if (turn()) rest_.trigger();
    });
    timer_ = loop_.every(kTurn_us, [this] {
        if (turn()) rest_.trigger();
    });
    is_running_ = true;
}

// A worker may still write frames for a filter that was taken away.
bool CaptureFeed::is_free(unsigned place) const {
    return captures_[place].listener == nullptr &&
           std::none_of(retired_.begin(), retired_.end(),
                        [place](const Retired& retired) { return retired.place == place; });
}

std::unique_ptr<CaptureFilter> CaptureFeed::make_filter(const CaptureWish& wish,
                                                        const Snapshot* running,
                                                        const Snapshot* next) {
    auto filter = std::make_unique<CaptureFilter>();
    filter->program = wish.frames->program();
    filter->interfaces = wish.interfaces;
    filter->snap_length = wish.snap_length;
    filter->drops_only = wish.drops_only;
    filter->has_reason = wish.reason.has_value();
    filter->reason = wish.reason.value_or(DropReason{});
    filter->by_rule = !wish.rule.empty();
    if (filter->by_rule)
        filter->rules = {find_rules(running, wish.rule), find_rules(next, wish.rule)};
    return filter;
}

void CaptureFeed::set_filter(unsigned place, const CaptureFilter* filter) {
    for (Worker* worker : workers_)
        worker->capture().set_filter(place, filter);
}

// The filter in this place has been taken away from the workers, or exchanged.
void CaptureFeed::retire(unsigned place) {
    Capture& capture = captures_[place];
    Retired retired{place, capture.wish, std::move(capture.filter), {}};
    for (Worker* worker : workers_)
        retired.loops.push_back(worker->counters().loops.load());
    retired_.push_back(std::move(retired));
}

void CaptureFeed::remove(CaptureListener& listener) {
    for (unsigned place = 0; place < captures_.size(); ++place) {
        Capture& capture = captures_[place];
        if (capture.listener != &listener) continue;
        set_filter(place, nullptr);
        retire(place);
        capture = {};
    }
}

uint64_t CaptureFeed::lost(const CaptureListener& listener) const {
    uint64_t lost = 0;
    for (unsigned place = 0; place < captures_.size(); ++place)
        for (size_t i = 0; i < workers_.size() && captures_[place].listener == &listener; ++i)
            lost += workers_[i]->capture().lost(place) - captures_[place].lost_before[i];
    return lost;
}

void CaptureFeed::follow(const Snapshot& next) {
    for (unsigned place = 0; place < captures_.size(); ++place) {
        Capture& capture = captures_[place];
        if (capture.listener == nullptr || capture.wish->rule.empty()) continue;
        auto filter = make_filter(*capture.wish, published_, &next);
        set_filter(place, filter.get());
        retire(place);
        capture.filter = std::move(filter);
    }
    published_ = &next;
}

// The workers in turns, until their rings are empty or the time of a slice is used up.
bool CaptureFeed::turn() {
    const SliceTimer timer;
    const size_t over = count_over();
    bool has_more = true;
    while (has_more && !timer.is_over()) {
        has_more = false;
        for (size_t i = 0; i < workers_.size(); ++i)
            has_more |= read_from(i);
    }
    // Nothing of them is in the rings now.
    if (!has_more) free_retired(over);
    return has_more && is_running_;
}

bool CaptureFeed::read_from(size_t worker) {
    std::array<CaptureCell, kCellsAtOnce> cells;
    const uint32_t count = workers_[worker]->capture().read(cells.data(), kCellsAtOnce);
    for (uint32_t i = 0; i < count; ++i)
        take(unfinished_[worker], cells[i]);
    return count == kCellsAtOnce;
}

void CaptureFeed::take(Unfinished& frame, const CaptureCell& cell) {
    uint32_t used = 0;
    if (!frame.has_head) {
        std::memcpy(&frame.head, cell.bytes.data(), sizeof(frame.head));
        frame.bytes.clear();
        frame.has_head = true;
        used = sizeof(frame.head);
    }
    const size_t missing = frame.head.captured - frame.bytes.size();
    const size_t count = std::min<size_t>(missing, CaptureCell::kBytes - used);
    frame.bytes.insert(frame.bytes.end(), cell.bytes.begin() + used,
                       cell.bytes.begin() + used + static_cast<std::ptrdiff_t>(count));
    if (count != missing) return;
    hand_out(frame);
    frame.has_head = false;
}

void CaptureFeed::hand_out(const Unfinished& frame) {
    for (unsigned place = 0; place < captures_.size(); ++place)
        if (frame.head.filters >> place & 1 && captures_[place].listener != nullptr)
            captures_[place].listener->on_frame(frame.head, frame.bytes);
}

// A worker may hold a filter until the end of the loop that it was in.
size_t CaptureFeed::count_over() const {
    const auto is_held = [this](const Retired& retired) {
        for (size_t i = 0; i < workers_.size(); ++i)
            if (workers_[i]->counters().loops.load() < retired.loops[i] + 2) return true;
        return false;
    };
    return static_cast<size_t>(std::find_if(retired_.begin(), retired_.end(), is_held) -
                               retired_.begin());
}

void CaptureFeed::free_retired(size_t over) {
    retired_.erase(retired_.begin(), retired_.begin() + static_cast<std::ptrdiff_t>(over));
    const bool is_wanted =
        std::any_of(captures_.begin(), captures_.end(),
                    [](const Capture& capture) { return capture.listener != nullptr; });
    if (is_wanted || !retired_.empty()) return;
    timer_ = {};
    rest_ = {};
    is_running_ = false;
}

}  // namespace rampart
