// What connlimit counts is what the table holds, however flows begin and end.
#include <algorithm>
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {
namespace {

std::string config(unsigned above, const std::string& more = "") {
    return config_with(
        "{ policy: accept, rules: [" + more +
            "{ id: many, in: lan, state: new, connlimit: { above: " + std::to_string(above) +
            " }, action: drop }] }",
        "conntrack: { on_full: early_drop, timeouts: { udp: 5s, tcp_syn_sent: 9s } }\n");
}

const FlowCounts& counts_of(const Pipeline& pipeline) {
    REQUIRE(pipeline.snapshot()->counting_rules.size() == 1);
    return *pipeline.snapshot()->counting_rules[0].counts;
}

// The flows that a rule for `in: lan, state: new` has seen: their first packet came from there.
struct Oracle {
    explicit Oracle(const Pipeline& pipeline) {
        for (const FlowView& flow : pipeline.flows()) {
            const bool is_over = flow.text.find(" TIME_WAIT ") != flow.text.npos ||
                                 flow.text.find(" CLOSE ") != flow.text.npos;
            if (flow.original.src[0] != 10 || is_over) continue;
            ++flows;
            sources.insert(flow.original.src[3]);
        }
    }
    uint64_t flows = 0;
    std::set<uint8_t> sources;
};

Arrival random_packet(std::mt19937_64& random) {
    const std::string client =
        "10.0.0." + std::to_string(1 + random() % 4) + ":" + std::to_string(4000 + random() % 6);
    const std::string server = "192.0.2.1:80";
    const bool is_from_client = random() % 2;
    const std::string ends = is_from_client ? client + " > " + server : server + " > " + client;
    std::string line = "udp " + ends;
    if (random() % 3) {
        // Without SYN/ACK: one that answers an ignored SYN brings a closed connection back to life,
        // and as in nf_conncount that counts again only when the rule sees it.
        const char* const flags[] = {"S", ".", "P.", "F.", "R."};
        line = "tcp " + ends + " " + flags[random() % std::size(flags)] + " seq " +
               std::to_string(1000 + random() % 2) + " ack " + std::to_string(1000 + random() % 2);
    }
    return {static_cast<InterfaceIndex>(is_from_client ? 0 : 1), frame_of(line)};
}

}  // namespace

TEST_CASE("counts never drift from the table, over bursts, ends of all kinds and reloads") {
    for (uint64_t seed = 1; seed <= 12; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 random(seed);
        // A table so small that flows give way, and limits that refuse some.
        Pipeline pipeline(load(config(4)), {.capacity = 14});
        for (unsigned turn = 0; turn < 400; ++turn) {
            std::vector<Arrival> arrivals(1 + random() % 24);
            for (Arrival& arrival : arrivals)
                arrival = random_packet(random);
            pipeline.send(arrivals);
            switch (random() % 12) {
                case 0:
                    pipeline.advance(random() % 20'000'000'000);
                    break;
                case 1:
                    pipeline.advance(random() % 20'000'000'000, false);
                    break;
                case 2:
                    pipeline.reload(load(config(static_cast<unsigned>(2 + random() % 4))));
                    break;
                case 3:
                    pipeline.reload(load(config(4, "{ proto: gre, action: drop }, ")));
                    break;
                case 4:
                    pipeline.table().erase_range(static_cast<FlowIndex>(random() % 14), 3);
                    pipeline.table().end_burst();
                    break;
                default:
                    break;
            }
            const Oracle wanted(pipeline);
            REQUIRE(counts_of(pipeline).flows() == wanted.flows);
            REQUIRE(counts_of(pipeline).used_keys() == wanted.sources.size());
        }
        pipeline.table().erase_range(0, pipeline.table().capacity());
        pipeline.table().end_burst();
        CHECK(counts_of(pipeline).flows() == 0);
        CHECK(pipeline.snapshot()->counted_flows[0]->records() == 0);
        CHECK(pipeline.rule_packets()["many"] > 0);
        CHECK(pipeline.is_conserved());
    }
}

TEST_CASE("no source has more flows than its limit, and each may have as many") {
    Pipeline pipeline(load(config(3)));
    std::mt19937_64 random(7);
    for (unsigned turn = 0; turn < 2000; ++turn) {
        const std::string client =
            "10.0.0." + std::to_string(1 + random() % 3) + ":" + std::to_string(random() % 60000);
        pipeline.send({0, frame_of("udp " + client + " > 192.0.2.1:53")});
    }
    CHECK(pipeline.flows().size() == 9);
    CHECK(counts_of(pipeline).flows() == 9);
}

TEST_CASE("rules that come and go leave no records behind") {
    Pipeline pipeline(load(config(100)));
    std::mt19937_64 random(8);
    for (unsigned turn = 0; turn < 60; ++turn) {
        for (unsigned i = 0; i < 10; ++i)
            pipeline.send(random_packet(random));
        pipeline.reload(load(turn % 2 ? config(100) : config_with("{ policy: accept }")));
    }
    CHECK(counts_of(pipeline).flows() <= Oracle(pipeline).flows);
    pipeline.table().erase_range(0, pipeline.table().capacity());
    pipeline.table().end_burst();
    CHECK(counts_of(pipeline).flows() == 0);
    CHECK(pipeline.snapshot()->counted_flows[0]->records() == 0);
}

}  // namespace rampart::test
