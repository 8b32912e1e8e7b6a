// `rampartctl test` says what the packet path does: the same packets through both, on random rules.
#include <map>

#include <catch2/catch.hpp>

#include "control/packet_tracer_report.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "unit/dataplane/random_traffic.h"

namespace rampart::test {
namespace {

using Counts = std::map<std::string, uint64_t>;

Counts difference(const Counts& after, const Counts& before) {
    Counts counts;
    for (const auto& [name, count] : after)
        if (count != before.at(name) && !name.starts_with("counter "))
            counts[name] = count - before.at(name);
    return counts;
}

// In the words of Pipeline::rule_packets().
Counts rules_of(const TracedPacket& traced) {
    Counts counts;
    for (const TracedWalk& walk : traced.walks) {
        for (const MatchedRule& matched : walk.rules) {
            if (matched.rule != nullptr)
                ++counts[matched.rule->id];
            else
                ++counts[matched.is_implicit ? "neighbour-discovery" : walk.base->name + " policy"];
        }
    }
    return counts;
}

std::string verdict_text(Verdict verdict, DropReason reason, InterfaceIndex out) {
    if (verdict == Verdict::Forward) return "forward " + std::to_string(out);
    return "drop " + std::string(to_string(reason));
}

}  // namespace

TEST_CASE("a traced packet has the verdict and the rules that the packet path gives it") {
    unsigned compared = 0;
    for (uint64_t seed = 1; seed <= 120; ++seed) {
        std::mt19937_64 random(seed);
        const std::string config = random_config(random, /*with_effects=*/false);
        INFO("seed " << seed << "\n" << config);
        Pipeline pipeline(load(config), {.capacity = 256});
        for (unsigned i = 0; i < 60; ++i) {
            const Arrival arrival = random_arrival(random);
            const Counts before = pipeline.rule_packets();
            const Outcome outcome = pipeline.send(arrival);
            if (outcome.verdict != Verdict::Forward && outcome.verdict != Verdict::Drop) continue;
            PacketQuestion question;
            question.in = arrival.port;
            question.frame = arrival.frame;
            question.frame_length = static_cast<uint32_t>(arrival.frame.size());
            question.state = outcome.ct_class;
            question.direction = outcome.direction.value_or(Direction::Original);
            const TracedPacket traced = trace_packet(*pipeline.snapshot(), question,
                                                     pipeline.now().wall_ns, random() % 2 == 0);
            CAPTURE(i, traced_packet_text(traced, pipeline.snapshot()->ruleset));
            REQUIRE(verdict_text(traced.verdict, traced.reason, traced.out) ==
                    verdict_text(outcome.verdict, outcome.reason, outcome.out_port));
            REQUIRE(rules_of(traced) == difference(pipeline.rule_packets(), before));
            if (traced.has_class) REQUIRE(traced.ct_class == outcome.ct_class);
            ++compared;
        }
    }
    CHECK(compared > 3000);
}

TEST_CASE("a question in words gets the verdict and the state of its packet as a first one") {
    const std::string config = config_with(
        "\n    policy: drop\n    rules:\n"
        "      - { id: inv, state: invalid, action: drop }\n"
        "      - { id: web, proto: tcp, dport: [80, 443], tcp_flags: syn, state: new, action: "
        "accept }\n"
        "      - { id: big, length: 1000-1500, action: reject }\n"
        "      - { id: far, src: [10.1.0.0/16, \"2001:db8:1::/48\"], jump: far }\n"
        "      - { id: ping, proto: icmp, icmp: echo-request, action: accept }\n"
        "      - { id: ping6, proto: icmpv6, icmpv6: echo-request, action: accept }\n"
        "      - { id: low, ttl: 1-10, action: drop }\n",
        "  far:\n    - { id: ef, dscp: ef, set_mark: 5 }\n"
        "    - { id: five, mark: 5, proto: udp, action: accept }\n"
        "    - { id: lan, mac_src: \"02:00:00:00:00:01\", vlan: 7, action: accept }\n"
        "conntrack: { checksum: false, tcp_loose: false }\n");
    std::mt19937_64 random(3);
    const auto one_of = [&random](std::initializer_list<const char*> words) {
        return std::string(*(words.begin() + random() % words.size()));
    };
    Counts seen;
    for (unsigned i = 0; i < 1000; ++i) {
        const bool is_ipv6 = random() % 3 == 0;
        std::string proto = one_of({"tcp", "tcp", "udp", "sctp", "icmp", "gre", "99"});
        if (proto == "icmp" && is_ipv6) proto = "icmpv6";
        std::vector<std::string> words{"in=lan", "proto=" + proto,
                                       "src=" + (is_ipv6 ? one_of({"2001:db8::2", "2001:db8:1::2"})
                                                         : one_of({"10.0.0.2", "10.1.0.2"})),
                                       is_ipv6 ? "dst=2001:db8::9" : "dst=192.0.2.1"};
        const bool has_port = proto == "tcp" || proto == "udp" || proto == "sctp";
        if (has_port) words.push_back("dport=" + one_of({"80", "53", "443"}));
        if (proto == "tcp")
            words.push_back("flags=" + one_of({"syn", "ack", "syn,ack", "fin,syn"}));
        // Zeros behind an SCTP chunk would be a bad chunk.
        if (proto != "sctp" && random() % 3 == 0)
            words.push_back("length=" + one_of({"200", "1000", "1500"}));
        if (random() % 2 == 0) words.push_back("dscp=" + one_of({"ef", "0", "cs3"}));
        if (random() % 3 == 0) words.push_back("vlan=" + one_of({"7", "8"}));
        if (random() % 3 == 0) words.push_back("ttl=" + one_of({"1", "64"}));
        Pipeline pipeline(load(config), {.capacity = 64});
        const auto question = parse_question(words, pipeline.snapshot()->ruleset.names);
        REQUIRE(question);
        Bytes frame = question->frame;
        frame.resize(question->frame_length);
        const Counts before = pipeline.rule_packets();
        const Outcome outcome = pipeline.send({0, frame});
        const TracedPacket traced = trace_packet(*pipeline.snapshot(), *question, 0, false);
        CAPTURE(i, traced_packet_text(traced, pipeline.snapshot()->ruleset));
        REQUIRE(verdict_text(traced.verdict, traced.reason, traced.out) ==
                verdict_text(outcome.verdict, outcome.reason, outcome.out_port));
        REQUIRE(traced.ct_class == outcome.ct_class);
        REQUIRE(traced.invalid == outcome.invalid);
        REQUIRE(rules_of(traced) == difference(pipeline.rule_packets(), before));
        for (const auto& [name, count] : rules_of(traced))
            seen[name] += count;
    }
    for (const char* rule : {"inv", "web", "big", "far", "ping", "ping6", "low", "ef", "five",
                             "lan", "forward policy"}) {
        CAPTURE(rule);
        CHECK(seen[rule] > 0);
    }
}

TEST_CASE("a question changes nothing: no bucket, no count, no flow") {
    Pipeline pipeline(
        load(config_with("{ policy: drop, rules: [{ id: r, counter: c, set_ct_mark: 1, "
                         "log: { limit: 1/day burst 1 }, action: accept }] }")));
    const Counts before = pipeline.rule_packets();
    const PacketTestOutput output =
        test_packet(*pipeline.snapshot(),
                    {"in=lan", "proto=udp", "src=10.0.0.2", "dst=192.0.2.1", "dport=53"}, 0, true);
    REQUIRE(output.is_good);
    CHECK(output.json["verdict"] == "accept");
    CHECK(pipeline.rule_packets() == before);
    CHECK(pipeline.flows().empty());
    pipeline.send({0, frame_of("udp 10.0.0.2:4000 > 192.0.2.1:53 len 9")});
    CHECK(pipeline.rule_packets().at("r logged") == 1);
}

TEST_CASE("the answer tells the way, and on request why the other rules did not match") {
    const auto snapshot = load(config_with(
        "{ policy: drop, rules: [{ id: a, proto: udp, action: accept }, { id: b, jump: web }, "
        "{ id: c, not: { src: 10.0.0.0/8 }, action: accept }] }",
        "  web: [ { id: w, proto: tcp, dport: 80, action: accept } ]\n"));
    const std::vector<std::string> words{"in=lan", "proto=tcp", "src=10.0.0.2", "dst=192.0.2.1",
                                         "dport=22"};
    CHECK(test_packet(*snapshot, words, 0, false).text ==
          "packet    tcp 10.0.0.2:40000 > 192.0.2.1:22, 40 bytes, in=lan\n"
          "state     new\n"
          "forward   jump:web b (test.yaml:6) jump: web\n"
          "forward   drop by policy\n"
          "verdict   drop, policy: " +
              std::string(kDropReasons[static_cast<size_t>(DropReason::Policy)].text) + "\n");
    const std::string explained = test_packet(*snapshot, words, 0, true).text;
    CHECK(explained.find("forward     not a (test.yaml:6): proto: udp\n") != explained.npos);
    CHECK(explained.find("web         not w (test.yaml:7): dport: 80\n") != explained.npos);
    CHECK(explained.find("forward     not c (test.yaml:6): not: { src: 10.0.0.0/8 }\n") !=
          explained.npos);
}

TEST_CASE("a question that makes no sense says what is wrong with it") {
    const Names names = load(config_with("{ policy: drop }"))->ruleset.names;
    const auto problem = [&names](std::vector<std::string> more, bool is_whole = true) {
        std::vector<std::string> words;
        if (is_whole) words = {"in=lan", "src=10.0.0.2", "dst=192.0.2.1"};
        words.insert(words.end(), more.begin(), more.end());
        const auto question = parse_question(words, names);
        return question ? std::string() : question.error().message;
    };
    CHECK(problem({}, false) == "in= is missing");
    CHECK(problem({}) == "proto= is missing");
    CHECK(problem({"proto=tcp"}) == "dport= is missing");
    CHECK(problem({"proto=udp", "dport=53"}).empty());
    CHECK(problem({"proto=icmp", "dport=53"}) == "this protocol has no ports");
    CHECK(problem({"proto=udp", "dport=70000"}) == "dport=70000: not understood");
    CHECK(problem({"proto=udp", "dport=53", "dport=54"}) == "dport= stands twice");
    CHECK(problem({"proto=udp", "dport=53", "sourc=1"}) == "'sourc=1' is no KEY=VALUE of a packet");
    CHECK(problem({"proto=udp", "dport=53", "flags=syn"}) == "flags= needs proto=tcp");
    CHECK(problem({"proto=tcp", "dport=53", "flags=syn,"}) == "flags=syn,: not understood");
    CHECK(problem({"proto=tcp", "dport=53", "length=39"}) ==
          "length=39: the headers alone have 40 bytes");
    CHECK(problem({"proto=tcp", "dport=53", "dir=reply", "state=new"}) == "a reply is never new");
    CHECK(problem({"proto=icmpv6"}) == "proto is not that of these addresses; theirs is icmp");
    CHECK(problem({"proto=udp", "dport=53", "out=dmz"}) == "out=dmz: no such interface");
    CHECK(problem({"proto=udp", "dport=53", "time=yesterday"}) == "time=yesterday: not understood");
    CHECK(problem({"proto=udp", "dport=53", "time=2026-01-31T12:00"}).empty());
}

}  // namespace rampart::test
