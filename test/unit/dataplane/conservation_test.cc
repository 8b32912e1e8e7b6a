// Nothing is lost: every packet, however broken, is forwarded or dropped for one reason, and a
// packet in segments is judged like the same bytes in one piece.
#include <catch2/catch.hpp>

#include "support/load.h"
#include "support/packet_line.h"
#include "support/samples.h"
#include "unit/dataplane/random_traffic.h"

namespace rampart::test {
namespace {

constexpr const char* kOpenConfig =
    "{ policy: accept, rules: [{ state: invalid, in: wan, action: reject }] }";

}  // namespace

TEST_CASE("a quarter of a million mutated frames are all accounted for") {
    std::mt19937_64 random(11);
    Pipeline pipeline(load(config_with(kOpenConfig, "bridge: { pass: all }\n")));
    std::vector<Bytes> samples;
    for (const std::string_view line : kSampleLines)
        samples.push_back(frame_of(line));
    for (unsigned round = 0; round < 4000; ++round) {
        std::vector<Arrival> arrivals(kBurstSize);
        for (Arrival& arrival : arrivals) {
            arrival.port = static_cast<InterfaceIndex>(random() % 2);
            arrival.frame = samples[random() % samples.size()];
            if (random() % 10) mutate(arrival.frame, random);
            if (random() % 8 == 0 && arrival.frame.size() > 1)
                arrival.cuts = {static_cast<uint32_t>(random() % arrival.frame.size())};
        }
        for (const Outcome& outcome : pipeline.send(arrivals))
            REQUIRE((outcome.verdict == Verdict::Forward || outcome.verdict == Verdict::Drop ||
                     outcome.verdict == Verdict::Held));
        if (round % 100 == 0) {
            REQUIRE(pipeline.is_conserved());
            REQUIRE(pipeline.table().count() == pipeline.flows().size());
            pipeline.advance(random() % 100'000'000'000);
        }
    }
    CHECK(pipeline.is_conserved());
    CHECK(pipeline.counters().received.load() == 4000 * kBurstSize);
}

TEST_CASE("random bytes are all accounted for") {
    std::mt19937_64 random(12);
    Pipeline pipeline(load(config_with(kOpenConfig)));
    for (unsigned round = 0; round < 400; ++round) {
        std::vector<Arrival> arrivals(kBurstSize);
        for (Arrival& arrival : arrivals) {
            arrival.frame.resize(random() % 200);
            for (uint8_t& byte : arrival.frame)
                byte = static_cast<uint8_t>(random());
        }
        pipeline.send(arrivals);
    }
    CHECK(pipeline.is_conserved());
}

TEST_CASE("a packet cut anywhere into segments is judged like the one in one piece") {
    for (const std::string_view line : kSampleLines) {
        const Bytes frame = frame_of(line);
        for (uint32_t cut = 1; cut <= 120 && cut < frame.size(); ++cut) {
            Pipeline whole(load(config_with(kOpenConfig)), {.capacity = 8});
            Pipeline parts(load(config_with(kOpenConfig)), {.capacity = 8});
            INFO(line << " cut at " << cut);
            CHECK(parts.send({0, frame, {cut}}) == whole.send({0, frame}));
            CHECK(parts.send({0, frame, {cut / 2, cut}}) == whole.send({0, frame}));
            CHECK(parts.is_conserved());
        }
    }
}

}  // namespace rampart::test
