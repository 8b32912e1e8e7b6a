// The registries are complete: whatever is listed there explains itself and works as it says.
#include <filesystem>
#include <set>

#include <catch2/catch.hpp>

#include "config/loader.h"
#include "config/reference.h"
#include "packet/drop_reason.h"
#include "packet/invalid_reason.h"
#include "rules/match.h"
#include "rules/statement.h"
#include "rules/target.h"
#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

// Of a base chain that takes what may stand in `hooks`.
std::string section_with(std::string_view rule, HookMask hooks) {
    const auto may = [hooks](Hook hook) { return (hooks & mask_of(hook)) != 0; };
    const char* begin = "  forward: { policy: accept, rules: [ { jump: web }, ";
    const char* end = " ] }\n";
    if (!may(Hook::Forward)) {
        begin = may(Hook::Raw)          ? "  raw: { rules: [ "
                : may(Hook::Prerouting) ? "nat: { prerouting: [ "
                                        : "nat: { postrouting: [ ";
    }
    std::string text = may(Hook::Forward)
                           ? std::string()
                           : "  forward: { policy: accept, rules: [ { jump: web } ] }\n";
    return text + begin + std::string(rule) + end;
}

std::string problem_with(std::string_view rule, HookMask hooks) {
    // Sets only where the example uses one: an unused one is a warning.
    const auto uses = [rule](std::string_view name) { return rule.find(name) != rule.npos; };
    std::string sets;
    if (uses("scanners")) sets += "sets: { scanners: { type: ip, dynamic: true } }\n";
    if (uses("@pinned")) sets += "sets: { pinned: { type: \"ip,proto,port\" } }\n";
    std::string text = "version: 1\n" + sets +
                       "interfaces:\n"
                       "  lan: { device: \"0000:01:00.0\" }\n"
                       "  wan: { device: \"0000:01:00.1\" }\n"
                       "chains:\n"
                       "  web: [ { action: continue } ]\n" +
                       section_with(rule, hooks);
    Diagnostics diagnostics;
    load_configuration("example.yaml", text, diagnostics);
    return diagnostics.to_text();
}

void check_help(const Help& help, HookMask hooks) {
    CHECK_FALSE(help.summary.empty());
    CHECK(help.summary.back() == '.');
    CHECK_FALSE(help.iptables.empty());
    CHECK_FALSE(help.nft.empty());
    CHECK(problem_with(help.example, hooks).empty());
}

}  // namespace

TEST_CASE("every match has a unique key, help, and an example that loads") {
    std::set<std::string_view> keys;
    for (const MatchType* type : match_types()) {
        CAPTURE(type->key);
        CHECK(keys.insert(type->key).second);
        CHECK(find_match_type(type->key) == type);
        CHECK(type->help.example.find(type->key) != std::string_view::npos);
        CHECK_FALSE(type->help.values.empty());
        check_help(type->help, type->hooks);
    }
    CHECK(find_match_type("ctstate") == nullptr);
}

TEST_CASE("every match has a unit test") {
    const std::filesystem::path folder = RAMPART_SOURCE_ROOT "/test/unit/rules";
    for (const MatchType* type : match_types()) {
        CAPTURE(type->key);
        CHECK(std::filesystem::exists(folder / "matches" / (std::string(type->key) + "_test.cc")));
    }
}

TEST_CASE("every target has a unique name, help, and an example that loads") {
    std::set<std::string_view> names;
    for (const TargetType* type : target_types()) {
        CAPTURE(type->name);
        CHECK(names.insert(type->name).second);
        CHECK((type->own_key ? find_target_key(type->name) : find_action(type->name)) == type);
        CHECK(type->help.example.find(type->name) != std::string_view::npos);
        check_help(type->help, type->hooks);
    }
}

TEST_CASE("every statement has a unique key, help, an example that loads, and a scenario") {
    std::set<std::string_view> keys;
    for (const StatementType* type : statement_types()) {
        CAPTURE(type->key);
        CHECK(keys.insert(type->key).second);
        CHECK(find_statement_type(type->key) == type);
        CHECK(find_match_type(type->key) == nullptr);
        CHECK(type->help.example.find(type->key) != std::string_view::npos);
        CHECK_FALSE(type->help.values.empty());
        check_help(type->help, type->hooks);
        const std::string file = std::string(type->key) + ".yaml";
        CHECK(std::filesystem::exists(std::filesystem::path(RAMPART_SOURCE_ROOT "/test/scenario") /
                                      "statements" / file));
    }
}

TEST_CASE("the reference manual names every match, target, key and code") {
    const std::string reference = render_reference();
    for (const MatchType* type : match_types()) {
        CHECK(reference.find(type->key) != std::string::npos);
    }
    for (const StatementType* type : statement_types())
        CHECK(reference.find(type->key) != std::string::npos);
    for (const TargetType* type : target_types()) {
        CHECK(reference.find(type->name) != std::string::npos);
    }
    for (const char* word : {"`tcp_loose`", "`tcp_syn_sent`", "RP-E030", "RP-W120", "`mbufs`"}) {
        CHECK(reference.find(word) != std::string::npos);
    }
    for (const DropReasonInfo& reason : kDropReasons)
        CHECK(reference.find(reason.text) != std::string::npos);
    for (size_t i = 1; i < kInvalidReasonCount; ++i)
        CHECK(reference.find(kInvalidReasons[i].text) != std::string::npos);
}
