#include "conntrack/expectation_table.h"

#include <bit>

namespace rampart {
namespace {

// What `wanted` finds where `other` is and overlaps with it. Added: it takes its place.
// Two masters may expect the same only if it does not matter whose child comes of it: two phones
// that announce the same port are two hosts behind one address.
ExpectOutcome outcome_beside(const Expectation& other, const Expectation& wanted, bool is_ours,
                             bool shares_masters) noexcept {
    if (!other.is_same(wanted) || !(is_ours || shares_masters)) return ExpectOutcome::Busy;
    if (is_ours && other.flow_class == wanted.flow_class) return ExpectOutcome::Added;
    return other.leads_where(wanted) ? ExpectOutcome::Already : ExpectOutcome::Busy;
}

}  // namespace

ExpectationTable::ExpectationTable(KeyedHash hash, uint32_t capacity)
    : hash_(hash),
      capacity_(capacity),
      bucket_mask_(std::bit_ceil(capacity) - 1),
      heads_(std::make_unique<std::atomic<uint32_t>[]>(bucket_mask_ + 1)),
      next_(std::make_unique<std::atomic<uint32_t>[]>(capacity)),
      cells_(std::make_unique<SeqCell<Expectation>[]>(capacity)),
      slots_(std::make_unique<Slot[]>(capacity)) {
    for (uint32_t bucket = 0; bucket <= bucket_mask_; ++bucket)
        heads_[bucket].store(kNone, std::memory_order_relaxed);
    for (uint32_t slot = 0; slot < capacity; ++slot) {
        next_[slot].store(kNone, std::memory_order_relaxed);
        cells_[slot].write(Expectation{});
    }
}

ExpectationTable::~ExpectationTable() = default;

uint32_t ExpectationTable::bucket_of(const Tuple& tuple) const noexcept {
    FlowKey6 key{};
    key.low_address = tuple.dst;
    key.low_port = tuple.dst_port;
    key.zone = tuple.zone;
    key.protocol = tuple.protocol;
    key.pad[0] = static_cast<uint8_t>(tuple.family);
    return hash_.hash(key) & bucket_mask_;
}

uint32_t ExpectationTable::host_of(const Tuple& original) const noexcept {
    FlowKey6 key{};
    key.low_address = original.src;
    key.zone = original.zone;
    key.pad[0] = static_cast<uint8_t>(original.family);
    return hash_.hash(key);
}

uint32_t ExpectationTable::find(const Tuple& packet, Tick now, Expectation& found) const noexcept {
    if (count() == 0) return kNone;
    uint32_t slot = heads_[bucket_of(packet)].load(std::memory_order_acquire);
    // A slot that is used again meanwhile leads into another chain: no more steps than slots.
    for (uint32_t steps = 0; slot < capacity_ && steps < capacity_; ++steps) {
        if (cells_[slot].read(found) && found.master != kNoFlow && found.matches(packet) &&
            !found.has(expectation_flag::kInactive) && !is_past(found.deadline, now))
            return slot;
        slot = next_[slot].load(std::memory_order_acquire);
    }
    return kNone;
}

ExpectOutcome ExpectationTable::outcome_elsewhere(const Expectation& expectation, Tick now,
                                                  bool shares_masters) const noexcept {
    if (count() == 0) return ExpectOutcome::Added;
    uint32_t slot = heads_[bucket_of(expectation.tuple)].load(std::memory_order_acquire);
    Expectation other;
    for (uint32_t steps = 0; slot < capacity_ && steps < capacity_; ++steps) {
        if (cells_[slot].read(other) && other.master != kNoFlow && other.overlaps(expectation) &&
            !is_past(other.deadline, now))
            return outcome_beside(other, expectation, false, shares_masters);
        slot = next_[slot].load(std::memory_order_acquire);
    }
    return ExpectOutcome::Added;
}

bool ExpectationTable::read(uint32_t slot, Expectation& expectation) const noexcept {
    return slot < capacity_ && cells_[slot].read(expectation) && expectation.master != kNoFlow;
}

// What stands in the way of `expectation`, and is not replaced by it.
ExpectOutcome ExpectationTable::check(const Expectation& expectation, Tick now,
                                      bool shares_masters) const noexcept {
    uint32_t slot = heads_[bucket_of(expectation.tuple)].load(std::memory_order_relaxed);
    for (; slot != kNone; slot = next_[slot].load(std::memory_order_relaxed)) {
        const Expectation other = cells_[slot].own();
        if (is_past(other.deadline, now) || !other.overlaps(expectation)) continue;
        const bool is_ours = other.master == expectation.master;
        const ExpectOutcome outcome = outcome_beside(other, expectation, is_ours, shares_masters);
        if (outcome != ExpectOutcome::Added) return outcome;
    }
    return ExpectOutcome::Added;
}

void ExpectationTable::remove_replaced(const Expectation& expectation, Tick now) noexcept {
    uint32_t slot = heads_[bucket_of(expectation.tuple)].load(std::memory_order_relaxed);
    while (slot != kNone) {
        const uint32_t next = next_[slot].load(std::memory_order_relaxed);
        const Expectation other = cells_[slot].own();
        if (is_past(other.deadline, now) || other.overlaps(expectation)) remove(slot);
        slot = next;
    }
}

// The master's oldest of the class give way until `size` more are within the limit.
void ExpectationTable::make_room(const Expectation& expectation, uint32_t size,
                                 uint32_t class_limit) noexcept {
    while (class_limit != 0) {
        uint32_t oldest = kNone;
        uint32_t count = 0;
        for (uint32_t slot = 0; slot < capacity_; ++slot) {
            const Slot& other = slots_[slot];
            if (other.master != expectation.master || other.flow_class != expectation.flow_class)
                continue;
            ++count;
            if (oldest == kNone || static_cast<int32_t>(other.id - slots_[oldest].id) < 0)
                oldest = slot;
        }
        if (count == 0 || count + size <= class_limit) return;
        remove(oldest);
    }
}

uint32_t ExpectationTable::count_of_host(uint32_t host) const noexcept {
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < capacity_; ++slot)
        count += slots_[slot].master != kNoFlow && slots_[slot].host == host;
    return count;
}

