// The classifier never changes an answer: walks with an index and walks that ask every rule agree
// in verdict, path, counters and whether the verdict may be cached, on random rules and packets.
//
// RAMPART_PROPERTY_PAIRS sets how many (rule set, packet) pairs are tried.
#include "rules/classifier/classifier.h"

#include <cstdlib>
#include <optional>
#include <random>

#include <catch2/catch.hpp>

#include "config/rule_change.h"
#include "rules/walk.h"
#include "support/load.h"
#include "unit/rules/classifier/random_rules.h"

namespace rampart::test {
namespace {

constexpr uint64_t kDefaultPairs = 400'000;
constexpr unsigned kPacketsPerSet = 2048;

uint64_t pairs_wanted() {
    const char* wanted = std::getenv("RAMPART_PROPERTY_PAIRS");
    return wanted == nullptr ? kDefaultPairs : std::strtoull(wanted, nullptr, 10);
}

bool same(const Judgement& a, const Judgement& b) {
    return a.step == b.step && a.reject_with == b.reject_with && a.by_policy == b.by_policy &&
           a.cacheable == b.cacheable && a.is_essential == b.is_essential && a.path == b.path;
}

std::string text_of(const Judgement& judgement) {
    return "step " + std::to_string(static_cast<int>(judgement.step)) + " path " +
           std::to_string(judgement.path) + " cacheable " + std::to_string(judgement.cacheable);
}

// The same rules with and without an index.
struct Pair {
    Pair(const std::string& config, uint32_t path_capacity)
        : indexed(load(config)), plain(load(config)), capacity(path_capacity) {
        indexed->ruleset.compile(1);
        plain->ruleset.classifier.reset();
        begin_counting();
    }
    // With the rules as they are now.
    void begin_counting() {
        indexed_paths.emplace(indexed->ruleset.index_count, capacity);
        plain_paths.emplace(plain->ruleset.index_count, capacity);
    }

