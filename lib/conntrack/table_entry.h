// TableEntry: what the flow table keeps under a key.
//
//   plain     a flow without translation: both directions have this key, and find it
//   one way   a direction of a translated flow: only packets of one order of the key find it
//   foreign   a flow of another worker: the packet is handed there; promised until that one has
//             told of the flow (foreign_keys.h)
//
// Two translated flows may share a key, each in its own order of it; the second one is then kept
// under the key's other form (FlowTable). Value type; what the hash stores as its data.
#pragma once

#include <cstdint>

#include "conntrack/flow.h"

namespace rampart {

class TableEntry {
  public:
    constexpr TableEntry() noexcept = default;
    static constexpr TableEntry from_raw(uint64_t raw) noexcept {
        TableEntry entry;
        entry.raw_ = raw;
        return entry;
    }
    static constexpr TableEntry plain(FlowRef ref) noexcept { return from_raw(ref.raw()); }
    // `ref` is that of packets whose key is in this order.
    static constexpr TableEntry one_way(FlowRef ref, bool swapped) noexcept {
        return from_raw((uint64_t{ref.raw()} ^ uint64_t{swapped}) | kOneWay |
                        (swapped ? kSwapped : 0));
    }
    static constexpr TableEntry foreign(uint16_t worker, bool swapped) noexcept {
        return from_raw(uint64_t{worker} | kForeign | kOneWay | (swapped ? kSwapped : 0));
    }

    static constexpr TableEntry promised(uint16_t worker, bool swapped) noexcept {
        return from_raw(foreign(worker, swapped).raw() | kPromised);
    }

    constexpr uint64_t raw() const noexcept { return raw_; }
    // Also true when there is nothing.
    constexpr bool is_plain() const noexcept { return raw_ >> 32 == 0; }
    constexpr bool is_none() const noexcept { return raw_ == FlowRef{}.raw(); }
    constexpr bool is_foreign() const noexcept { return raw_ & kForeign; }
    // Packets whose key is in this order find the flow here.
    constexpr bool covers(bool swapped) const noexcept {
        return is_plain() || ((raw_ & kSwapped) != 0) == swapped;
    }
    constexpr uint16_t worker() const noexcept { return static_cast<uint16_t>(raw_); }
    constexpr FlowIndex index() const noexcept { return stored().index(); }
    // The flow, with the direction of a packet that is covered.
    constexpr FlowRef toward(bool swapped) const noexcept {
        return FlowRef::from_raw(stored().raw() ^ static_cast<uint32_t>(swapped));
    }

  private:
    static constexpr uint64_t kOneWay = uint64_t{1} << 32, kSwapped = uint64_t{1} << 33,
                              kForeign = uint64_t{1} << 34, kPromised = uint64_t{1} << 35;
    constexpr FlowRef stored() const noexcept {
        return FlowRef::from_raw(static_cast<uint32_t>(raw_));
    }

    uint64_t raw_ = FlowRef{}.raw();
};

}  // namespace rampart
