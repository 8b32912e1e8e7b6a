#include "conntrack/gre_key_map.h"

#include <bit>

namespace rampart {
namespace {

// Everything but the source key.
bool is_same_call(const Tuple& a, const Tuple& b) noexcept {
    return a.dst_port == b.dst_port && a.src == b.src && a.dst == b.dst && a.family == b.family &&
           a.zone == b.zone && a.protocol == b.protocol;
}

}  // namespace

GreKeyMap::GreKeyMap(KeyedHash hash, uint32_t capacity)
    : hash_(hash),
      capacity_(std::bit_ceil(capacity < kWays ? kWays : capacity)),
      entries_(std::make_unique<SeqCell<Entry>[]>(capacity_)),
      masters_(std::make_unique<FlowIndex[]>(capacity_)) {
    for (uint32_t i = 0; i < capacity_; ++i) {
        entries_[i].write(Entry{});
        masters_[i] = kNoFlow;
    }
}

uint32_t GreKeyMap::first_of(const Tuple& tuple) const noexcept {
    FlowKey6 key{};
    key.low_address = tuple.dst;
    key.high_address = tuple.src;
    key.low_port = tuple.dst_port;
    key.zone = tuple.zone;
    key.protocol = tuple.protocol;
    return hash_.hash(key) & (capacity_ - 1) & ~(kWays - 1);
}

bool GreKeyMap::add(const Tuple& tuple, FlowIndex master) noexcept {
    const uint32_t first = first_of(tuple);
    uint32_t place = capacity_;
    for (uint32_t i = first; i < first + kWays; ++i) {
        if (masters_[i] == kNoFlow) {
            if (place == capacity_) place = i;
        } else if (is_same_call(entries_[i].own().tuple, tuple)) {
            // A retransmission says the same again; two masters cannot share a call.
            if (masters_[i] != master) return false;
            entries_[i].write({tuple, master});
            return true;
        }
    }
    if (place == capacity_) return false;
    masters_[place] = master;
    entries_[place].write({tuple, master});
    count_.add(1);
    return true;
}

uint32_t GreKeyMap::remove_of_master(FlowIndex master) noexcept {
    if (count() == 0) return 0;
    uint32_t removed = 0;
    for (uint32_t i = 0; i < capacity_; ++i) {
        if (masters_[i] != master) continue;
        masters_[i] = kNoFlow;
        entries_[i].write(Entry{});
        ++removed;
    }
    count_.store(count_.load() - removed);
    return removed;
}

bool GreKeyMap::complete(Tuple& tuple) const noexcept {
    if (count() == 0) return false;
    const uint32_t first = first_of(tuple);
    for (uint32_t i = first; i < first + kWays; ++i) {
        Entry entry;
        if (!entries_[i].read(entry) || entry.master == kNoFlow) continue;
        if (!is_same_call(entry.tuple, tuple)) continue;
        tuple.src_port = entry.tuple.src_port;
        return true;
    }
    return false;
}

}  // namespace rampart
