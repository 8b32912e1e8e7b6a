#include "conntrack/flow_table.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include <rte_malloc.h>

#include "base/assert.h"
#include "base/prefetch.h"

namespace rampart {
namespace {

FlowIndex* allocate_indexes(const char* name, uint64_t count, int node) {
    return static_cast<FlowIndex*>(
        rte_zmalloc_socket(name, count * sizeof(FlowIndex), RTE_CACHE_LINE_SIZE, node));
}

TableEntry one_way_entry(uint32_t ref, bool swapped) noexcept {
    return TableEntry::one_way(FlowRef::from_raw(ref), swapped);
}

uint32_t ref_of(FlowIndex index, Direction direction) noexcept {
    return FlowRef(index, direction).raw();
}

FlowRef plain_ref(FlowIndex index, bool is_turned) noexcept {
    return {index, is_turned ? Direction::Reply : Direction::Original};
}

// Packets of the flow have been counted since it began.
bool has_counts(const FlowArrays& arrays, FlowIndex index) noexcept {
    return arrays.accounting != nullptr && arrays.flows[index].has(flow_status::kCounted);
}

// 0 means "free" in the sweep array, so a deadline of tick 0 is looked at one tick later.
Tick sweep_tick(Tick deadline) noexcept {
    return deadline == 0 ? 1 : deadline;
}

}  // namespace

Result<std::unique_ptr<FlowTable>> FlowTable::create(const Options& options) {
    if (options.capacity == 0 || options.capacity > kMaxCapacity)
        return failure("a flow table needs room for 1 to " + std::to_string(kMaxCapacity) +
                           " flows per worker",
                       "change conntrack.max");
    std::unique_ptr<FlowTable> table(new FlowTable);
    const int node = options.numa_node;
    const uint32_t capacity = options.capacity + kSpareSlots;
    table->sources_ = options.sources;
    table->capacity_ = capacity;
    const bool has_keys = table->keys_.create(key_options(options), table->arrays_);
    table->free_ = allocate_indexes("flow-free", capacity, node);
    if (!has_keys || !table->arrays_.create(capacity, options.parts(), node) || !table->free_)
        return failure("no memory for a table of " + std::to_string(options.capacity) + " flows (" +
                           std::to_string(bytes_for(options) >> 20) + " MiB)",
                       "raise memory.size, reserve more hugepages, or lower conntrack.max");
    for (SlotQueue* queue : {&table->unassured_, &table->closing_, &table->erased_})
        queue->use(table->arrays_.records);
    table->free_count_ = capacity;
    for (uint32_t i = 0; i < capacity; ++i)
        table->free_[i] = capacity - 1 - i;
    return table;
}

FlowTable::~FlowTable() {
    rte_free(free_);
}

FlowInfo FlowTable::info(FlowIndex index) const noexcept {
    const FlowRecord& record = arrays_.records[index];
    return {original_tuple(index), record.created_ns.load(), record.serial(), record.source};
}

bool FlowTable::read_info(FlowIndex index, FlowInfo& info) const noexcept {
    const FlowRecord& record = arrays_.records[index];
    const uint32_t before = record.incarnation.load(std::memory_order_acquire);
    if (!(before & FlowRecord::kLive)) return false;
    info = {original_tuple(index), record.created_ns.load(), before & kMaxSerial, 0};
    std::atomic_thread_fence(std::memory_order_acquire);
    return record.incarnation.load(std::memory_order_relaxed) == before;
}

bool FlowTable::read_reply(FlowIndex index, FlowReply& reply) const noexcept {
    return arrays_.reply[index].read(reply);
}

Tuple FlowTable::tuple_of(FlowIndex index, Direction direction) const noexcept {
    if (direction == Direction::Original) return original_tuple(index);
    return arrays_.flows[index].is_translated() ? reply(index).reply
                                                : invert(original_tuple(index));
}

FlowIndex FlowTable::allocate() noexcept {
    if (free_count_ == 0) return kNoFlow;
    const FlowIndex index = free_[--free_count_];
    // What is in the second line and in `accounting` others make valid.
    std::memset(static_cast<void*>(&arrays_.flows[index]), 0, offsetof(Flow, tcp));
    if (arrays_.forwarding != nullptr) new (&arrays_.forwarding[index]) Forwarding;
    return index;
}

void FlowTable::prefetch_free(uint32_t ahead, bool is_tcp, bool is_counted) const noexcept {
    if (ahead < free_count_)
        arrays_.prefetch_begin(free_[free_count_ - 1 - ahead], is_tcp, is_counted);
}

void FlowTable::release(FlowIndex index) noexcept {
    uncount(index);
    free_[free_count_++] = index;
}

void FlowTable::uncount(FlowIndex index) noexcept {
    if (counted_ != nullptr) counted_->uncount(index);
}

void FlowTable::enter(FlowIndex index, FlowInfo& info, bool is_turned, Tick deadline) noexcept {
    Flow& flow = arrays_.flows[index];
    flow.status.store(static_cast<uint16_t>(flow.status.load() | flow_status::kConfirmed));
    flow.deadline.store(deadline);
    info.serial = next_serial_++ & kMaxSerial;
    FlowRecord& record = arrays_.records[index];
    record.created_ns.store(info.created_ns);
    record.source = info.source;
    record.begin(info.serial, is_turned);
    set_sweep(index, deadline);
    count_.add(1);
    by_protocol_.begun[tracker_number(info.original.protocol)].add(1);
    unassured_.add(index, deadline);
}

bool FlowTable::confirm(FlowIndex index, const Packet& first_packet, uint32_t hash, FlowInfo& info,
                        Tick deadline) noexcept {
    // The first packet is original; when it is its own reply, later packets count as replies.
    const bool is_turned = first_packet.swapped != first_packet.self_inverse;
    arrays_.store_key(index, first_packet);
    if (!keys_.insert(first_packet, hash, TableEntry::plain(plain_ref(index, is_turned)))) {
        release(index);
        return false;
    }
    enter(index, info, is_turned, deadline);
    return true;
}

bool FlowTable::confirm_translated(FlowIndex index, FlowInfo& info, const FlowReply& reply,
                                   Tick deadline) noexcept {
    const uint32_t forth = ref_of(index, Direction::Original);
    const uint32_t back = ref_of(index, Direction::Reply);
    // What says whose keys these are, before they are entered. Control does not see it yet.
    const KeyOrder order = arrays_.store_key(index, info.original);
    arrays_.reply[index].write(reply);
    bool is_in = keys_.insert_one_way(info.original, one_way_entry, forth);
    if (is_in && !keys_.insert_one_way(reply.reply, one_way_entry, back)) {
        keys_.remove_one_way(info.original, one_way_entry, forth);
        is_in = false;
    }
    if (!is_in) {
        release(index);
        return false;
    }
    enter(index, info, order.swapped, deadline);
    return true;
}

void FlowTable::set_assured(FlowIndex index) noexcept {
    unassured_.remove(index);
    closing_.remove(index);
}

void FlowTable::set_closing(FlowIndex index) noexcept {
    unassured_.remove(index);
    closing_.add(index, arrays_.flows[index].deadline.load());
}

void FlowTable::set_essential(FlowIndex index) noexcept {
    unassured_.remove(index);
}

FlowTable::Evicted FlowTable::evict(Tick now) noexcept {
    // Flows that saw traffic since they were queued go to the end, a bounded number of times.
    constexpr unsigned kSecondChances = 8;
    for (unsigned i = 0;; ++i) {
        const FlowIndex oldest = unassured_.oldest();
        if (oldest == kNoFlow) break;
        const Tick deadline = arrays_.flows[oldest].deadline.load();
        const bool is_expired = is_past(deadline, now);
        if (!is_expired && deadline != unassured_.queued_deadline(oldest) && i < kSecondChances) {
            unassured_.requeue(oldest, deadline);
            continue;
        }
        if (const FlowIndex next = unassured_.after(oldest); next != kNoFlow)
            arrays_.prefetch_end(next);
        erase(oldest);
        return is_expired ? Evicted::Expired : Evicted::Unassured;
    }
    return Evicted::Nothing;
}

uint32_t FlowTable::evict_closing(uint32_t count) noexcept {
    uint32_t evicted = 0;
    for (; evicted < count && closing_.oldest() != kNoFlow; ++evicted)
        erase(closing_.oldest());
    return evicted;
}

void FlowTable::forget(FlowIndex index) noexcept {
    FlowRecord& record = arrays_.records[index];
    const Flow& flow = arrays_.flows[index];
    if (!flow.is_translated()) {
        keys_.remove_plain(keys_.hash_of(index), plain_ref(index, record.is_turned()));
    } else {
        const FlowReply translated = reply(index);
        keys_.remove_one_way(original_tuple(index), one_way_entry,
                             ref_of(index, Direction::Original));
        keys_.remove_one_way(translated.reply, one_way_entry, ref_of(index, Direction::Reply));
    }
    record.end();
    by_protocol_.ended[tracker_number(flow.key.protocol())].add(1);
    if (record.source != 0) sources_->remove(record.source);
    uncount(index);
}

void FlowTable::erase(FlowIndex index) noexcept {
    if (!is_live(index)) return;
    Flow& flow = arrays_.flows[index];
    forget(index);
    flow.set_status(flow_status::kDying);
    unassured_.remove(index);
    closing_.remove(index);
    arrays_.sweep_at[index].store(0);
    erased_.add(index, 0);
    count_.store(count_.load() - 1);
}

void FlowTable::end_burst() noexcept {
    end_burst([](FlowIndex) { return true; });
}

void FlowTable::give_back(FlowIndex index) noexcept {
    arrays_.flows[index].status.store(0);
    release(index);
}

void FlowTable::set_sweep(FlowIndex index, Tick at) noexcept {
    arrays_.flows[index].check_at = at;
    arrays_.sweep_at[index].store(sweep_tick(at));
}

void FlowTable::set_deadline(FlowIndex index, Tick deadline) noexcept {
    Flow& flow = arrays_.flows[index];
    if (!flow.has(flow_status::kFixedTimeout)) refresh(flow, index, deadline);
}

FlowTraffic FlowTable::traffic(FlowIndex index) const noexcept {
    FlowTraffic traffic;
    if (!has_counts(arrays_, index)) return traffic;
    std::atomic_thread_fence(std::memory_order_acquire);
    const FlowAccounting& own = arrays_.accounting[index];
    for (const unsigned side : {0u, 1u}) {
        traffic.packets[side] = own.packets[side].load();
        traffic.bytes[side] = own.bytes[side].load();
    }
    return traffic;
}

bool FlowTable::is_live(FlowIndex index) const noexcept {
    return index < capacity_ && arrays_.flows[index].has(flow_status::kConfirmed) &&
           !arrays_.flows[index].has(flow_status::kDying);
}

bool FlowTable::erase_incarnation(FlowIndex index, uint32_t serial) noexcept {
    if (!is_live(index) || arrays_.records[index].serial() != serial) return false;
    erase(index);
    return true;
}

void FlowTable::discount(FlowIndex index, uint32_t serial, unsigned side, uint64_t packets,
                         uint64_t bytes) noexcept {
    if (!is_live(index) || arrays_.records[index].serial() != serial) return;
    if (!has_counts(arrays_, index)) return;
    FlowAccounting& own = arrays_.accounting[index];
    // Two callers may have shown the same packets.
    own.packets[side].store(own.packets[side].load() - std::min(packets, own.packets[side].load()));
    own.bytes[side].store(own.bytes[side].load() - std::min(bytes, own.bytes[side].load()));
}

uint32_t FlowTable::erase_range(FlowIndex first, uint32_t count) noexcept {
    uint32_t erased = 0;
    for (uint32_t i = 0; i < count; ++i) {
        if (!is_live(first + i)) continue;
        erase(first + i);
        ++erased;
    }
    return erased;
}

void FlowTable::prefetch_end_if_due(FlowIndex index, Tick now) const noexcept {
    if (!is_live(index) || !is_past(arrays_.flows[index].deadline.load(), now)) return;
    keys_.prefetch(keys_.hash_of(index));
    const SlotLink& link = arrays_.records[index].link;
    for (const FlowIndex neighbour : {link.older, link.newer})
        if (neighbour != kNoFlow) prefetch_to_write(&arrays_.records[neighbour]);
}

bool FlowTable::expire_if_due(FlowIndex index, Tick now) noexcept {
    if (!is_live(index)) return false;
    const Tick deadline = arrays_.flows[index].deadline.load();
    if (!is_past(deadline, now)) {
        set_sweep(index, deadline);
        return false;
    }
    erase(index);
    return true;
}

}  // namespace rampart
