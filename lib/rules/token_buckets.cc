#include "rules/token_buckets.h"

#include <algorithm>
#include <bit>

namespace rampart {
namespace {

__extension__ using Wide = unsigned __int128;
__extension__ typedef unsigned __int128 __attribute__((may_alias)) WideCell;

// Time is counted in 1/16 ns: fine enough for rates of 100 million per second, and 36 years long.
constexpr unsigned kTimeShift = 4;
constexpr uint64_t kUnitsPerSecond = uint64_t{1'000'000'000} << kTimeShift;
constexpr uint64_t kTentative = 1;
// The clocks of two workers may differ by one turn of their loops. A bucket is forgotten only when
// it is full in the eyes of all of them.
constexpr uint64_t kGrace = kUnitsPerSecond / 20;
constexpr unsigned kMaxAttempts = 1000;

constexpr uint64_t scaled(uint64_t ns) noexcept {
    return ns << kTimeShift;
}

}  // namespace

TokenBuckets::TokenBuckets(const LimitTerms& limit, uint32_t max_keys) : max_keys_(max_keys) {
    const Wide period = Wide{limit.rate.period_s} * kUnitsPerSecond;
    const uint64_t amount = limit.rate.amount;
    // As many fractional bits as leave room for the longest packet (2^16 bytes).
    constexpr uint64_t kMultiplierLimit = uint64_t{1} << 46;
    while (shift_ < 32 && (period << (shift_ + 1)) / amount < kMultiplierLimit)
        ++shift_;
    multiplier_ = static_cast<uint64_t>(((period << shift_) + amount - 1) / amount);
    // From the multiplier, so that exactly `burst` rounded costs fit.
    capacity_ = limit.rate.in_bytes
                    ? static_cast<uint64_t>((Wide{limit.burst} * multiplier_) >> shift_)
                    : limit.burst * cost_of(1);
    if (max_keys_ == 0) return;
    // Twice the cells: when half of them are in use, hardly a key finds both its lines full.
    const uint64_t lines = std::bit_ceil(std::max<uint64_t>(uint64_t{max_keys_} * 2 / kPerLine, 2));
    line_mask_ = lines - 1;
    lines_.reset(new Line[lines]);
}

uint64_t TokenBuckets::cost_of(uint64_t amount) const noexcept {
    return (amount * multiplier_ + (uint64_t{1} << shift_) - 1) >> shift_;
}

TokenBuckets::Places TokenBuckets::places_of(uint64_t key) const noexcept {
    return {{&lines_[key >> 1 & line_mask_], &lines_[key >> 32 & line_mask_]}};
}

// The halves belong together when the key was the same before and after.
TokenBuckets::Content TokenBuckets::read(const Cell& cell) noexcept {
    for (;;) {
        const uint64_t key = cell.key.load(std::memory_order_acquire);
        const uint64_t full_at = cell.full_at.load(std::memory_order_acquire);
        if (cell.key.load(std::memory_order_relaxed) == key) return {key, full_at};
    }
}

bool TokenBuckets::swap(Cell& cell, Content expected, Content wanted) noexcept {
    return __sync_bool_compare_and_swap(reinterpret_cast<WideCell*>(&cell),
                                        std::bit_cast<Wide>(expected), std::bit_cast<Wide>(wanted));
}

bool TokenBuckets::take_from_one(uint64_t now, uint64_t cost) noexcept {
    uint64_t full_at = full_at_.load(std::memory_order_relaxed);
    for (;;) {
        const uint64_t wanted = std::max(full_at, now) + cost;
        if (wanted > now + capacity_) return false;
        if (full_at_.compare_exchange_weak(full_at, wanted, std::memory_order_relaxed)) return true;
    }
}

bool TokenBuckets::take(uint64_t key, uint64_t now_ns, uint64_t amount) noexcept {
    const uint64_t now = scaled(now_ns);
    const uint64_t cost = cost_of(amount);
    if (max_keys_ == 0) return take_from_one(now, cost);
    key &= ~kTentative;
    if (key == 0) key = kTentative << 1;
    for (unsigned attempt = 0; attempt < kMaxAttempts; ++attempt) {
        switch (try_take(key, now, cost)) {
            case Outcome::Taken:
                return true;
            case Outcome::Refused:
                return false;
            case Outcome::NoRoom:
                attempt = kMaxAttempts;
                break;
            case Outcome::Again:
                break;
        }
    }
    without_room_.fetch_add(1, std::memory_order_relaxed);
    return false;
}

TokenBuckets::Outcome TokenBuckets::try_take(uint64_t key, uint64_t now, uint64_t cost) noexcept {
    const Places places = places_of(key);
    for (unsigned at = 0; at < kPlaces; ++at)
        if (places[at].key.load(std::memory_order_relaxed) == key)
            return charge(places[at], key, now, cost);
    if (cost > capacity_) return Outcome::Refused;
    return insert(places, key, now, cost);
}

TokenBuckets::Outcome TokenBuckets::charge(Cell& cell, uint64_t key, uint64_t now,
                                           uint64_t cost) noexcept {
    const Content seen = read(cell);
    if (seen.key != key) return Outcome::Again;
    const uint64_t wanted = std::max(seen.full_at, now) + cost;
    if (wanted > now + capacity_) return Outcome::Refused;
    return swap(cell, seen, {key, wanted}) ? Outcome::Taken : Outcome::Again;
}

// The emptier of the two lines takes the key, so that both fill evenly.
TokenBuckets::Cell* TokenBuckets::find_free(const Places& places, uint64_t now,
                                            Content& content) noexcept {
    Cell* found = nullptr;
    unsigned most = 0;
    for (Line* line : places.lines) {
        Cell* first = nullptr;
        Content first_content{};
        unsigned count = 0;
        for (Cell& cell : line->cells) {
            const Content seen = read(cell);
            const bool is_settled = (seen.key & kTentative) == 0;
            if (seen.key != 0 && !(is_settled && seen.full_at + kGrace <= now)) continue;
            if (++count > 1) continue;
            first = &cell;
            first_content = seen;
        }
        if (count <= most) continue;
        most = count;
        found = first;
        content = first_content;
    }
    return found;
}

TokenBuckets::Outcome TokenBuckets::insert(const Places& places, uint64_t key, uint64_t now,
                                           uint64_t cost) noexcept {
    Content seen{};
    Cell* cell = find_free(places, now, seen);
    if (cell == nullptr) return Outcome::NoRoom;
    const Content tentative{key | kTentative, now};
    if (!swap(*cell, seen, tentative)) return Outcome::Again;
    const bool is_own = is_alone(places, *cell, key);
    // Nobody else changes a tentative cell.
    swap(*cell, tentative, is_own ? Content{key, now + cost} : Content{0, 0});
    return is_own ? Outcome::Taken : Outcome::Again;
}

// Two workers may bring the same key at once. Each has written its cell before it looks, so at
// least one sees the other. A confirmed cell stays; of two tentative ones that with the lower
// address does, and waits until the other is gone or turns out to be confirmed.
bool TokenBuckets::is_alone(const Places& places, const Cell& own, uint64_t key) noexcept {
    for (unsigned at = 0; at < kPlaces; ++at) {
        const Cell& other = places[at];
        if (&other == &own) continue;
        for (unsigned waits = 0;; ++waits) {
            const uint64_t found = other.key.load(std::memory_order_acquire);
            if (found == key) return false;
            if (found != (key | kTentative)) break;
            if (&other < &own || waits == kMaxAttempts) return false;
        }
    }
    return true;
}

uint32_t TokenBuckets::used_keys(uint64_t now_ns) const noexcept {
    if (max_keys_ == 0) return 0;
    uint32_t used = 0;
    for (uint64_t line = 0; line <= line_mask_; ++line)
        for (const Cell& cell : lines_[line].cells)
            used += cell.key.load(std::memory_order_relaxed) != 0 &&
                    cell.full_at.load(std::memory_order_relaxed) > scaled(now_ns);
    return used;
}

}  // namespace rampart