    std::unique_ptr<Snapshot> indexed, plain;
    uint32_t capacity;
    std::optional<PathTable> indexed_paths, plain_paths;
    uint64_t decided = 0;  // packets for which there is a short way
};

Judgement walk_and_count(const Snapshot& snapshot, RuleInput input, PathTable& paths) {
    const Judgement judgement = walk(snapshot.ruleset, snapshot.ruleset.forward, input, paths, 100);
    if (judgement.path != kNoPath) paths.count(judgement.path, 1, 100);
    return judgement;
}

// The first rule that decides by itself, as the dataplane looks for it without a walk; null: none.
const Rule* decided_at_once(const Ruleset& ruleset, const RuleInput& input) {
    const auto chain = static_cast<size_t>(ruleset.forward);
    const Classifier& classifier = *ruleset.classifier;
    if (const StateRules* by_state = classifier.by_state(chain); by_state != nullptr)
        if (const Rule* rule =
                by_state->deciding(input.tuple.family, ct_state(input.ct_class, input.direction)))
            return rule;
    if (!classifier.has_index(chain)) return nullptr;
    RuleKey key;
    make_key(key, {input.tuple, input.ct_class, input.direction, input.in, input.out},
             classifier.attributes());
    return decided_by_key(
        ruleset.chains[chain].rules, classifier.next(chain, key, input.tuple.family, 0),
        {input.packet, input.tuple, input.ct_class, input.direction, input.in, input.out});
}

// The ways that spare a walk, or its beginning, lead where it leads. Returns whether one did.
bool check_short_ways(const Ruleset& ruleset, RuleInput input) {
    PathTable paths(ruleset.index_count, 64);
    const Judgement wanted = walk(ruleset, ruleset.forward, input, paths, 100);
    const auto chain = static_cast<size_t>(ruleset.forward);
    if (const StateRules* by_state = ruleset.classifier->by_state(chain); by_state != nullptr) {
        const uint32_t first =
            by_state->first(input.tuple.family, ct_state(input.ct_class, input.direction));
        if (first != StateRules::kAsks)
            REQUIRE(same(wanted, walk(ruleset, {ruleset.forward, first}, input, paths, 100)));
    }
    const Rule* rule = decided_at_once(ruleset, input);
    if (rule == nullptr) return false;
    REQUIRE(same(wanted, judgement_of(*rule, paths, 100)));
    return true;
}

void compare(Pair& pair, std::mt19937_64& random, unsigned packets) {
    for (unsigned i = 0; i < packets; ++i) {
        RandomPacket at = random_packet(random);
        const RuleInput input{at.packet, at.tuple, at.ct_class, at.direction, at.in, at.out};
        const Judgement wanted = walk_and_count(*pair.plain, input, *pair.plain_paths);
        const Judgement found = walk_and_count(*pair.indexed, input, *pair.indexed_paths);
        pair.decided += check_short_ways(pair.indexed->ruleset, input);
        if (same(wanted, found)) continue;
        FAIL("packet " << i << ": wanted " << text_of(wanted) << ", found " << text_of(found));
    }
    std::vector<RuleCount> wanted(pair.plain->ruleset.index_count), found(wanted.size());
    pair.plain_paths->add_up(wanted);
    pair.indexed_paths->add_up(found);
    for (size_t i = 0; i < wanted.size(); ++i) {
        INFO("rule_index " << i);
        REQUIRE(found[i].packets == wanted[i].packets);
        REQUIRE(found[i].bytes == wanted[i].bytes);
    }
}

// Adds or removes one rule of both, at a random place.
void change_rules(Pair& pair, std::mt19937_64& random) {
    const size_t chain = random() % pair.plain->ruleset.chains.size();
    const Chain& old = pair.plain->ruleset.chains[chain];
    const size_t places = old.rules.size() + 1;
    const bool removes = places > 1 && random() % 2;
    const size_t position = random() % (removes ? places - 1 : places);
    const std::string text = random_rule(random);
    for (Snapshot* snapshot : {pair.indexed.get(), pair.plain.get()}) {
        const Ruleset& ruleset = snapshot->ruleset;
        Diagnostics diagnostics;
        auto changed =
            removes ? delete_rule(ruleset, ruleset.chains[chain].rules[position].id, diagnostics)
                    : add_rule(ruleset, ruleset.chains[chain].name, text,
                               {RulePosition::Kind::At, {}, position + 1}, diagnostics);
        INFO(text << "\n" << diagnostics.to_text());
        REQUIRE(changed);
        snapshot->ruleset = std::move(changed->ruleset);
    }
    pair.begin_counting();
}

}  // namespace

TEST_CASE("a walk with an index and a walk without agree on random rules and packets") {
    const uint64_t pairs = pairs_wanted();
    uint64_t decided = 0;
    for (uint64_t done = 0, seed = 1; done < pairs; done += kPacketsPerSet, ++seed) {
        std::mt19937_64 random(seed);
        const std::string config = random_rule_set(random);
        INFO("seed " << seed << "\n" << config);
        Pair pair(config, seed % 8 == 0 ? 16 : 4096);
        compare(pair, random, kPacketsPerSet);
        decided += pair.decided;
    }
    CHECK(decided > pairs / 100);
}

TEST_CASE("rules that come and go without compiling again are judged as if they had been there") {
    for (uint64_t seed = 1; seed <= 60; ++seed) {
        std::mt19937_64 random(seed);
        Pair pair(random_rule_set(random), 4096);
        for (unsigned change = 0; change < 40; ++change) {
            change_rules(pair, random);
            INFO("seed " << seed << ", change " << change);
            compare(pair, random, 64);
        }
        // What was compiled aside, for rules of some changes ago.
        const Classifier compiled(pair.indexed->ruleset, 1);
        change_rules(pair, random);
        change_rules(pair, random);
        pair.indexed->ruleset = pair.indexed->ruleset.with_classifier(compiled);
        CHECK(pair.indexed->ruleset.classifier->changes() <= 2);
        compare(pair, random, 256);
    }
}

TEST_CASE("a batch finds what each key finds alone after rules have come and gone") {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
        std::mt19937_64 random(seed);
        Pair pair(random_rule_set(random), 4096);
        for (unsigned change = 0; change < 20; ++change)
            change_rules(pair, random);
        const Ruleset& ruleset = pair.indexed->ruleset;
        const auto chain = static_cast<size_t>(ruleset.forward);
        RuleKey keys[CutTree::kBatch];
        for (RuleKey& key : keys) {
            RandomPacket at = random_packet(random);
            while (at.tuple.family != Family::Ipv4)
                at = random_packet(random);
            make_key(key, {at.tuple, at.ct_class, at.direction, at.in, at.out},
                     ruleset.classifier->attributes());
        }
        uint32_t rules[CutTree::kBatch];
        ruleset.classifier->first(chain, keys, CutTree::kBatch, Family::Ipv4, rules);
        for (unsigned i = 0; i < CutTree::kBatch; ++i)
            REQUIRE(rules[i] == ruleset.classifier->next(chain, keys[i], Family::Ipv4, 0));
    }
}

