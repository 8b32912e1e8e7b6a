#include <memory>
#include <random>

#include "bench/micro/tuples.h"
#include "nat/binding.h"

namespace rampart::bench {
namespace {

constexpr uint32_t kPorts = 4096;

// The search for a free port for sources whose own port is not in the range, with this share of the
// range's ports taken toward the same server, in percent.
void find_port(benchmark::State& state) {
    auto table =
        FlowTable::create({.name = unique_name(), .capacity = 2 * kPorts, .keys_per_flow = 2});
    if (!table) return state.SkipWithError("no table");
    SourceIndex sources(**table, KeyedHash::from_seed(1));
    KeyedRandom random(KeyedHash::from_seed(2));
    const Flow starting{};
    NatRange range;
    range.has_addresses = range.has_ports = true;
    store_host32(range.first.data(), 0xc0000201);
    range.last = range.first;
    range.first_port = 20000;
    range.last_port = 20000 + kPorts - 1;
    const auto translate = [&](uint32_t source) {
        TupleSpace space{
            .flows = **table, .sources = sources, .random = random, .now = 1, .starting = starting};
        Tuple tuple = tuple_of(source, ip_protocol::kUdp);
        store_host32(tuple.dst.data(), 0xc6120001);
        Binding binding(tuple);
        bind(space, binding, Manip::Source, range);
        return binding;
    };
    const auto taken = static_cast<uint32_t>(kPorts * state.range(0) / 100);
    for (uint32_t i = 0; i < taken; ++i) {
        const Binding binding = translate(i);
        const FlowIndex index = (*table)->allocate();
        FlowInfo info;
        info.original = binding.original;
        (*table)->flow(index).set_status(flow_status::kSrcNat);
        // As many as the search finds: when most are taken it gives up now and then.
        if ((*table)->confirm_translated(
                index, info, {.reply = binding.reply(), .pool = 0, .masquerade = 0}, 1000))
            sources.add(index, binding.original);
    }
    uint32_t source = 1 << 13;
    for (auto _ : state) {
        const Binding binding = translate(source);
        benchmark::DoNotOptimize(binding.translated);
        if (!binding.changes_source()) return state.SkipWithError("nothing was translated");
        source = (source + 1) % (1 << 14) | 1 << 13;
    }
    count_cycles(state, 1);
}

BENCHMARK(find_port)->Arg(0)->Arg(50)->Arg(90)->Arg(98);

}  // namespace
}  // namespace rampart::bench
