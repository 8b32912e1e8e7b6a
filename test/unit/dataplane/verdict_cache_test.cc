// Cached verdicts are those of the walk: the same traffic with and without a cache, packet by
// packet and in bursts, ends in the same verdicts, replies, flows and rule counters (design D1).
#include <algorithm>

#include <catch2/catch.hpp>

#include "rules/classifier/classifier.h"
#include "support/frame_text.h"
#include "support/load.h"
#include "unit/dataplane/random_traffic.h"

namespace rampart::test {
namespace {

std::string text_of(const std::vector<Outcome>& outcomes) {
    std::string text;
    for (const Outcome& outcome : outcomes)
        text += outcome.to_text() + "\n";
    return text;
}

std::string flows_of(const Pipeline& pipeline) {
    std::vector<std::string> texts;
    for (const FlowView& flow : pipeline.flows())
        texts.push_back(flow.text);
    std::sort(texts.begin(), texts.end());
    std::string text;
    for (const std::string& line : texts)
        text += line + "\n";
    return text;
}

// Every chain with an index, and what class and direction alone decide.
std::unique_ptr<Snapshot> indexed(const std::string& config) {
    auto snapshot = load(config);
    snapshot->ruleset.compile(1);
    return snapshot;
}

// Every rule is asked.
std::unique_ptr<Snapshot> plain(const std::string& config) {
    auto snapshot = load(config);
    snapshot->ruleset.classifier.reset();
    return snapshot;
}

}  // namespace

TEST_CASE("cached and walked verdicts agree on random rules and traffic") {
    for (uint64_t seed = 1; seed <= 150; ++seed) {
        std::mt19937_64 random(seed);
        const std::string config = random_config(random);
        INFO("seed " << seed << "\n" << config);
        Pipeline cached(indexed(config), {.capacity = 256});
        Pipeline walked(plain(config), {.capacity = 256, .forget_verdicts = true});
        // Room for so few paths that most are counted directly.
        Pipeline crowded(indexed(config), {.capacity = 256, .path_capacity = 4});
        for (unsigned burst = 0; burst < 40; ++burst) {
            std::vector<Arrival> arrivals(1 + random() % (burst % 2 ? 1 : 24));
            for (Arrival& arrival : arrivals)
                arrival = random_arrival(random);
            const std::string wanted = text_of(walked.send(arrivals));
            REQUIRE(text_of(cached.send(arrivals)) == wanted);
            REQUIRE(text_of(crowded.send(arrivals)) == wanted);
            REQUIRE(cached.replies().size() == walked.replies().size());
            if (random() % 8 == 0) {
                const uint64_t ns = random() % 40'000'000'000;
                const bool sweep = random() % 2;  // or packets meet flows that are over
                for (Pipeline* pipeline : {&cached, &walked, &crowded})
                    pipeline->advance(ns, sweep);
            }
        }
        for (Pipeline* pipeline : {&cached, &walked, &crowded})
            pipeline->advance(1);
        CHECK(flows_of(cached) == flows_of(walked));
        CHECK(flows_of(crowded) == flows_of(walked));
        CHECK(cached.rule_packets() == walked.rule_packets());
        CHECK(crowded.rule_packets() == walked.rule_packets());
        CHECK(cached.is_conserved());
        CHECK(crowded.is_conserved());
    }
}

TEST_CASE("a burst is judged like its packets one after the other") {
    for (uint64_t seed = 1000; seed < 1150; ++seed) {
        std::mt19937_64 random(seed);
        // Without rejects: a reset closes its flow when the burst has been tracked already.
        const std::string config = random_config(random, false);
        INFO("seed " << seed << "\n" << config);
        const KeyIndexKind index = seed % 4 == 0 ? KeyIndexKind::RteHash : KeyIndexKind::Buckets;
        Pipeline together(load(config), {.capacity = 256, .index = index});
        Pipeline singly(load(config), {.capacity = 256});
        for (unsigned burst = 0; burst < 40; ++burst) {
            std::vector<Arrival> arrivals(1 + random() % 32);
            for (Arrival& arrival : arrivals)
                arrival = random_arrival(random);
            std::vector<Outcome> one_by_one;
            for (const Arrival& arrival : arrivals)
                one_by_one.push_back(singly.send(arrival));
            const std::vector<Outcome> at_once = together.send(arrivals);
            for (size_t i = 0; i < arrivals.size(); ++i) {
                INFO("burst " << burst << " packet " << i << ": " << frame_text(arrivals[i].frame));
                REQUIRE(at_once[i].to_text() == one_by_one[i].to_text());
            }
        }
        CHECK(together.rule_packets() == singly.rule_packets());
    }
}

}  // namespace rampart::test
