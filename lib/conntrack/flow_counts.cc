#include "conntrack/flow_counts.h"

#include <algorithm>
#include <bit>

namespace rampart {
namespace {

constexpr unsigned kCountBits = 24;
constexpr uint64_t kCountMask = (uint64_t{1} << kCountBits) - 1;

constexpr uint64_t tag_of(uint64_t key) noexcept {
    return key & ~kCountMask;
}

}  // namespace

// Four times the words: then hardly a key finds its bucket full of others.
FlowCounts::FlowCounts(uint32_t max_keys)
    : max_keys_(max_keys),
      mask_(std::bit_ceil(std::max<uint64_t>(max_keys, 16) * 4 / kPerBucket) - 1),
      buckets_(new Bucket[mask_ + 1]()) {}

uint32_t FlowCounts::add(uint64_t key) noexcept {
    Bucket& bucket = bucket_of(key);
    const uint64_t tag = tag_of(key);
    for (;;) {
        Word* own = nullptr;
        uint64_t seen = 0;
        for (Word& word : bucket.words) {
            const uint64_t value = word.load(std::memory_order_relaxed);
            if (value != 0 && tag_of(value) == tag) {
                own = &word;
                seen = value;
                break;
            }
            if (value == 0 && own == nullptr) own = &word;
        }
        if (own == nullptr || (seen & kCountMask) == kCountMask) return kNoRoom;
        if (own->compare_exchange_weak(seen, seen == 0 ? tag + 1 : seen + 1,
                                       std::memory_order_relaxed))
            return count_of(key);
    }
}

void FlowCounts::remove(uint64_t key) noexcept {
    const uint64_t tag = tag_of(key);
    for (Word& word : bucket_of(key).words) {
        uint64_t value = word.load(std::memory_order_relaxed);
        while (value != 0 && tag_of(value) == tag) {
            const uint64_t wanted = (value & kCountMask) == 1 ? 0 : value - 1;
            if (word.compare_exchange_weak(value, wanted, std::memory_order_relaxed)) return;
        }
    }
}

// Two workers that bring the same key at once may give it two words: both count.
uint32_t FlowCounts::count_of(uint64_t key) const noexcept {
    uint64_t count = 0;
    for (const Word& word : bucket_of(key).words) {
        const uint64_t value = word.load(std::memory_order_relaxed);
        if (value != 0 && tag_of(value) == tag_of(key)) count += value & kCountMask;
    }
    return static_cast<uint32_t>(count);
}

uint32_t FlowCounts::used_keys() const noexcept {
    uint32_t used = 0;
    for (uint64_t i = 0; i <= mask_; ++i)
        for (const Word& word : buckets_[i].words)
            used += word.load(std::memory_order_relaxed) != 0;
    return used;
}

uint64_t FlowCounts::flows() const noexcept {
    uint64_t flows = 0;
    for (uint64_t i = 0; i <= mask_; ++i)
        for (const Word& word : buckets_[i].words)
            flows += word.load(std::memory_order_relaxed) & kCountMask;
    return flows;
}

CountedFlows::CountedFlows(uint32_t flow_slots)
    : first_(new uint32_t[flow_slots]), records_(new Record[2 * uint64_t{flow_slots}]) {
    std::fill_n(first_.get(), flow_slots, kEnd);
    const uint32_t count = 2 * flow_slots;
    for (uint32_t i = 0; i < count; ++i)
        records_[i].next = i + 1 < count ? i + 1 : kEnd;
}

FlowCounts* CountedFlows::counts_of(uint32_t rule) const noexcept {
    const auto found = std::lower_bound(
        rules_.begin(), rules_.end(), rule,
        [](const CountingRule& one, uint32_t number) { return one.number < number; });
    return found != rules_.end() && found->number == rule ? found->counts : nullptr;
}

uint32_t CountedFlows::count(FlowIndex flow, const CountingRule& rule, uint64_t key) noexcept {
    for (uint32_t* link = &first_[flow]; *link != kEnd;) {
        Record& record = records_[*link];
        if (record.rule == rule.number && record.key == key) return rule.counts->count_of(key);
        if (counts_of(record.rule) != nullptr) {
            link = &record.next;
            continue;
        }
        // Its rule is gone.
        const uint32_t stale = *link;
        *link = record.next;
        record.next = free_;
        free_ = stale;
        --used_;
    }
    if (free_ == kEnd) return FlowCounts::kNoRoom;
    const uint32_t count = rule.counts->add(key);
    if (count == FlowCounts::kNoRoom) return count;
    const uint32_t index = free_;
    free_ = records_[index].next;
    records_[index] = {key, rule.number, first_[flow]};
    first_[flow] = index;
    ++used_;
    return count;
}

void CountedFlows::uncount(FlowIndex flow) noexcept {
    while (first_[flow] != kEnd) {
        const uint32_t index = first_[flow];
        Record& record = records_[index];
        if (FlowCounts* counts = counts_of(record.rule)) counts->remove(record.key);
        first_[flow] = record.next;
        record.next = free_;
        free_ = index;
        --used_;
    }
}

}  // namespace rampart
