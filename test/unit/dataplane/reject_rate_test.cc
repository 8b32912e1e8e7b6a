// Replies to rejected packets are limited; the rejecting is not.
#include <algorithm>

#include <catch2/catch.hpp>

#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {
namespace {

// Sends `count` packets that are rejected, at one moment; returns how many were answered.
size_t answered(Pipeline& pipeline, size_t count) {
    const Bytes frame = frame_of("udp 10.0.0.2:1 > 192.0.2.1:1");
    size_t replies = 0;
    while (count > 0) {
        const std::vector<Arrival> burst(std::min<size_t>(count, kBurstSize), Arrival{0, frame});
        pipeline.send(burst);
        replies += pipeline.replies().size();
        count -= burst.size();
    }
    return replies;
}

}  // namespace

TEST_CASE("a thousand replies a second and no more, while every packet is rejected") {
    Pipeline pipeline(load(config_with("{ policy: drop, rules: [{ id: all, action: reject }] }")));
    CHECK(answered(pipeline, 1500) == kRepliesPerSecond);
    CHECK(pipeline.counters().replies_limited.load() == 500);
    pipeline.advance(100'000'000);
    CHECK(answered(pipeline, 500) == kRepliesPerSecond / 10);
    pipeline.advance(10'000'000'000);
    CHECK(answered(pipeline, 1500) == kRepliesPerSecond);  // what was saved up is bounded
    CHECK(pipeline.drops(DropReason::Reject) == 3500);
    CHECK(pipeline.rule_packets()["all"] == 3500);
    CHECK(pipeline.is_conserved());
}

}  // namespace rampart::test
