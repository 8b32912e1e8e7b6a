#include "conntrack/flow_counts.h"

#include <map>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace rampart::test {

TEST_CASE("a flow is counted once for each rule and key, and taken off once") {
    FlowCounts ssh(100), web(100);
    const CountingRule rules[] = {{1, &ssh}, {5, &web}};
    CountedFlows flows(10);
    flows.use(rules);
    constexpr uint64_t kKey = 0x1234567890abcdef;
    CHECK(flows.count(3, rules[0], kKey) == 1);
    CHECK(flows.count(3, rules[0], kKey) == 1);
    CHECK(flows.count(4, rules[0], kKey) == 2);
    CHECK(flows.count(4, rules[1], kKey) == 1);
    CHECK(flows.count(4, rules[0], ~kKey) == 1);
    CHECK(ssh.flows() == 3);
    CHECK(ssh.used_keys() == 2);
    flows.uncount(4);
    flows.uncount(4);
    flows.uncount(9);
    CHECK(ssh.count_of(kKey) == 1);
    CHECK(web.flows() == 0);
    flows.uncount(3);
    CHECK(ssh.flows() == 0);
    CHECK(ssh.used_keys() == 0);
    CHECK(flows.records() == 0);
}

TEST_CASE("flows of a rule that went away are forgotten, also when another takes its place") {
    FlowCounts before(100), after(100);
    const CountingRule old_rules[] = {{1, &before}};
    const CountingRule new_rules[] = {{2, &after}};
    CountedFlows flows(10);
    flows.use(old_rules);
    flows.count(3, old_rules[0], 77);
    flows.count(4, old_rules[0], 77);
    flows.use(new_rules);
    CHECK(flows.count(3, new_rules[0], 77) == 1);
    CHECK(flows.records() == 2);  // the stale record of flow 3 went
    flows.uncount(3);
    flows.uncount(4);
    CHECK(after.flows() == 0);
    CHECK(before.flows() == 2);  // nobody looks there any more
    CHECK(flows.records() == 0);
}

TEST_CASE("what cannot be counted says so and leaves nothing behind") {
    FlowCounts counts(16);
    const CountingRule rules[] = {{1, &counts}};
    CountedFlows flows(4);  // eight records
    flows.use(rules);
    for (uint64_t key = 1; key <= 8; ++key)
        CHECK(flows.count(0, rules[0], key << 40) == 1);
    CHECK(flows.count(1, rules[0], 99) == FlowCounts::kNoRoom);
    flows.uncount(0);
    CHECK(flows.count(1, rules[0], 99) == 1);
    flows.uncount(1);
    CHECK(counts.flows() == 0);
    // Keys of one bucket: eight have room.
    for (FlowIndex flow = 0; flow < 3; ++flow)
        for (uint64_t i = 0; i < 2; ++i)
            CHECK(flows.count(flow, rules[0], (2 * flow + i + 1) << 32) == 1);
    CHECK(counts.add(uint64_t{50} << 32) == 1);
    CHECK(counts.add(uint64_t{51} << 32) == 1);
    CHECK(flows.count(3, rules[0], uint64_t{52} << 32) == FlowCounts::kNoRoom);
    CHECK(flows.records() == 6);
}

TEST_CASE("workers that count the same keys at once lose and invent no flow") {
    constexpr unsigned kThreads = 4, kFlows = 64;
    FlowCounts counts(16);
    const CountingRule rules[] = {{1, &counts}};
    std::vector<std::thread> threads;
    for (unsigned thread = 0; thread < kThreads; ++thread)
        threads.emplace_back([&rules, thread] {
            std::mt19937_64 random(thread);
            CountedFlows flows(kFlows);
            flows.use(rules);
            for (unsigned i = 0; i < 100000; ++i) {
                const FlowIndex flow = static_cast<FlowIndex>(random() % kFlows);
                if (random() % 2)
                    flows.count(flow, rules[0], (random() % 6 + 1) << 24);
                else
                    flows.uncount(flow);
            }
            for (FlowIndex flow = 0; flow < kFlows; ++flow)
                flows.uncount(flow);
        });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(counts.flows() == 0);
    CHECK(counts.used_keys() == 0);
}

}  // namespace rampart::test
