// Sets change while flows remember verdicts: with and without a cache, the same packets end in the
// same verdicts, flows, rule counters and counts of elements.
#include <algorithm>

#include <catch2/catch.hpp>

#include "rules/sets/set_use.h"
#include "support/frame_text.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "unit/dataplane/random_traffic.h"

namespace rampart::test {
namespace {

const char* const kSets =
    "sets:\n"
    "  nets: { type: net, counters: true, elements: [192.0.2.3, \"2001:db8:2::/64\"] }\n"
    "  hosts: { type: ip, elements: [10.0.0.1] }\n"
    "  ports: { type: port, elements: [80] }\n"
    "  pairs: { type: \"ip,port\", counters: true, elements: [[192.0.2.1, 53]] }\n"
    "  seen: { type: ip, dynamic: true, timeout: 20s, max: 4 }\n"
    "  blocked: { type: \"ip,proto,port\", dynamic: true, timeout: 5s }\n";

std::string random_config_of_sets(std::mt19937_64& random) {
    static const char* const kRules[] = {
        "{ id: a, src: \"@hosts\", action: drop }",
        "{ id: b, dst: [\"@nets\", 192.0.2.2], action: accept }",
        "{ id: c, proto: tcp, not: { dport: \"@ports\" }, action: drop }",
        "{ id: d, match: \"@pairs\", action: accept }",
        "{ id: e, state: new, add_to: { set: seen, key: src } }",
        "{ id: f, src: \"@seen\", dst: \"@nets\", action: accept }",
        "{ id: g, proto: udp, add_to: { set: blocked, key: [src, proto, sport], timeout: 3s } }",
        "{ id: h, match: { set: \"@blocked\", key: [dst, proto, dport] }, action: drop }",
        "{ id: i, proto: tcp, tcp_flags: rst/rst, delete_from: { set: seen, key: src } }",
        "{ id: j, state: established, action: accept }",
        "{ id: k, not: { dst: \"@nets\" }, proto: udp, action: accept }",
    };
    std::string rules;
    for (const char* rule : kRules)
        if (random() % 3 != 0) rules += (rules.empty() ? "" : ", ") + std::string(rule);
    std::string text = config_with("{ policy: " + std::string(random() % 2 ? "accept" : "drop") +
                                   ", rules: [" + rules + "] }");
    text.insert(text.find("chains:"), kSets);
    return text;
}

// The same change of the same set in each pipeline.
struct Change {
    unsigned set, word, kind;
};

void change(Pipeline& pipeline, const Change& what) {
    static const std::vector<std::vector<const char*>> kWords = {
        {"192.0.2.1", "192.0.2.0/30", "192.0.2.2/31", "2001:db8::/32", "0.0.0.0/0"},
        {"10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8:1::2", "192.0.2.1"},
        {"80", "53", "4000", "4001", "1-999"},
        {"192.0.2.1,53", "192.0.2.2,80", "10.0.0.1,4000", "2001:db8:2::1,53", "192.0.2.3,53"},
        {"10.0.0.1", "10.0.0.2", "192.0.2.3", "2001:db8:1::1", "2001:db8:2::2"},
        {"10.0.0.1,udp,4000", "10.0.0.2,udp,4001", "192.0.2.1,udp,53", "10.0.0.3,udp,4002",
         "192.0.2.2,tcp,80"},
    };
    const Names& names = pipeline.snapshot()->ruleset.names;
    NamedSet& set = *names.sets[what.set]->set;
    std::vector<SetElement> elements;
    REQUIRE_FALSE(parse_set_element(set.type(), kWords[what.set][what.word], names, elements));
    for (const SetElement& element : elements) {
        if (what.kind == 0)
            set.remove(element);
        else
            set.add(element, 0, pipeline.now());
    }
    set.take_retired();
    if (!set.is_dynamic()) pipeline.note_changed_set();
}

std::string counts_of(const Pipeline& pipeline) {
    std::string text;
    const Names& names = pipeline.snapshot()->ruleset.names;
    for (const auto& handle : names.sets) {
        SetCursor cursor;
        SetEntry entry;
        std::vector<std::string> lines;
        while (handle->set->next(cursor, entry, pipeline.now()))
            lines.push_back(print_set_element(handle->set->type(), entry.element, names) + " " +
                            std::to_string(entry.packets) + " " + std::to_string(entry.bytes) +
                            " " + std::to_string(entry.seconds_left) + "\n");
        std::sort(lines.begin(), lines.end());
        for (const std::string& line : lines)
            text += line;
    }
    return text;
}

}  // namespace

TEST_CASE("cached and walked verdicts agree while sets change") {
    for (uint64_t seed = 1; seed <= 60; ++seed) {
        std::mt19937_64 random(seed);
        const std::string config = random_config_of_sets(random);
        INFO("seed " << seed << "\n" << config);
        Pipeline cached(load(config), {.capacity = 256});
        Pipeline walked(load(config), {.capacity = 256, .forget_verdicts = true});
        for (unsigned step = 0; step < 400; ++step) {
            const Arrival arrival = random_arrival(random);
            const Outcome wanted = walked.send(arrival);
            const Outcome outcome = cached.send(arrival);
            INFO("step " << step);
            REQUIRE(outcome.to_text() == wanted.to_text());
            if (random() % 6 == 0) {
                const Change what{static_cast<unsigned>(random() % 6),
                                  static_cast<unsigned>(random() % 5),
                                  static_cast<unsigned>(random() % 2)};
                change(cached, what);
                change(walked, what);
            }
            if (random() % 16 == 0) {
                const uint64_t ns = random() % 8'000'000'000;
                cached.advance(ns);
                walked.advance(ns);
            }
        }
        CHECK(cached.rule_packets() == walked.rule_packets());
        CHECK(counts_of(cached) == counts_of(walked));
    }
}

TEST_CASE("a change of a set acts on the next packet of a running flow") {
    std::string text = config_with(
        "{ policy: drop, rules: [ { id: bad, src: \"@bad\", action: drop }, "
        "{ id: all, action: accept } ] }");
    text.insert(text.find("chains:"), "sets: { bad: { type: net } }\n");
    Pipeline pipeline(load(text));
    const Arrival arrival{0, frame_of("udp 10.0.0.1:1 > 192.0.2.1:53")};
    NamedSet& bad = *pipeline.snapshot()->ruleset.names.sets[0]->set;
    std::vector<SetElement> net;
    REQUIRE_FALSE(parse_set_element(bad.type(), "10.0.0.0/24", Names{}, net));
    CHECK(pipeline.send(arrival).verdict == Verdict::Forward);
    CHECK(pipeline.send(arrival).verdict == Verdict::Forward);
    bad.add(net[0], 0, pipeline.now());
    pipeline.note_changed_set();
    CHECK(pipeline.send(arrival).verdict == Verdict::Drop);
    bad.remove(net[0]);
    pipeline.note_changed_set();
    CHECK(pipeline.send(arrival).verdict == Verdict::Forward);
    const auto packets = pipeline.rule_packets();
    CHECK(packets.at("all") == 3);
    CHECK(packets.at("bad") == 1);
}

}  // namespace rampart::test
