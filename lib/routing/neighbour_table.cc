#include "routing/neighbour_table.h"

#include <cstring>
#include <sys/random.h>

#include <rte_ring_elem.h>

namespace rampart {
namespace {

// A ring's elements have a multiple of four bytes.
struct alignas(8) Request {
    NeighbourKey key;
};
static_assert(sizeof(Request) == 24);

// The last step of MurmurHash3: each bit of the input changes each bit of the output.
uint64_t mixed(uint64_t value) noexcept {
    value ^= value >> 33;
    value *= 0xff51afd7ed558ccdu;
    value ^= value >> 33;
    value *= 0xc4ceb9fe1a85ec53u;
    return value ^ value >> 33;
}

}  // namespace

size_t NeighbourTable::KeyHash::operator()(const NeighbourKey& key) const noexcept {
    uint64_t words[2];
    std::memcpy(words, key.address.data(), sizeof words);
    uint64_t value = mixed(seed ^ words[0] ^ uint64_t{key.interface} << 56);
    value = mixed(value + words[1]);
    return mixed(value ^ seed << 1 ^ static_cast<uint64_t>(key.family));
}

NeighbourTable::NeighbourTable(uint64_t seed)
    : hash_{seed},
      index_(new std::atomic<uint32_t>[kBuckets]),
      words_(new std::atomic<uint64_t>[kSlots]()),
      keys_(new NeighbourKey[kSlots]),
      used_(new std::atomic<uint8_t>[kSlots]()),
      asked_(new std::atomic<uint64_t>[kAskedWords]()),
      slots_(16, hash_) {
    for (uint32_t i = 0; i < kBuckets; ++i)
        index_[i].store(kEmpty, std::memory_order_relaxed);
}

Result<std::unique_ptr<NeighbourTable>> NeighbourTable::create(const std::string& ring_name) {
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return failure("the system gives no random numbers");
    std::unique_ptr<NeighbourTable> table(new NeighbourTable(seed));
    table->requests_ =
        rte_ring_create_elem(ring_name.c_str(), sizeof(Request), Routing::kMaxRequests, -1,
                             RING_F_SC_DEQ | RING_F_EXACT_SZ);
    if (table->requests_ == nullptr)
        return failure("no memory for the requests for neighbours", "raise memory.size");
    return table;
}

NeighbourTable::~NeighbourTable() {
    rte_ring_free(requests_);
}

NeighbourSlot NeighbourTable::find(const NeighbourKey& key) const noexcept {
    for (size_t at = hash_(key);; ++at) {
        const uint32_t slot = index_[at % kBuckets].load(std::memory_order_acquire);
        if (slot == kEmpty) return kNoNeighbour;
        if (slot != kGone && keys_[slot] == key) return slot;
    }
}

NeighbourWord NeighbourTable::word(NeighbourSlot slot) const noexcept {
    if (slot >= kSlots) return NeighbourWord{};
    // Written only the first time, so that workers do not take the line from each other.
    if (used_[slot].load(std::memory_order_relaxed) == 0)
        used_[slot].store(1, std::memory_order_relaxed);
    return NeighbourWord{words_[slot].load(std::memory_order_acquire)};
}

void NeighbourTable::request(const NeighbourKey& key) noexcept {
    const uint64_t tag = hash_(key) | 1;  // 0 is nobody
    std::atomic<uint64_t>& asked = asked_[(tag >> 1) % kAskedWords];
    if (asked.load(std::memory_order_relaxed) == tag) return;
    if (asked.exchange(tag, std::memory_order_relaxed) == tag) return;
    Request request{key};
    if (rte_ring_mp_enqueue_elem(requests_, &request, sizeof request) != 0)
        asked.store(0, std::memory_order_relaxed);
}

std::vector<NeighbourKey> NeighbourTable::take_requests() {
    std::vector<NeighbourKey> keys;
    Request request;
    while (keys.size() < Routing::kMaxRequests &&
           rte_ring_sc_dequeue_elem(requests_, &request, sizeof request) == 0) {
        asked_[((hash_(request.key) | 1) >> 1) % kAskedWords].store(0, std::memory_order_relaxed);
        keys.push_back(request.key);
    }
    return keys;
}

std::vector<NeighbourKey> NeighbourTable::take_used() {
    std::vector<NeighbourKey> keys;
    for (uint32_t slot = 0; slot < ever_used_; ++slot) {
        if (used_[slot].load(std::memory_order_relaxed) == 0) continue;
        used_[slot].store(0, std::memory_order_relaxed);
        const NeighbourWord word{words_[slot].load(std::memory_order_relaxed)};
        if (word.state() != NeighbourWord::State::None) keys.push_back(keys_[slot]);
    }
    return keys;
}

bool NeighbourTable::set(const NeighbourKey& key, NeighbourWord::State state,
                         const MacAddress& mac) {
    const NeighbourWord word(state, key.interface, mac);
    if (const auto found = slots_.find(key); found != slots_.end()) {
        const uint64_t before =
            words_[found->second].exchange(word.raw(), std::memory_order_release);
        return before != word.raw() && state >= NeighbourWord::State::Resolved;
    }
    if (free_.empty() && ever_used_ == kSlots) {
        ++left_out_;
        return false;
    }
    NeighbourSlot slot = ever_used_;
    if (free_.empty()) {
        ++ever_used_;
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    slots_.emplace(key, slot);
    keys_[slot] = key;
    used_[slot].store(0, std::memory_order_relaxed);
    words_[slot].store(word.raw(), std::memory_order_release);
    publish(key, slot);
    return true;
}

void NeighbourTable::remove(const NeighbourKey& key) {
    const auto found = slots_.find(key);
    if (found == slots_.end()) return;
    const NeighbourSlot slot = found->second;
    unpublish(key, slot);
    words_[slot].store(0, std::memory_order_release);
    removed_.push_back(slot);
    slots_.erase(found);
}

void NeighbourTable::publish(const NeighbourKey& key, NeighbourSlot slot) noexcept {
    for (size_t at = hash_(key);; ++at) {
        std::atomic<uint32_t>& bucket = index_[at % kBuckets];
        const uint32_t seen = bucket.load(std::memory_order_relaxed);
        if (seen != kEmpty && seen != kGone) continue;
        bucket.store(slot, std::memory_order_release);
        return;
    }
}

// Where an empty bucket follows, searches end anyway: the removed ones before it become empty, too.
void NeighbourTable::unpublish(const NeighbourKey& key, NeighbourSlot slot) noexcept {
    size_t at = hash_(key);
    while (index_[at % kBuckets].load(std::memory_order_relaxed) != slot)
        ++at;
    index_[at % kBuckets].store(kGone, std::memory_order_release);
    if (index_[(at + 1) % kBuckets].load(std::memory_order_relaxed) != kEmpty) return;
    for (; index_[at % kBuckets].load(std::memory_order_relaxed) == kGone; --at)
        index_[at % kBuckets].store(kEmpty, std::memory_order_release);
}

std::vector<Routing::NeighbourEntry> NeighbourTable::entries() const {
    std::vector<Routing::NeighbourEntry> entries;
    entries.reserve(slots_.size());
    for (const auto& [key, slot] : slots_)
        entries.push_back({key, NeighbourWord{words_[slot].load(std::memory_order_relaxed)}});
    return entries;
}

bool NeighbourTable::is_short_of_slots() const noexcept {
    return removed_.size() >= kSlots / 8;
}

void NeighbourTable::recycle() {
    free_.insert(free_.end(), removed_.begin(), removed_.end());
    removed_.clear();
}

}  // namespace rampart
