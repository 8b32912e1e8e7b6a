#include "conntrack/flow_table.h"

#include <algorithm>
#include <new>

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_malloc.h>

#include "base/assert.h"

namespace rampart {
namespace {

// rte_hash inserts by moving keys around, which gets slow and fails near full; it is given enough
// slots to stay below this load when the flow table is full.
constexpr uint32_t kMaxLoadPercent = 85;
constexpr uint32_t kMinHashEntries = 64;

uint32_t hash_entries(uint32_t capacity) noexcept {
    const uint64_t entries = uint64_t{capacity} * 100 / kMaxLoadPercent + 8;
    return static_cast<uint32_t>(std::max<uint64_t>(entries, kMinHashEntries));
}

rte_hash* create_hash(const std::string& name, uint32_t key_bytes, uint32_t capacity, int node) {
    rte_hash_parameters parameters{};
    parameters.name = name.c_str();
    parameters.entries = hash_entries(capacity);
    parameters.key_len = key_bytes;
    parameters.socket_id = node;
    return rte_hash_create(&parameters);
}

template <typename T>
T* allocate_array(const char* name, uint64_t count, int node) {
    void* memory = rte_zmalloc_socket(name, count * sizeof(T), RTE_CACHE_LINE_SIZE, node);
    if (memory == nullptr) return nullptr;
    T* array = static_cast<T*>(memory);
    for (uint64_t i = 0; i < count; ++i)
        new (&array[i]) T;
    return array;
}

void* to_data(FlowRef ref) noexcept {
    return reinterpret_cast<void*>(static_cast<uintptr_t>(ref.raw()));
}

FlowRef to_ref(const void* data) noexcept {
    return FlowRef::from_raw(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(data)));
}

const void* key_of(const Packet& packet) noexcept {
    return &packet.key4;
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
    table->hash_ = options.hash;
    table->sources_ = options.sources;
    table->capacity_ = capacity;
    table->hash4_ = create_hash(options.name + "-4", sizeof(FlowKey4), options.capacity, node);
    table->hash6_ = create_hash(options.name + "-6", sizeof(FlowKey6), options.capacity, node);
    table->flows_ = allocate_array<Flow>("flows", capacity, node);
    table->info_ = allocate_array<SeqCell<FlowInfo>>("flow-info", capacity, node);
    table->sweep_at_ = allocate_array<Shared<Tick>>("flow-sweep", capacity, node);
    table->free_ = allocate_array<FlowIndex>("flow-free", capacity, node);
    table->erased_ = allocate_array<FlowIndex>("flow-erased", capacity, node);
    table->links_ = allocate_array<EvictionLink>("flow-eviction", capacity, node);
    table->unassured_.use(table->links_);
    table->closing_.use(table->links_);
    if (!table->hash4_ || !table->hash6_ || !table->flows_ || !table->info_ || !table->sweep_at_ ||
        !table->free_ || !table->erased_ || !table->links_)
        return failure("no memory for a table of " + std::to_string(options.capacity) + " flows (" +
                           std::to_string(bytes_for(options.capacity) >> 20) + " MiB)",
                       "raise memory.size, reserve more hugepages, or lower conntrack.max");
    table->free_count_ = capacity;
    for (uint32_t i = 0; i < capacity; ++i)
        table->free_[i] = capacity - 1 - i;
    return table;
}

FlowTable::~FlowTable() {
    rte_hash_free(hash4_);
    rte_hash_free(hash6_);
    for (void* array :
         {static_cast<void*>(flows_), static_cast<void*>(info_), static_cast<void*>(sweep_at_),
          static_cast<void*>(free_), static_cast<void*>(erased_), static_cast<void*>(links_)})
        rte_free(array);
}

uint64_t FlowTable::bytes_for(uint32_t capacity) noexcept {
    // Per key, rte_hash keeps the key and its data (rounded to 16), a free-slot entry, and an
    // eighth of a 64-byte bucket in a power-of-two array.
    uint64_t buckets = 1;
    while (buckets * 8 < hash_entries(capacity))
        buckets *= 2;
    const uint64_t entries = hash_entries(capacity);
    const uint64_t hashes = 2 * buckets * 64 + entries * (32 + 64 + 2 * 8);
    return hashes + uint64_t{capacity} * (sizeof(Flow) + sizeof(SeqCell<FlowInfo>) + sizeof(Tick) +
                                          2 * sizeof(FlowIndex) + sizeof(EvictionLink));
}

void FlowTable::hash(KeyBatch& batch, Family family) const noexcept {
    if (family == Family::Ipv4)
        hash_.hash4(batch.key.data(), batch.hash.data(), batch.count);
    else
        hash_.hash6(batch.key.data(), batch.hash.data(), batch.count);
}

void FlowTable::find(const KeyBatch& batch, Family family, FlowRef* refs) const noexcept {
    void* data[KeyBatch::kCapacity];
    hash_sig_t signatures[KeyBatch::kCapacity];
    uint64_t hits = 0;
    std::copy_n(batch.hash.begin(), batch.count, signatures);
    rte_hash_lookup_with_hash_bulk_data(hash_of(family), const_cast<const void**>(batch.key.data()),
                                        signatures, batch.count, &hits, data);
    for (uint32_t i = 0; i < batch.count; ++i)
        refs[i] = hits >> i & 1 ? to_ref(data[i]) : FlowRef{};
}

FlowRef FlowTable::find_again(const Packet& packet, uint32_t hash) const noexcept {
    void* data = nullptr;
    const int found =
        rte_hash_lookup_with_hash_data(hash_of(packet.family), key_of(packet), hash, &data);
    return found < 0 ? FlowRef{} : toward(to_ref(data), packet);
}

FlowIndex FlowTable::allocate() noexcept {
    if (free_count_ == 0) return kNoFlow;
    const FlowIndex index = free_[--free_count_];
    new (&flows_[index]) Flow;
    return index;
}

void FlowTable::release(FlowIndex index) noexcept {
    uncount(index);
    free_[free_count_++] = index;
}

bool FlowTable::confirm(FlowIndex index, const Packet& first_packet, uint32_t hash,
                        const FlowInfo& info, Tick deadline) noexcept {
    // The first packet is original; when it is its own reply, later packets count as replies.
    const bool unswapped_is_reply = first_packet.swapped != first_packet.self_inverse;
    const FlowRef ref(index, unswapped_is_reply ? Direction::Reply : Direction::Original);
    if (rte_hash_add_key_with_hash_data(hash_of(first_packet.family), key_of(first_packet), hash,
                                        to_data(ref)) != 0) {
        release(index);
        return false;
    }
    Flow& flow = flows_[index];
    flow.status.store(static_cast<uint16_t>(flow.status.load() | flow_status::kConfirmed));
    flow.deadline.store(deadline);
    FlowInfo live = info;
    live.serial = next_serial_++;
    live.is_live = 1;
    info_[index].write(live);
    set_sweep(index, deadline);
    count_.add(1);
    unassured_.add(index, deadline);
    return true;
}

void FlowTable::set_closing(FlowIndex index) noexcept {
    closing_.add(index, flows_[index].deadline.load());
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
        const Tick deadline = flows_[oldest].deadline.load();
        const bool is_expired = is_past(deadline, now);
        if (!is_expired && deadline != unassured_.queued_deadline(oldest) && i < kSecondChances) {
            unassured_.requeue(oldest, deadline);
            continue;
        }
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
    FlowInfo info = info_[index].own();
    FlowKey4 key4;
    FlowKey6 key6;
    const bool is_ipv4 = info.original.family == Family::Ipv4;
    if (is_ipv4)
        make_key(info.original, key4);
    else
        make_key(info.original, key6);
    const uint32_t hash = is_ipv4 ? hash_.hash(key4) : hash_.hash(key6);
    const void* key = is_ipv4 ? static_cast<const void*>(&key4) : &key6;
    const int removed = rte_hash_del_key_with_hash(hash_of(info.original.family), key, hash);
    RAMPART_ASSERT(removed >= 0);
    info.is_live = 0;
    info_[index].write(info);
    if (info.source != 0) sources_->remove(info.source);
    uncount(index);
}

void FlowTable::erase(FlowIndex index) noexcept {
    if (!is_live(index)) return;
    Flow& flow = flows_[index];
    forget(index);
    flow.set_status(flow_status::kDying);
    unassured_.remove(index);
    closing_.remove(index);
    sweep_at_[index].store(0);
    erased_[erased_count_++] = index;
    count_.store(count_.load() - 1);
}

void FlowTable::end_burst() noexcept {
    for (uint32_t i = 0; i < erased_count_; ++i) {
        flows_[erased_[i]].status.store(0);
        release(erased_[i]);
    }
    erased_count_ = 0;
}

void FlowTable::set_sweep(FlowIndex index, Tick at) noexcept {
    flows_[index].check_at = at;
    sweep_at_[index].store(sweep_tick(at));
}

void FlowTable::set_deadline(FlowIndex index, Tick deadline) noexcept {
    Flow& flow = flows_[index];
    if (flow.has(flow_status::kFixedTimeout)) return;
    flow.deadline.store(deadline);
    // The sweep may look too early, never too late; when it does, expire_if_due() corrects it. So
    // a flow that is refreshed again and again does not write to the sweep array.
    if (is_past(deadline, flow.check_at) && deadline != flow.check_at) set_sweep(index, deadline);
}

bool FlowTable::is_live(FlowIndex index) const noexcept {
    return index < capacity_ && flows_[index].has(flow_status::kConfirmed) &&
           !flows_[index].has(flow_status::kDying);
}

bool FlowTable::erase_incarnation(FlowIndex index, uint32_t serial) noexcept {
    if (!is_live(index) || info_[index].own().serial != serial) return false;
    erase(index);
    return true;
}

void FlowTable::discount(FlowIndex index, uint32_t serial, unsigned side, uint64_t packets,
                         uint64_t bytes) noexcept {
    if (!is_live(index) || info_[index].own().serial != serial) return;
    Flow& flow = flows_[index];
    // Two callers may have shown the same packets.
    flow.packets[side].store(flow.packets[side].load() -
                             std::min(packets, flow.packets[side].load()));
    flow.bytes[side].store(flow.bytes[side].load() - std::min(bytes, flow.bytes[side].load()));
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

bool FlowTable::expire_if_due(FlowIndex index, Tick now) noexcept {
    if (!is_live(index)) return false;
    const Tick deadline = flows_[index].deadline.load();
    if (!is_past(deadline, now)) {
        set_sweep(index, deadline);
        return false;
    }
    erase(index);
    return true;
}

}  // namespace rampart