ExpectOutcome ExpectationTable::add(std::span<const Expectation> expectations, uint32_t class_limit,
                                    Tick now, bool shares_masters) noexcept {
    for (const Expectation& expectation : expectations) {
        const ExpectOutcome outcome = check(expectation, now, shares_masters);
        if (outcome != ExpectOutcome::Added) return outcome;
    }
    for (const Expectation& expectation : expectations)
        remove_replaced(expectation, now);
    const auto size = static_cast<uint32_t>(expectations.size());
    make_room(expectations[0], size, class_limit);
    const uint32_t host = host_of(expectations[0].master_original);
    if (count_of_host(host) + size > kPerHost || count() + size > capacity_) {
        expire(now);
        if (count_of_host(host) + size > kPerHost) return ExpectOutcome::HostLimit;
        if (count() + size > capacity_) return ExpectOutcome::Full;
    }
    uint32_t slot = 0;
    for (const Expectation& expectation : expectations) {
        while (slots_[slot].master != kNoFlow)
            ++slot;
        slots_[slot].host = host;
        insert(slot, expectation);
    }
    return ExpectOutcome::Added;
}

void ExpectationTable::insert(uint32_t slot, const Expectation& expectation) noexcept {
    Slot& own = slots_[slot];
    own.master = expectation.master;
    own.deadline = expectation.deadline;
    own.id = next_id_++;
    own.bucket = bucket_of(expectation.tuple);
    own.flow_class = expectation.flow_class;
    own.group = expectation.group;
    Expectation stored = expectation;
    stored.id = own.id;
    cells_[slot].write(stored);
    std::atomic<uint32_t>& head = heads_[own.bucket];
    next_[slot].store(head.load(std::memory_order_relaxed), std::memory_order_relaxed);
    head.store(slot, std::memory_order_release);
    count_.add(1);
}

