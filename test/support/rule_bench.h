// RuleBench: one match of a rule, parsed from its YAML text and held against packets.
//
//   RuleBench bench("{ proto: tcp, dport: 22 }", "dport");
//   CHECK(bench.matches(tcp4("10.0.0.1", 4000, "10.0.0.2", 22)));
//
// The names known to it: interfaces lan, wan, eth0, eth1, a zone "inside" = lan, chains forward,
// web. Tests only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/diagnostics.h"
#include "rules/match.h"
#include "rules/target.h"

namespace rampart::test {

// A packet as rules see it; the members may be changed before use.
struct Sample {
    Packet packet{};
    Tuple tuple;
    CtClass ct_class = CtClass::New;
    Direction direction = Direction::Original;
    InterfaceIndex in = 0;
    InterfaceIndex out = 1;

    Flow* flow = nullptr;
    uint64_t wall_ns = 0;
    uint8_t helper = 0;
    const RouteLookup* routing = nullptr;

    RuleInput input() {
        const uint16_t status = flow == nullptr ? uint16_t{0} : flow->status.load();
        RuleInput input{packet, tuple, ct_class, direction,         in,
                        out,    flow,  status,   Now{0, 0, wall_ns}};
        input.helper = helper;
        input.routing = routing;
        return input;
    }
};

Sample packet_between(std::string_view src, std::string_view dst, uint8_t protocol,
                      uint16_t src_port = 0, uint16_t dst_port = 0);
inline Sample tcp(std::string_view src, uint16_t src_port, std::string_view dst,
                  uint16_t dst_port) {
    return packet_between(src, dst, ip_protocol::kTcp, src_port, dst_port);
}
// ICMP or ICMPv6, by the family of `src`.
Sample icmp(std::string_view src, std::string_view dst, uint8_t type, uint8_t code);

Names sample_names();
// The only value of a small YAML text; fails the test when it cannot be read.
Value yaml(const std::string& text);

class RuleBench {
  public:
    // `rule` is a mapping; the match under `key` is parsed in the scope of its `proto`.
    RuleBench(const std::string& rule, std::string_view key, HookMask hooks = kAllHooks);

    bool is_parsed() const { return static_cast<bool>(match_.arguments); }
    bool matches(Sample sample) const { return match_.matches(sample.input()); }
    std::string print() const { return match_.type->print(match_.arguments, names_); }
    const Match& match() const { return match_; }
    // "E015 message | hint", or empty.
    std::string problem() const;

  private:
    Value rule_;
    Names names_ = sample_names();
    Diagnostics diagnostics_;
    Match match_;
};

// Parses the target that `rule` states.
struct TargetBench {
    explicit TargetBench(const std::string& rule);

    bool is_good = false;
    Decision decision;
    std::string printed;
    std::string short_form;
    Diagnostics diagnostics;
};

// The scope of a rule as the loader sets it up.
RuleScope scope_of(const Value& rule, HookMask hooks = kAllHooks);
std::string problem_of(const Diagnostics& diagnostics);

}  // namespace rampart::test
