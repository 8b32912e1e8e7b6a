#include "rules/sets/prefix_table.h"

#include <map>
#include <random>

#include <catch2/catch.hpp>

using namespace rampart;

namespace {

// The same set as a plain map, looked up prefix by prefix.
template <typename Word>
class Oracle {
  public:
    using Table = PrefixTable<Word>;
    using Element = typename Table::Element;

    bool add(const Element& element) {
        return elements_.emplace(std::pair(element.first, element.length), element.label).second;
    }
    bool remove(Word first, uint8_t length) { return elements_.erase({first, length}) != 0; }
    uint32_t find(Word word) const {
        uint32_t found = Table::kAbsent;
        for (unsigned length = 0; length <= Table::kBits; ++length) {
            const Word first =
                static_cast<Word>(word & static_cast<Word>(~Table::host_mask(length)));
            const auto at = elements_.find({first, static_cast<uint8_t>(length)});
            if (at != elements_.end()) found = at->second;
        }
        return found;
    }
    size_t size() const { return elements_.size(); }
    const auto& elements() const { return elements_; }

  private:
    std::map<std::pair<Word, uint8_t>, uint32_t> elements_;
};

// Prefixes that nest and touch: few starts, any length, both ends of the address space.
template <typename Word>
typename PrefixTable<Word>::Element random_element(std::mt19937_64& random, uint32_t label) {
    constexpr unsigned kBits = PrefixTable<Word>::kBits;
    const unsigned length = random() % 3 == 0 ? static_cast<unsigned>(random() % (kBits + 1))
                                              : kBits - static_cast<unsigned>(random() % 9);
    Word word = static_cast<Word>(random() % 2048);
    if (random() % 4 == 0) word = static_cast<Word>(~word);
    if (random() % 4 == 0) word = static_cast<Word>(word << (kBits - 12));
    word = static_cast<Word>(word & static_cast<Word>(~PrefixTable<Word>::host_mask(length)));
    return {word, label, static_cast<uint8_t>(length), false};
}

template <typename Word>
void check_same(const PrefixTable<Word>& table, const Oracle<Word>& oracle, bool is_labelled,
                std::mt19937_64& random, unsigned probes) {
    REQUIRE(table.size() == oracle.size());
    for (unsigned i = 0; i < probes; ++i) {
        const auto near = random_element<Word>(random, 0);
        for (const Word word : {near.first, near.last(), static_cast<Word>(near.first - 1),
                                static_cast<Word>(near.last() + 1)}) {
            const uint32_t wanted = oracle.find(word);
            if (is_labelled)
                REQUIRE(table.find(word) == wanted);
            else
                REQUIRE((table.find(word) == 0) == (wanted != PrefixTable<Word>::kAbsent));
        }
    }
}

template <typename Word>
void check_listing(const PrefixTable<Word>& table, const Oracle<Word>& oracle) {
    auto expected = oracle.elements().begin();
    const auto* at = table.first_element();
    for (; at != nullptr; at = table.next_after(at->first, at->length), ++expected) {
        REQUIRE(expected != oracle.elements().end());
        REQUIRE(at->first == expected->first.first);
        REQUIRE(at->length == expected->first.second);
    }
    REQUIRE(expected == oracle.elements().end());
}

template <typename Word>
void play(bool is_labelled, uint64_t seed, unsigned steps) {
    std::mt19937_64 random(seed);
    PrefixTable<Word> table(is_labelled);
    Oracle<Word> oracle;
    RetiredList retired;
    for (unsigned step = 0; step < steps; ++step) {
        const auto element = random_element<Word>(random, step + 1);
        if (random() % 3 != 0) {
            REQUIRE(table.add(element, retired) == oracle.add(element));
        } else {
            const auto removed = table.remove(element.first, element.length, retired);
            REQUIRE(removed.has_value() == oracle.remove(element.first, element.length));
        }
        check_same(table, oracle, is_labelled, random, 4);
        retired.clear();
    }
    check_listing(table, oracle);
}

}  // namespace

TEST_CASE("a prefix table answers as a search through all prefixes does") {
    for (const bool is_labelled : {false, true}) {
        play<uint32_t>(is_labelled, 1, 4000);
        play<Word128>(is_labelled, 2, 2000);
    }
}

TEST_CASE("a prefix table that was made at once equals one that grew") {
    std::mt19937_64 random(3);
    for (int round = 0; round < 20; ++round) {
        Oracle<uint32_t> oracle;
        std::vector<PrefixTable<uint32_t>::Element> elements;
        const size_t count = random() % 3000;
        for (uint32_t i = 0; i < count; ++i) {
            elements.push_back(random_element<uint32_t>(random, i + 1));
            oracle.add(elements.back());
        }
        PrefixTable<uint32_t> table(true);
        RetiredList retired;
        table.assign(elements, retired);
        check_same(table, oracle, true, random, 300);
        check_listing(table, oracle);
    }
}

TEST_CASE("a table of everything and of nothing") {
    PrefixTable<uint32_t> table(false);
    RetiredList retired;
    CHECK(table.find(0) == PrefixTable<uint32_t>::kAbsent);
    CHECK(table.first_element() == nullptr);
    table.add({0, 0, 0, false}, retired);
    CHECK(table.find(0) == 0);
    CHECK(table.find(0xffffffff) == 0);
    table.add({0xffffffff, 0, 32, false}, retired);
    CHECK(table.remove(0, 0, retired));
    CHECK(table.find(0xffffffff) == 0);
    CHECK(table.find(0xfffffffe) == PrefixTable<uint32_t>::kAbsent);
    CHECK_FALSE(table.remove(0, 0, retired));
}

TEST_CASE("what a change replaces is retired and not freed") {
    PrefixTable<uint32_t> table(false);
    RetiredList retired;
    table.add({10, 0, 32, false}, retired);
    CHECK_FALSE((table.add({10, 0, 32, false}, retired)));
    const size_t before = retired.size();
    table.add({11, 0, 32, false}, retired);
    CHECK(retired.size() == before + 1);
}