void ExpectationTable::remove(uint32_t slot) noexcept {
    std::atomic<uint32_t>* link = &heads_[slots_[slot].bucket];
    while (link->load(std::memory_order_relaxed) != slot)
        link = &next_[link->load(std::memory_order_relaxed)];
    link->store(next_[slot].load(std::memory_order_relaxed), std::memory_order_release);
    slots_[slot].master = kNoFlow;
    cells_[slot].write(Expectation{});
    count_.store(count_.load() - 1);
}

bool ExpectationTable::remove(uint32_t slot, uint32_t id) noexcept {
    if (slot >= capacity_ || slots_[slot].master == kNoFlow || slots_[slot].id != id) return false;
    remove(slot);
    return true;
}

bool ExpectationTable::take(const Tuple& packet, Tick now, Expectation& found) noexcept {
    const uint32_t slot = find(packet, now, found);
    if (slot == kNone) return false;
    if (found.has(expectation_flag::kTranslated)) resolve_source(packet, found);
    if (found.has(expectation_flag::kPermanent)) return true;
    remove(slot);
    if (found.group != 0) remove_group(found);
    return true;
}

void ExpectationTable::remove_group(const Expectation& found) noexcept {
    for (uint32_t slot = 0; slot < capacity_; ++slot)
        if (slots_[slot].master == found.master && slots_[slot].group == found.group) remove(slot);
}

void ExpectationTable::resolve_source(const Tuple& packet, Expectation& found) const noexcept {
    ChildTranslation& translation = found.translation;
    // The child comes from where another expectation of its master leads to: to the other side, it
    // comes from where that one is expected.
    for (uint32_t slot = 0; translation.is_paired && slot < capacity_; ++slot) {
        if (slots_[slot].master != found.master || slots_[slot].id == found.id) continue;
        const Expectation pair = cells_[slot].own();
        if (!pair.has(expectation_flag::kTranslated) || pair.tuple.protocol != packet.protocol ||
            pair.translation.destination != packet.src ||
            pair.translation.destination_port != packet.src_port)
            continue;
        translation.source = pair.tuple.dst;
        translation.source_port = pair.tuple.dst_port;
        return;
    }
    const AddressBytes& only = translation.only_source;
    if (only != AddressBytes{} && only != packet.src) translation.source = packet.src;
}

uint32_t ExpectationTable::remove_of_master(FlowIndex master, uint32_t classes) noexcept {
    if (count() == 0) return 0;
    uint32_t removed = 0;
    for (uint32_t slot = 0; slot < capacity_; ++slot) {
        if (slots_[slot].master != master || (classes >> slots_[slot].flow_class & 1) == 0)
            continue;
        remove(slot);
        ++removed;
    }
    return removed;
}

bool ExpectationTable::activate(FlowIndex master, uint8_t flow_class, const Tuple& destination,
                                Tick deadline) noexcept {
    for (uint32_t slot = 0; slot < capacity_; ++slot) {
        if (slots_[slot].master != master || slots_[slot].flow_class != flow_class) continue;
        Expectation own = cells_[slot].own();
        if (own.tuple.dst != destination.dst || own.tuple.dst_port != destination.dst_port ||
            own.tuple.protocol != destination.protocol)
            continue;
        own.flags = static_cast<uint8_t>(own.flags & ~expectation_flag::kInactive);
        own.deadline = slots_[slot].deadline = deadline;
        cells_[slot].write(own);
        return true;
    }
    return false;
}

uint32_t ExpectationTable::expire(Tick now) noexcept {
    if (count() == 0) return 0;
    uint32_t removed = 0;
    for (uint32_t slot = 0; slot < capacity_; ++slot) {
        if (slots_[slot].master == kNoFlow || !is_past(slots_[slot].deadline, now)) continue;
        remove(slot);
        ++removed;
    }
    return removed;
}

}  // namespace rampart
