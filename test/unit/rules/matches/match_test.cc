#include <catch2/catch.hpp>

#include "rules/sets/set_key_value.h"
#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

class SetBench {
  public:
    SetBench(const char* type, std::vector<const char*> elements, bool is_dynamic = false) {
        auto handle = std::make_shared<SetHandle>();
        handle->set = std::make_shared<NamedSet>(
            SetOptions{.name = "pinned", .type = find_set_type(type), .is_dynamic = is_dynamic},
            KeyedHash::from_seed(1));
        names_.sets.push_back(handle);
        std::vector<SetElement> parsed;
        for (const char* element : elements)
            REQUIRE_FALSE(parse_set_element(handle->set->type(), element, names_, parsed));
        for (const SetElement& element : parsed)
            REQUIRE(handle->set->add(element, 0, Now{}) == Addition::Added);
    }

    bool matches(const std::string& text, Sample sample) {
        const Value rule = yaml(text);
        const RuleScope scope = scope_of(rule);
        ParseContext context{diagnostics_, names_, scope, "match", {}};
        const Match match{find_match_type("match"), false,
                          find_match_type("match")->parse(*rule.find("match"), context)};
        if (!match.arguments) FAIL(problem_of(diagnostics_));
        return match.matches(sample.input());
    }
    std::string printed(const std::string& text) {
        const Value rule = yaml(text);
        const RuleScope scope = scope_of(rule);
        ParseContext context{diagnostics_, names_, scope, "match", {}};
        const Arguments arguments = find_match_type("match")->parse(*rule.find("match"), context);
        if (!arguments) return problem_of(diagnostics_).substr(0, 4);
        return find_match_type("match")->print(arguments, names_);
    }

  private:
    Names names_ = sample_names();
    Diagnostics diagnostics_;
};

}  // namespace

TEST_CASE("a set of concatenations is looked up by destination, protocol and port") {
    SetBench bench("ip,proto,port", {"192.0.2.1,udp,53", "2001:db8::1,tcp,443"});
    const std::string rule = "{ match: \"@pinned\" }";
    CHECK(bench.matches(rule, packet_between("10.0.0.1", "192.0.2.1", 17, 4000, 53)));
    CHECK_FALSE(bench.matches(rule, packet_between("10.0.0.1", "192.0.2.1", 6, 4000, 53)));
    CHECK_FALSE(bench.matches(rule, packet_between("10.0.0.1", "192.0.2.2", 17, 4000, 53)));
    CHECK_FALSE(bench.matches(rule, packet_between("192.0.2.1", "10.0.0.1", 17, 53, 4000)));
    CHECK(bench.matches(rule, tcp("2001:db8::9", 4000, "2001:db8::1", 443)));
    const std::string reply = "{ match: { set: \"@pinned\", key: [src, proto, sport] } }";
    CHECK(bench.matches(reply, packet_between("192.0.2.1", "10.0.0.1", 17, 53, 4000)));
}

TEST_CASE("pairs of networks are looked up under every length in use") {
    SetBench bench("net,net",
                   {"10.0.0.0/8,192.0.2.0/24", "10.1.0.0/16,0.0.0.0/0", "2001:db8::/32,::/0"});
    const std::string rule = "{ match: \"@pinned\" }";
    CHECK(bench.matches(rule, tcp("10.2.0.1", 1, "192.0.2.9", 2)));
    CHECK_FALSE(bench.matches(rule, tcp("10.2.0.1", 1, "192.0.3.9", 2)));
    CHECK(bench.matches(rule, tcp("10.1.0.1", 1, "198.51.100.1", 2)));
    CHECK(bench.matches(rule, tcp("2001:db8::1", 1, "2001:db9::1", 2)));
    CHECK_FALSE(bench.matches(rule, tcp("2001:db9::1", 1, "2001:db8::1", 2)));
}

TEST_CASE("a packet without ports is in no set of ports") {
    SetBench bench("ip,port", {"192.0.2.1,0"});
    const std::string rule = "{ match: \"@pinned\" }";
    CHECK(bench.matches(rule, packet_between("10.0.0.1", "192.0.2.1", 17, 0, 0)));
    CHECK_FALSE(bench.matches(rule, icmp("10.0.0.1", "192.0.2.1", 0, 0)));
}

TEST_CASE("a match with a set prints as it is read, and says what does not fit") {
    SetBench bench("ip,port", {});
    const std::string full = "{ set: \"@pinned\", key: [src, sport] }";
    CHECK(bench.printed("{ match: " + full + " }") == full);
    CHECK(bench.printed("{ match: \"@pinned\" }") == "{ set: \"@pinned\", key: [dst, dport] }");
    CHECK(SetBench("ip,port", {}).printed("{ match: { set: \"@pinned\", key: src } }") == "E019");
    CHECK(SetBench("ip,port", {}).printed("{ match: \"@unpinned\" }") == "E012");
    CHECK(SetBench("ip,port", {}).printed("{ match: pinned }") == "E005");
    CHECK(SetBench("ip,port", {}).printed("{ match: { set: \"@pinned\", kee: src } }") == "E002");
    CHECK(SetBench("ip,port", {}).printed("{ match: { set: \"@pinned\", key: saddr } }") == "E007");
}
