// The walk through the chains: who decides, what is counted, and what may be cached.
#include "rules/walk.h"

#include <catch2/catch.hpp>

#include "packet/parser.h"
#include "support/load.h"
#include "support/packet_line.h"

namespace rampart::test {
namespace {

struct Walker {
    explicit Walker(const std::string& forward, const std::string& rest = "",
                    uint32_t path_capacity = 1024)
        : snapshot(load(config_with(forward, rest))),
          paths(snapshot->ruleset.index_count, path_capacity) {}

    Judgement walk_with(const std::string& line, CtClass ct_class = CtClass::New) {
        Bytes frame = frame_of(line);
        const uint32_t size = static_cast<uint32_t>(frame.size());
        Packet packet;
        REQUIRE(parse_frame(packet, frame.data(), size, size, {}).kind == FrameKind::Ip);
        const Tuple tuple = tuple_of(packet);
        RuleInput input{packet, tuple, ct_class, Direction::Original, 0, 1};
        const Judgement judgement =
            walk(snapshot->ruleset, snapshot->ruleset.forward, input, paths, packet.ip_length);
        if (judgement.path != kNoPath) paths.count(judgement.path, 1, packet.ip_length);
        return judgement;
    }
    uint64_t packets(const std::string& id) const {
        std::vector<RuleCount> counts(snapshot->ruleset.index_count);
        paths.add_up(counts);
        for (const Chain& chain : snapshot->ruleset.chains)
            for (const Rule& rule : chain.rules)
                if (rule.id == id) return counts[rule.rule_index].packets;
        FAIL("no rule " << id);
        return 0;
    }

    std::unique_ptr<Snapshot> snapshot;
    PathTable paths;
};

constexpr const char* kUdp = "udp 10.0.0.2:4000 > 192.0.2.1:53 len 9";

}  // namespace

TEST_CASE("an empty chain leaves it to the policy") {
    CHECK(Walker("{ policy: accept }").walk_with(kUdp).step == Step::Accept);
    const Judgement judgement = Walker("{ policy: drop }").walk_with(kUdp);
    CHECK(judgement.step == Step::Drop);
    CHECK(judgement.by_policy);
    CHECK(judgement.cacheable);
}

TEST_CASE("return in the base chain ends in the policy") {
    Walker walker("{ policy: drop, rules: [{ id: back, action: return }] }");
    CHECK(walker.walk_with(kUdp).by_policy);
    CHECK(walker.packets("back") == 1);
}

TEST_CASE("jump returns to the rule after it, goto does not") {
    Walker walker("{ policy: drop, rules: [{ id: j, jump: a }, { id: end, action: accept }] }",
                  "  a: [{ id: g, goto: b }, { id: never, action: drop }]\n"
                  "  b: [{ id: nothing, proto: tcp, action: drop }]\n");
    CHECK(walker.walk_with(kUdp).step == Step::Accept);
    CHECK(walker.packets("j") == 1);
    CHECK(walker.packets("g") == 1);
    CHECK(walker.packets("never") == 0);
    CHECK(walker.packets("end") == 1);
}

TEST_CASE("chains nest as deep as the loader allows") {
    std::string chains;
    for (unsigned depth = 1; depth < kMaxJumpDepth; ++depth)
        chains += "  c" + std::to_string(depth) + ": [{ id: j" + std::to_string(depth) +
                  ", jump: c" + std::to_string(depth + 1) + " }]\n";
    chains += "  c" + std::to_string(kMaxJumpDepth) + ": [{ id: leaf, proto: udp, dport: 53 }]\n";
    Walker walker("{ policy: drop, rules: [{ id: j0, jump: c1 }, { id: end, action: accept }] }",
                  chains);
    CHECK(walker.walk_with(kUdp).step == Step::Accept);
    for (unsigned depth = 0; depth < kMaxJumpDepth; ++depth)
        CHECK(walker.packets("j" + std::to_string(depth)) == 1);
    CHECK(walker.packets("leaf") == 1);
}

TEST_CASE("the same verdict by two ways is two paths") {
    Walker walker(
        "{ policy: drop, rules: [{ id: dns, proto: udp, dport: 53, jump: a }, "
        "{ id: rest, jump: a }] }",
        "  a: [{ id: yes, action: accept }]\n");
    const Judgement dns = walker.walk_with(kUdp);
    const Judgement rest = walker.walk_with("udp 10.0.0.2:4000 > 192.0.2.1:54 len 9");
    CHECK(dns.path != rest.path);
    CHECK(walker.walk_with(kUdp).path == dns.path);
    CHECK(walker.packets("dns") == 2);
    CHECK(walker.packets("rest") == 1);
    CHECK(walker.packets("yes") == 3);
}

TEST_CASE("counts stay exact when there is no room for paths") {
    for (const uint32_t capacity : {1u, 2u, 3u, 4u}) {
        Walker walker("{ policy: drop, rules: [{ id: one, proto: udp }, { id: two, jump: a }] }",
                      "  a: [{ id: three, proto: udp }, { id: four, action: accept }]\n", capacity);
        for (unsigned i = 0; i < 10; ++i) {
            const Judgement judgement = walker.walk_with(kUdp);
            CHECK(judgement.step == Step::Accept);
            CHECK(judgement.path == kNoPath);
        }
        for (const char* id : {"one", "two", "three", "four"}) {
            INFO(id << " with room for " << capacity);
            CHECK(walker.packets(id) == 10);
        }
    }
}

TEST_CASE("a verdict is cacheable unless a rule had to look at the packet itself") {
    Walker walker(
        "{ policy: drop, rules: [{ id: tcp, proto: tcp, action: accept }, "
        "{ id: dns, proto: udp, dport: 53, action: accept }] }");
    CHECK(walker.walk_with(kUdp).cacheable);
    // The implicit rule of discovery looks at the hop limit.
    const Judgement discovery =
        walker.walk_with("icmp fe80::2 > ff02::1 135/0 ttl 255", CtClass::Untracked);
    CHECK(discovery.step == Step::Accept);
    CHECK_FALSE(discovery.cacheable);
    // A match that depends on the packet counts only where those before it hold.
    Rule& dns = walker.snapshot->ruleset.chains[0].rules[1];
    dns.constant_matches = 1;
    CHECK(walker.walk_with("tcp 10.0.0.2:1 > 192.0.2.1:53 S").cacheable);
    CHECK_FALSE(walker.walk_with(kUdp).cacheable);
    CHECK_FALSE(walker.walk_with("udp 10.0.0.2:1 > 192.0.2.1:54").cacheable);
    CHECK(walker.walk_with("ip 10.0.0.2 > 192.0.2.1 proto 47").cacheable);
}

}  // namespace rampart::test
