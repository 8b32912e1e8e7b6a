#include "rules/classifier/classifier.h"

#include <vector>

#include "bench/filter_sets.h"
#include "bench/micro/tuples.h"

namespace rampart::bench {
namespace {

constexpr unsigned kBatch = 32;
constexpr size_t kHeaders = 1 << 14;

// From the tuple to the position of the first rule, headers inside rules drawn at random. Beside
// rte_acl: classifier_bench.cc.
void classify(benchmark::State& state, Flavour flavour) {
    const std::vector<Filter> filters =
        make_filters(flavour, Family::Ipv4, static_cast<size_t>(state.range(0)), 1);
    std::vector<Projection> projections;
    for (const Filter& filter : filters)
        projections.push_back(projection_of(filter, Family::Ipv4));
    const Attributes attributes(projections);
    const ChainIndex index(projections, attributes);
    std::mt19937_64 random(2);
    std::vector<Tuple> tuples(kHeaders);
    for (Tuple& tuple : tuples) {
        const Header header =
            header_inside(filters[random() % filters.size()], Family::Ipv4, random);
        tuple.family = Family::Ipv4;
        tuple.protocol = header.protocol;
        tuple.src = header.src;
        tuple.dst = header.dst;
        tuple.src_port = be16::from_host(header.src_port);
        tuple.dst_port = be16::from_host(header.dst_port);
    }
    uint32_t rules[kBatch];
    RuleKey keys[kBatch];
    size_t at = 0;
    for (auto _ : state) {
        for (unsigned i = 0; i < kBatch; ++i)
            make_key(keys[i], {tuples[at + i], CtClass::New, Direction::Original, 0, 1},
                     attributes);
        index.first(keys, kBatch, Family::Ipv4, rules);
        benchmark::DoNotOptimize(rules);
        at = (at + kBatch) % kHeaders;
    }
    count_cycles(state, kBatch);
}

BENCHMARK_CAPTURE(classify, acl, Flavour::Acl)->Arg(1000)->Arg(10000);
BENCHMARK_CAPTURE(classify, fw, Flavour::Fw)->Arg(1000)->Arg(10000);

}  // namespace
}  // namespace rampart::bench
