#include <algorithm>

#include <catch2/catch.hpp>

#include "rules/sets/set_use.h"
#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

constexpr uint64_t kSecond = 1'000'000'000;

std::shared_ptr<NamedSet> make_set(const char* type, SetOptions options = {}) {
    options.name = "s";
    options.type = find_set_type(type);
    return std::make_shared<NamedSet>(options, KeyedHash::from_seed(7));
}

std::vector<SetElement> parsed(const NamedSet& set, const std::string& text) {
    std::vector<SetElement> elements;
    REQUIRE_FALSE(parse_set_element(set.type(), text, sample_names(), elements));
    return elements;
}

Addition add(NamedSet& set, const std::string& text, uint32_t timeout_s = 0, Now now = Now{}) {
    return set.add(parsed(set, text).front(), timeout_s, now);
}

bool holds(const NamedSet& set, const std::string& text, Tick now = 0) {
    return set.holds(parsed(set, text).front(), now);
}

SetContents contents_of(const NamedSet& set, const std::vector<std::string>& texts) {
    SetContents contents;
    for (const std::string& text : texts)
        for (const SetElement& element : parsed(set, text))
            contents.add(element, NamedSet::is_prefix_type(set.type(), set.is_dynamic()));
    contents.finish();
    return contents;
}

// In the order of their texts.
std::string listed(const NamedSet& set, Now now = Now{}) {
    std::vector<std::string> words;
    SetCursor cursor;
    SetEntry entry;
    while (set.next(cursor, entry, now)) {
        std::string word = print_set_element(set.type(), entry.element, sample_names());
        if (entry.seconds_left != 0) word += ":" + std::to_string(entry.seconds_left);
        if (entry.packets != 0) word += "*" + std::to_string(entry.packets);
        words.push_back(word);
    }
    std::sort(words.begin(), words.end());
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

Now at_second(uint64_t second) {
    return Now::at(second * kSecond);
}

}  // namespace

TEST_CASE("what the configuration says is replaced, what was added at run time stays") {
    for (const char* type : {"net", "ip", "mac", "ip,port", "port"}) {
        CAPTURE(type);
        const bool is_mac = type == std::string("mac"), is_port = type == std::string("port");
        const auto word = [&](int i) {
            const std::string n = std::to_string(i);
            if (is_mac) return "52:54:00:00:00:0" + n;
            if (is_port) return n;
            return "10.0.0." + n + (type == std::string("ip,port") ? ",80" : "");
        };
        const auto set = make_set(type);
        set->assign(contents_of(*set, {word(1), word(2)}), Now{});
        CHECK(add(*set, word(3)) == Addition::Added);
        CHECK(add(*set, word(1)) == Addition::Refreshed);
        set->assign(contents_of(*set, {word(2), word(4)}), Now{});
        CHECK(listed(*set) == word(2) + " " + word(3) + " " + word(4));
        CHECK_FALSE(holds(*set, word(1)));
        CHECK(holds(*set, word(3)));
        CHECK(set->remove(parsed(*set, word(2)).front()));
        CHECK_FALSE(set->remove(parsed(*set, word(2)).front()));
        CHECK(set->size() == 2);
        set->clear();
        CHECK(set->size() == 0);
        CHECK(listed(*set).empty());
    }
}

TEST_CASE("control forgets elements of a set that is not dynamic when it sweeps") {
    for (const char* type : {"net", "ip,port"}) {
        CAPTURE(type);
        const std::string tail = type == std::string("net") ? "" : ",80";
        const auto set = make_set(type);
        add(*set, "10.0.0.1" + tail, 5, at_second(10));
        add(*set, "10.0.0.2" + tail, 0, at_second(10));
        CHECK(listed(*set, at_second(11)) == "10.0.0.1" + tail + ":4 10.0.0.2" + tail);
        CHECK(add(*set, "10.0.0.1" + tail, 9, at_second(12)) == Addition::Refreshed);
        CHECK(add(*set, "10.0.0.2" + tail, 9, at_second(12)) == Addition::Refreshed);
        bool any = false;
        for (int i = 0; i < 200; ++i)
            any = set->sweep(at_second(20)) || any;
        CHECK_FALSE(any);
        // Until control says so, nothing changes for flows.
        CHECK(holds(*set, "10.0.0.1" + tail, at_second(30).tick));
        for (int i = 0; i < 200; ++i)
            any = set->sweep(at_second(30)) || any;
        CHECK(any);
        CHECK(listed(*set, at_second(30)) == "10.0.0.2" + tail);
    }
}

