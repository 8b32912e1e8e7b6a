#include "base/value.h"

#include <catch2/catch.hpp>

using namespace rampart;

TEST_CASE("a value knows its kind, its text and its place") {
    const Value word = Value::scalar("022", false, {0, 3, 7, 10});
    CHECK(word.is_scalar());
    CHECK(word.text() == "022");
    CHECK(word.location().line == 3);
    CHECK(Value().is_null());
    CHECK(Value().kind_name() == "nothing");
}

TEST_CASE("a mapping is looked up by key") {
    std::vector<Value::Entry> entries;
    entries.push_back({Value::scalar("in", false, {}), Value::scalar("lan", false, {})});
    const Value map = Value::map(std::move(entries), {});
    REQUIRE(map.find("in"));
    CHECK(map.find("in")->text() == "lan");
    CHECK(map.find("out") == nullptr);
    CHECK(Value().find("in") == nullptr);
}
