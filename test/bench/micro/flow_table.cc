#include "conntrack/flow_table.h"

#include <memory>
#include <random>
#include <vector>

#include "bench/micro/tuples.h"

namespace rampart::bench {
namespace {

constexpr uint32_t kBatch = 64;
constexpr uint32_t kPackets = 1 << 14;  // drawn before the clock runs

// A table that is 75 % full, with all keys in a row.
struct Bed {
    template <typename Options>
    static void choose(Options& options, bool is_rte_hash) {
        if constexpr (requires { options.index; })
            options.index =
                is_rte_hash ? decltype(options.index)::RteHash : decltype(options.index)::Buckets;
    }

    Bed(uint32_t count, bool is_rte_hash) : flows(count), packets(kPackets) {
        FlowTable::Options options{.name = unique_name(), .capacity = count + count / 3};
        choose(options, is_rte_hash);
        auto created = FlowTable::create(options);
        if (!created) return;
        table = std::move(created.value());
        for (uint32_t i = 0; i < flows; ++i)
            if (!add(i)) table.reset();
    }

    bool add(uint32_t number) {
        FlowInfo info;
        Packet& packet = set_packet(0, number);
        info.original = tuple_of(number, ip_protocol::kUdp);
        const FlowIndex index = table->allocate();
        return index != kNoFlow &&
               table->confirm(index, packet, table->keys().hash_of(info.original), info, 1000);
    }

    Packet& set_packet(uint32_t at, uint32_t number) {
        Packet& packet = packets[at];
        packet.family = Family::Ipv4;
        packet.protocol = ip_protocol::kUdp;
        const KeyOrder order = make_key(tuple_of(number, ip_protocol::kUdp), packet.key4);
        packet.swapped = order.swapped;
        packet.self_inverse = false;
        packet.is_icmp_error = false;
        return packet;
    }

    std::unique_ptr<FlowTable> table;
    uint32_t flows;
    std::vector<Packet> packets;
};

template <typename Keys>
uint32_t find_all(const Keys& keys, const KeyBatch& batch) {
    uint32_t found = 0;
    if constexpr (requires(TableEntry * entries) { keys.find(batch, Family::Ipv4, entries); }) {
        TableEntry entries[kBatch];
        keys.find(batch, Family::Ipv4, entries);
        for (const TableEntry& entry : entries)
            found += !entry.is_none();
    } else {
        keys.find(
            batch, Family::Ipv4, [&](uint32_t, FlowRef) { ++found; },
            [&](uint32_t, TableEntry entry) { found += !entry.is_none(); });
    }
    return found;
}

// Keys hashed and found, in bursts; `is_there`: all of them are, or none.
void find_keys(benchmark::State& state, bool is_rte_hash, bool is_there) {
    Bed bed(static_cast<uint32_t>(state.range(0)), is_rte_hash);
    if (!bed.table) return state.SkipWithError("no table");
    std::mt19937 random(1);
    for (uint32_t i = 0; i < kPackets; ++i)
        bed.set_packet(i, static_cast<uint32_t>(random() % bed.flows) + (is_there ? 0 : bed.flows));
    uint64_t found = 0;
    uint32_t first = 0;
    for (auto _ : state) {
        KeyBatch batch;
        for (uint32_t i = 0; i < kBatch; ++i)
            batch.add(i, bed.packets[first + i]);
        bed.table->keys().hash(batch, Family::Ipv4);
        found += find_all(bed.table->keys(), batch);
        first = (first + kBatch) % kPackets;
    }
    count_cycles(state, kBatch);
    if (found != (is_there ? kBatch * static_cast<uint64_t>(state.iterations()) : 0))
        state.SkipWithError("wrong keys were found");
}

// A flow begins and another ends, at 75 %.
void replace_flows(benchmark::State& state, bool is_rte_hash) {
    Bed bed(static_cast<uint32_t>(state.range(0)), is_rte_hash);
    if (!bed.table) return state.SkipWithError("no table");
    uint32_t next = bed.flows, oldest = 0;
    bool is_good = true;
    for (auto _ : state) {
        const Tuple old = tuple_of(oldest++, ip_protocol::kUdp);
        Packet& packet = bed.set_packet(0, next);
        FlowInfo info;
        info.original = tuple_of(next++, ip_protocol::kUdp);
        const TableEntry entry = bed.table->keys().find(old);
        bed.table->erase(entry.toward(false).index());
        bed.table->end_burst();
        const FlowIndex index = bed.table->allocate();
        is_good &=
            index != kNoFlow &&
            bed.table->confirm(index, packet, bed.table->keys().hash_of(info.original), info, 1000);
    }
    count_cycles(state, 1);
    if (!is_good) state.SkipWithError("a flow was not added");
}

void table_bytes(benchmark::State& state) {
    const auto flows = static_cast<uint32_t>(state.range(0));
    for (auto _ : state)
        benchmark::DoNotOptimize(FlowTable::bytes_for({.capacity = flows, .has_ways = false}));
    state.counters["bytes_per_flow"] =
        static_cast<double>(FlowTable::bytes_for({.capacity = flows, .has_ways = false})) / flows;
    state.counters["routed_bytes_per_flow"] =
        static_cast<double>(FlowTable::bytes_for({.capacity = flows, .keys_per_flow = 2})) / flows;
}

#define SIZES Arg(1 << 12)->Arg(1 << 16)->Arg(1 << 20)
BENCHMARK_CAPTURE(find_keys, own_hit, false, true)->SIZES;
BENCHMARK_CAPTURE(find_keys, own_miss, false, false)->SIZES;
BENCHMARK_CAPTURE(find_keys, rte_hash_hit, true, true)->SIZES;
BENCHMARK_CAPTURE(find_keys, rte_hash_miss, true, false)->SIZES;
BENCHMARK_CAPTURE(replace_flows, own, false)->SIZES;
BENCHMARK_CAPTURE(replace_flows, rte_hash, true)->SIZES;
BENCHMARK(table_bytes)->Arg(1 << 18)->Arg(1 << 20)->Arg(1 << 22)->Arg(1 << 25);

}  // namespace
}  // namespace rampart::bench