TEST_CASE("a dynamic set forgets to the tick, and packets renew their elements") {
    const auto set = make_set("ip", {.is_dynamic = true, .timeout_s = 10, .max = 4});
    const SetElement element = parsed(*set, "192.0.2.1").front();
    CHECK(set->add_from_packet(element, 0, 100) == Addition::Added);
    CHECK(set->holds(element, 1099));
    CHECK_FALSE(set->holds(element, 1100));
    CHECK(set->add_from_packet(element, 20, 500) == Addition::Refreshed);
    CHECK(set->holds(element, 2499));
    for (int i = 2; i < 9; ++i)
        set->add_from_packet(parsed(*set, "192.0.2." + std::to_string(i)).front(), 0, 100);
    CHECK(set->size() == 4);
    CHECK(set->refused() == 4);
    CHECK(set->remove_from_packet(element));
    CHECK_FALSE(set->holds(element, 600));
}

TEST_CASE("the longest prefix counts") {
    const auto set = make_set("net", {.has_counters = true, .max = 10});
    set->assign(contents_of(*set, {"10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"}), Now{});
    const auto count = [&](const char* address) {
        set->count(parsed(*set, address).front(), 0, 100);
    };
    count("10.1.2.3");
    count("10.1.2.4");
    count("10.2.0.1");
    count("192.0.2.1");
    count("2001:db8::1");
    CHECK(listed(*set) == "10.0.0.0/8*1 10.1.0.0/16*2 2001:db8::/32*1");
    // Counts follow their elements.
    const auto next = make_set("net", {.has_counters = true, .max = 10});
    next->assign(contents_of(*set, {"10.1.0.0/16", "192.0.2.0/24"}), Now{});
    next->adopt(*set, Now{});
    CHECK(listed(*next) == "10.1.0.0/16*2 192.0.2.0/24");
}

TEST_CASE("a dynamic set goes on under a new configuration") {
    const auto names_with = [](std::shared_ptr<NamedSet> set) {
        Names names = sample_names();
        auto handle = std::make_shared<SetHandle>();
        handle->set = std::move(set);
        names.sets.push_back(std::move(handle));
        return names;
    };
    const auto before = make_set("ip", {.is_dynamic = true, .timeout_s = 10, .max = 8});
    add(*before, "192.0.2.1", 100, at_second(1));
    SECTION("as it is, when nothing about its form changes") {
        const Names from = names_with(before);
        Names to = names_with(make_set("ip", {.is_dynamic = true, .timeout_s = 20, .max = 8}));
        carry_sets(from, to, at_second(2));
        CHECK(to.sets[0]->set == before);
        CHECK(before->timeout_s() == 20);
    }
    SECTION("with its elements, when its size changes") {
        const Names from = names_with(before);
        Names to = names_with(make_set("ip", {.is_dynamic = true, .max = 16}));
        carry_sets(from, to, at_second(2));
        CHECK(to.sets[0]->set != before);
        CHECK(listed(*to.sets[0]->set, at_second(2)) == "192.0.2.1:99");
    }
    SECTION("not at all, when its type changes") {
        const Names from = names_with(before);
        Names to = names_with(make_set("mac", {.is_dynamic = true, .max = 8}));
        carry_sets(from, to, at_second(2));
        CHECK(to.sets[0]->set->size() == 0);
    }
}

TEST_CASE("a set of networks and ports has at most 64 lengths") {
    const auto set = make_set("net,net");
    size_t refused = 0;
    for (int i = 0; i <= 10; ++i)
        for (int j = 0; j <= 10; ++j)
            refused += add(*set, "10.0.0.0/" + std::to_string(8 + i) + ",10.0.0.0/" +
                                     std::to_string(8 + j)) == Addition::Refused;
    CHECK(refused == 121 - 64);
    CHECK(set->size() == 64);
}
