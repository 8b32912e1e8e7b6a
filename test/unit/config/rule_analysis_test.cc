// What the rule analysis says is held against every kind of packet that the rules can tell apart.
#include <random>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "config/loader.h"
#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

constexpr unsigned kFirstRuleLine = 9;

// What rules may say, and one packet for each way in which the words can hold or not.
const std::vector<std::string> kNets = {
    "10.0.0.0/8",     "10.1.0.0/16",         "10.1.1.1",
    "192.168.0.0/16", "10.0.0.5-10.1.0.255", "\"2001:db8::/32\""};
const std::vector<std::string> kHosts = {"10.9.9.9",    "10.1.9.9",    "10.1.1.1",
                                         "192.168.1.1", "10.0.0.9",    "10.1.0.1",
                                         "172.16.0.1",  "2001:db8::1", "2001:db9::1"};
const std::vector<std::string> kPorts = {"22", "80", "1-1023", "[22, 443]", "80-8080"};
const std::vector<uint16_t> kPortSamples = {0, 22, 50, 80, 443, 900, 5000, 9000};
const std::vector<std::string> kStates = {"new", "established", "[established, related]", "invalid",
                                          "[new, untracked]"};

class RandomRules {
  public:
    explicit RandomRules(uint64_t seed) : random_(seed) {}

    std::string rule() {
        std::string plain, negated;
        const auto add = [&](std::string_view key, const std::string& value) {
            std::string& text = one_in(5) ? negated : plain;
            text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", key, value);
        };
        if (one_in(3)) add("in", pick({"lan", "wan"}));
        if (one_in(3)) add("src", pick(kNets));
        if (one_in(3)) add("dst", pick(kNets));
        if (one_in(4)) add("state", pick(kStates));
        if (one_in(6)) add("ct_dir", pick({"original", "reply"}));
        std::string proto = one_in(2) ? "" : pick({"tcp", "udp", "[tcp, udp]", "icmp"});
        std::string rest;
        if (proto == "icmp") {
            if (one_in(2)) rest = ", icmp: " + pick({"echo-request", "echo-reply"});
        } else if (!proto.empty() && !one_in(3)) {
            rest = (one_in(4) ? ", sport: " : ", dport: ") + pick(kPorts);
        }
        if (!proto.empty()) plain += (plain.empty() ? "proto: " : ", proto: ") + proto + rest;
        std::string text = plain;
        if (!negated.empty()) text += (text.empty() ? "not: { " : ", not: { ") + negated + " }";
        if (!text.empty()) text += ", ";
        return "{ " + text + "action: " + pick({"accept", "drop", "reject", "continue"}) + " }";
    }

    bool one_in(unsigned n) { return random_() % n == 0; }
    std::string pick(const std::vector<std::string>& words) {
        return words[random_() % words.size()];
    }

  private:
    std::mt19937_64 random_;
};

std::vector<Sample> all_samples() {
    std::vector<Sample> headers;
    for (const std::string& src : kHosts) {
        for (const std::string& dst : kHosts) {
            if ((src.find(':') == src.npos) != (dst.find(':') == dst.npos)) continue;
            for (const uint16_t port : kPortSamples) {
                headers.push_back(packet_between(src, dst, ip_protocol::kTcp, port, 50));
                headers.push_back(packet_between(src, dst, ip_protocol::kTcp, 9000, port));
                headers.push_back(packet_between(src, dst, ip_protocol::kUdp, 5000, port));
                headers.push_back(packet_between(src, dst, ip_protocol::kUdp, port, 22));
            }
            headers.push_back(packet_between(src, dst, 47));
            if (src.find(':') != src.npos) continue;
            for (const int type : {0, 3, 8})
                headers.push_back(icmp(src, dst, static_cast<uint8_t>(type), 0));
        }
    }
    std::vector<Sample> samples;
    for (const Sample& header : headers) {
        for (unsigned state = 0; state < kCtClassCount * 2; ++state) {
            Sample sample = header;
            sample.ct_class = static_cast<CtClass>(state / 2);
            sample.direction = static_cast<Direction>(state % 2);
            for (const InterfaceIndex in : {InterfaceIndex{0}, InterfaceIndex{1}}) {
                sample.in = in;
                samples.push_back(sample);
            }
        }
    }
    return samples;
}

// The rules that some sample gets to, by position.
std::set<size_t> reached_by(const std::vector<Sample>& samples, const Chain& chain) {
    std::set<size_t> reached;
    for (Sample sample : samples) {
        const RuleInput input = sample.input();
        for (size_t i = 0; i < chain.rules.size(); ++i) {
            const Rule& rule = chain.rules[i];
            const bool holds =
                std::all_of(rule.matches.begin(), rule.matches.end(),
                            [&input](const Match& match) { return match.matches(input); });
            if (!holds) continue;
            reached.insert(i);
            if (rule.decision.step != Step::Continue) break;
        }
    }
    return reached;
}

}  // namespace

TEST_CASE("no packet gets to a rule that is called unreachable") {
    const std::vector<Sample> samples = all_samples();
    size_t said = 0;
    for (uint64_t seed = 1; seed <= 120; ++seed) {
        RandomRules random(seed);
        std::string text =
            "version: 1\ninterfaces:\n  lan: { device: \"vdev:net_null0\", bridge: wan }\n"
            "  wan: { device: \"vdev:net_null1\" }\nchains:\n  forward:\n    policy: accept\n"
            "    rules:\n";
        for (size_t i = 0; i < 12; ++i)
            text += "      - " + random.rule() + "\n";
        CAPTURE(seed, text);
        Diagnostics diagnostics;
        const auto configuration = load_configuration("a.yaml", text, diagnostics);
        if (!configuration) continue;  // families that exclude each other, for example
        const Chain& forward = configuration->snapshot->ruleset.chains[0];
        const std::set<size_t> reached = reached_by(samples, forward);
        std::set<size_t> unreachable;
        for (const Diagnostic& diagnostic : diagnostics.all()) {
            if (diagnostic.code != "W102") continue;
            unreachable.insert(diagnostic.location.line - kFirstRuleLine);
        }
        for (const size_t rule : unreachable)
            CHECK(reached.count(rule) == 0);
        said += unreachable.size();
    }
    CHECK(said > 50);
}

TEST_CASE("the analysis of many overlapping rules comes to an end") {
    std::string text =
        "version: 1\ninterfaces:\n  lan: { device: \"vdev:net_null0\", bridge: wan }\n"
        "  wan: { device: \"vdev:net_null1\" }\nchains:\n  forward:\n    policy: drop\n"
        "    rules:\n";
    for (unsigned i = 0; i < 20000; ++i)
        text += fmt::format("      - {{ proto: tcp, sport: {}-65535, dport: 0-{}, action: {} }}\n",
                            i, 65535 - i, i % 2 == 0 ? "drop" : "accept");
    Diagnostics diagnostics;
    CHECK(load_configuration("a.yaml", text, diagnostics));
    CHECK(diagnostics.warning_count() > 1000);
}
