// Tuples by number for the microbenchmarks, and how they report cycles.
#pragma once

#include <benchmark/benchmark.h>
#include <cstdint>
#include <string>

#include <rte_cycles.h>

#include "base/endian.h"
#include "packet/packet.h"

namespace rampart::bench {

// Clients 10.0.0.0/10 and servers 198.18.0.0/15, as net_pattern has them.
inline Tuple tuple_of(uint32_t index, uint8_t protocol) {
    Tuple tuple{};
    tuple.family = Family::Ipv4;
    tuple.protocol = protocol;
    store_host32(tuple.src.data(), 0x0a000000 | (index & 0x3fff));
    store_host32(tuple.dst.data(), 0xc6120000 | (index & 0x7f) | (index >> 15) << 7);
    tuple.src_port = be16::from_host(static_cast<uint16_t>(0x8000 | (index & 0x7fff)));
    tuple.dst_port = be16::from_host(53);
    return tuple;
}

// To be called after the loop: TSC cycles of CPU time per item.
inline void count_cycles(benchmark::State& state, uint64_t items_per_iteration) {
    const auto items =
        static_cast<double>(state.iterations()) * static_cast<double>(items_per_iteration);
    state.counters["cycles"] =
        benchmark::Counter(items / static_cast<double>(rte_get_tsc_hz()),
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// DPDK wants another name for each table.
inline std::string unique_name() {
    static unsigned count = 0;
    return "micro" + std::to_string(++count);
}

}  // namespace rampart::bench