TEST_CASE("a batch of keys finds what each key finds alone") {
    for (uint64_t seed = 1; seed <= 40; ++seed) {
        std::mt19937_64 random(seed);
        const auto snapshot = load(random_rule_set(random));
        snapshot->ruleset.compile(1);
        const Ruleset& ruleset = snapshot->ruleset;
        const ChainIndex* index =
            ruleset.classifier->index_of(static_cast<size_t>(ruleset.forward));
        REQUIRE(index != nullptr);
        for (unsigned count = 1; count <= CutTree::kBatch; ++count) {
            RuleKey keys[CutTree::kBatch];
            const Family family = random() % 2 ? Family::Ipv4 : Family::Ipv6;
            for (unsigned i = 0; i < count; ++i) {
                RandomPacket at = random_packet(random);
                while (at.tuple.family != family)
                    at = random_packet(random);
                make_key(keys[i], {at.tuple, at.ct_class, at.direction, at.in, at.out},
                         ruleset.classifier->attributes());
            }
            uint32_t rules[CutTree::kBatch];
            index->first(keys, count, family, rules);
            for (unsigned i = 0; i < count; ++i)
                REQUIRE(rules[i] == index->next(keys[i], family, 0));
        }
    }
}

TEST_CASE("a short chain has no index and a long one has") {
    std::string rules = "{ policy: drop, rules: [";
    for (size_t i = 0; i < Ruleset::kLeastIndexedRules; ++i)
        rules +=
            (i ? ", " : "") + ("{ proto: tcp, dport: " + std::to_string(i)) + ", jump: short }";
    const auto snapshot = load(config_with(rules + "] }", "  short: [{ action: return }]\n"));
    snapshot->ruleset.compile();
    CHECK(snapshot->ruleset.classifier->index_of(0) != nullptr);
    CHECK(snapshot->ruleset.classifier->index_of(1) == nullptr);
    CHECK(snapshot->ruleset.classifier->size_bytes() > 0);
}

TEST_CASE("more classes of interfaces and protocols than one word holds are told apart") {
    std::string interfaces, rules = "{ policy: drop, rules: [";
    for (unsigned i = 0; i < 40; i += 2) {
        const auto port = [](unsigned n) { return "p" + std::to_string(n); };
        const auto device = [](unsigned n) { return "\"vdev:net_null" + std::to_string(n) + "\""; };
        interfaces += "  " + port(i) + ": { device: " + device(i) + ", bridge: " + port(i + 1) +
                      " }\n  " + port(i + 1) + ": { device: " + device(i + 1) + " }\n";
        for (const unsigned n : {i, i + 1})
            rules += (n ? ", " : "") + ("{ in: " + port(n)) + ", out: " + port(39 - n) +
                     ", proto: " + std::to_string(100 + n) + ", action: accept }";
    }
    const auto snapshot =
        load("version: 1\ninterfaces:\n" + interfaces + "chains:\n  forward: " + rules + "] }\n");
    snapshot->ruleset.compile();
    const Ruleset& ruleset = snapshot->ruleset;
    REQUIRE(ruleset.classifier->attributes().word_count() > 2);
    PathTable paths(ruleset.index_count);
    for (unsigned in = 0; in < 40; ++in) {
        for (unsigned protocol = 100; protocol < 140; ++protocol) {
            RandomPacket at;
            at.tuple.family = in % 3 ? Family::Ipv4 : Family::Ipv6;
            at.tuple.protocol = static_cast<uint8_t>(protocol);
            RuleInput input{at.packet,
                            at.tuple,
                            CtClass::New,
                            Direction::Original,
                            static_cast<InterfaceIndex>(in),
                            static_cast<InterfaceIndex>(39 - in)};
            const Judgement judgement = walk(ruleset, ruleset.forward, input, paths, 1);
            REQUIRE((judgement.step == Step::Accept) == (protocol == 100 + in));
        }
    }
}

}  // namespace rampart::test
