#include "conntrack/source_counts.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace rampart {
// Two words per flow, and so per source.
SourceCounts::SourceCounts(uint32_t max_flows, const KeyedHash& hash) noexcept
    : hash_(hash),
      bucket_count_(
          std::clamp<uint64_t>(uint64_t{max_flows} * 2 / kPerBucket, 16, kCountMask + 1)) {}

bool SourceCounts::make_ready() noexcept {
    if (buckets_ == nullptr) buckets_.reset(new (std::nothrow) Bucket[bucket_count_]());
    return buckets_ != nullptr;
}

uint64_t SourceCounts::source_of(const Tuple& tuple, uint8_t prefix4,
                                 uint8_t prefix6) const noexcept {
    FlowKey6 key;
    const unsigned bits = tuple.family == Family::Ipv4 ? prefix4 : prefix6;
    std::memcpy(key.low_address.data(), tuple.src.data(), bits / 8);
    if (bits % 8 != 0)
        key.low_address[bits / 8] =
            static_cast<uint8_t>(tuple.src[bits / 8] & (0xff00 >> bits % 8));
    key.zone = tuple.zone;
    key.pad[0] = static_cast<uint8_t>(tuple.family);
    const uint64_t low = hash_.hash(key);
    key.pad[1] = 1;
    return uint64_t{hash_.hash(key)} << 32 | low;
}

SourceCounts::Added SourceCounts::try_add(uint64_t source, uint32_t limit,
                                          uint32_t& place) noexcept {
    Bucket& bucket = bucket_of(source);
    const uint64_t tag = tag_of(source);
    for (;;) {
        Word* free = nullptr;
        Word* own = nullptr;
        uint64_t seen = 0;
        for (Word& word : bucket.words) {
            const uint64_t value = word.load(std::memory_order_relaxed);
            if (value == 0) {
                if (free == nullptr) free = &word;
            } else if (tag_of(value) == tag) {
                own = &word;
                seen = value;
                break;
            }
        }
        if (own != nullptr && (seen & kCountMask) >= std::min<uint64_t>(limit, kCountMask))
            return Added::Refused;
        if (own == nullptr) {
            if (free == nullptr) return Added::Uncounted;
            own = free;
            seen = 0;
        }
        const uint64_t wanted = seen == 0 ? tag + 1 : seen + 1;
        if (!own->compare_exchange_weak(seen, wanted, std::memory_order_relaxed)) continue;
        place = static_cast<uint32_t>(bucket_index(source) * kPerBucket +
                                      static_cast<uint64_t>(own - bucket.words) + 1);
        return Added::Counted;
    }
}

// The word keeps its source as long as it counts a flow.
void SourceCounts::remove(uint32_t place) noexcept {
    Word& word = word_at(place);
    uint64_t value = word.load(std::memory_order_relaxed);
    while (!word.compare_exchange_weak(value, (value & kCountMask) == 1 ? 0 : value - 1,
                                       std::memory_order_relaxed)) {
    }
}

uint32_t SourceCounts::count_of(uint64_t source) const noexcept {
    uint64_t count = 0;
    for (const Word& word : bucket_of(source).words) {
        const uint64_t value = word.load(std::memory_order_relaxed);
        if (value != 0 && tag_of(value) == tag_of(source)) count += value & kCountMask;
    }
    return static_cast<uint32_t>(count);
}

}  // namespace rampart
