#include "config/document.h"

#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

struct Reading {
    explicit Reading(std::string text)
        : value(read_document("a.yaml", std::move(text), diagnostics)) {}

    Diagnostics diagnostics;
    std::optional<Value> value;
};

std::string problem(std::string text) {
    return problem_of(Reading(std::move(text)).diagnostics);
}

bool is_refused(const std::string& text, const std::string& code) {
    const Reading reading(text);
    for (const Diagnostic& diagnostic : reading.diagnostics.all()) {
        if (diagnostic.code == code) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("scalars keep the text that was written") {
    const Reading reading("a: 022\nb: no\nc: 0x16\nd: \"1\"\ne: 0000:01:00.0\nf: ~\n");
    REQUIRE(reading.value);
    CHECK(reading.value->find("a")->text() == "022");
    CHECK(reading.value->find("b")->text() == "no");
    CHECK(reading.value->find("c")->text() == "0x16");
    CHECK(reading.value->find("d")->is_quoted());
    CHECK_FALSE(reading.value->find("a")->is_quoted());
    CHECK(reading.value->find("e")->text() == "0000:01:00.0");
    CHECK(reading.value->find("f")->is_null());
}

TEST_CASE("every node knows its line and column") {
    const Reading reading("a:\n  - { b: c }\n");
    REQUIRE(reading.value);
    const Value& rule = reading.value->find("a")->items().at(0);
    CHECK(rule.location().line == 2);
    CHECK(rule.location().column == 5);
    CHECK(rule.find("b")->location().column == 10);
    CHECK(rule.find("b")->location().end_column == 11);
}

TEST_CASE("JSON is YAML") {
    const Reading reading("{\"a\": [\"b\", {\"c\": 1}]}");
    REQUIRE(reading.value);
    CHECK(reading.value->find("a")->items().size() == 2);
    CHECK_FALSE(reading.diagnostics.has_errors());
}

TEST_CASE("a duplicate key is an error wherever it stands") {
    CHECK(problem("a: 1\nb: 2\na: 3\n") == "E003 duplicate key 'a' | first defined at line 1");
    CHECK(is_refused("{x: {a: 1, a: 2}}", "E003"));
    CHECK(is_refused("\"a\": 1\n'a': 2\n", "E003"));
}

TEST_CASE("tags, anchors, aliases and merge keys are refused") {
    for (const char* text : {"a: !10.0.0.0/8", "a: ! 10", "a: !!str 1", "a: !<x> 1", "!foo a: 1",
                             "a: &x 1", "a: [&x 1, *x]", "&x a: 1", "a: !x [1]", "a: &x {b: 1}",
                             "<<: {a: 1}", "a: {<<: 1}", "- !x"}) {
        CAPTURE(text);
        CHECK(is_refused(text, "E004"));
    }
    CHECK(problem("a: [{ src: !10.0.0.0/8 }]") ==
          "E004 YAML tag '!10.0.0.0/8' is not allowed here | to negate, write  not: { src: "
          "10.0.0.0/8 }");
}

TEST_CASE("a self-referencing anchor does not hang the reader") {
    CHECK(is_refused("a: &x [*x]", "E004"));
    CHECK(is_refused("&x [*x, *x, *x]", "E004"));
}

TEST_CASE("a refused value takes its rule with it") {
    const Reading reading("rules:\n  - { a: 1, src: !x, b: 2 }\n  - { c: 3 }\n");
    REQUIRE(reading.value);
    REQUIRE(reading.value->find("rules")->items().size() == 1);
    CHECK(reading.value->find("rules")->items()[0].find("c"));
}

TEST_CASE("a quoted word may begin with anything") {
    const Reading reading("a: \"!x\"\nb: '&x'\nc: \"*\"\nd: \"<<\"\n\"<<\": x\n");
    CHECK_FALSE(reading.diagnostics.has_errors());
    REQUIRE(reading.value);
    CHECK(reading.value->find("c")->text() == "*");
}

TEST_CASE("a key is a word") {
    CHECK(is_refused("[a]: b", "E005"));
    CHECK(is_refused("{a: 1}: b", "E005"));
    CHECK(is_refused(": b", "E005"));
}

TEST_CASE("there is one document in a file") {
    CHECK(is_refused("a: 1\n---\nb: 2\n", "E001"));
    CHECK(is_refused("", "E001"));
    CHECK(is_refused("# only a comment\n", "E001"));
    CHECK_FALSE(is_refused("---\na: 1\n...\n", "E001"));
}

TEST_CASE("bytes that hide something are refused") {
    CHECK(is_refused(std::string("a: b\0c", 6), "E001"));
    CHECK(is_refused("a: \xff", "E001"));
    CHECK(is_refused("a: \xc0\xaf", "E001"));
    CHECK(is_refused("a: \xe2\x80\xae", "E001"));
    CHECK(is_refused("# \xe2\x81\xa6", "E001"));
    CHECK(is_refused("a: \x1b[2J", "E001"));
    CHECK(is_refused("a: 1\rb: 2", "E001"));
    CHECK(is_refused("a: \"x\\0y\"", "E001"));
    CHECK(is_refused("a: \"\\e[2J\"", "E001"));
    CHECK_FALSE(
        is_refused("\xef\xbb\xbf"
                   "a: \xc3\xbc\r\nb: 1\r\n",
                   "E001"));
}

TEST_CASE("deep nesting is refused before it is followed") {
    for (const std::string unit : {"[", "{a: ", "- ", "? ", "- ? ", "[{"}) {
        CAPTURE(unit);
        std::string text;
        for (int i = 0; i < 100000; ++i)
            text += unit;
        CHECK(is_refused(text, "E001"));
    }
    std::string at_limit = std::string(32, '[') + std::string(32, ']');
    CHECK_FALSE(is_refused(at_limit, "E001"));
    CHECK(is_refused("[" + at_limit + "]", "E001"));
}

TEST_CASE("the number of values is bounded, and a long line is no problem") {
    std::string text = "[";
    for (size_t i = 0; i <= kMaxNodes; ++i)
        text += "1,";
    CHECK(is_refused(text + "1]", "E001"));
}

TEST_CASE("common YAML mistakes get a hint") {
    const auto has = [](const std::string& text, const std::string& hint) {
        return problem(text).find(hint) != std::string::npos;
    };
    CHECK(has("a:\n\tb: 1", "indent with spaces"));
    CHECK(has("a: @x", "begins with '@' needs quotes"));
    CHECK(has("a: %x", "begins with '%' needs quotes"));
    CHECK(has("in: *", "with quotes"));
    CHECK(has("log: prefix: x", "needs quotes"));
    CHECK(has("{src: fe80::}", "IPv6 address needs quotes"));
    CHECK(has("a: [1, 2", "bracket or a comma"));
}
