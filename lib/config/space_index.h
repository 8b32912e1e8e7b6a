// SpaceIndex: which of the rules so far may match a packet; for rule analysis.
//
// Rules are kept by shape (how many bits of each address, which ports, whether one protocol) in a
// hash of the numbers that the shape fixes. A look-up asks once per shape. It may answer with rules
// that do not match, never leaves out one that does.
// Control thread, while a configuration is loaded.
#pragma once

#include <unordered_map>
#include <vector>

#include "config/rule_space.h"

namespace rampart {

class SpaceIndex {
  public:
    explicit SpaceIndex(Family family) : family_(family) {}

    void add(uint32_t rule, const Space& space);
    // Calls `ask(rule)` for each candidate, until it answers false. Returns how much work it was.
    template <typename Ask>
    size_t find(const Point& point, Ask ask) const;

  private:
    // How many leading bits of an address, and whether one port and one protocol are fixed.
    struct Shape {
        uint8_t src_bits = 0;
        uint8_t dst_bits = 0;
        bool sport = false;
        bool dport = false;
        bool proto = false;
        bool operator==(const Shape&) const = default;
    };
    struct Entry {
        uint32_t rule;
        uint32_t next;
    };
    // What one field of a rule is looked up by.
    struct Choice {
        uint8_t bits = 0;  // of an address; else 1: the number
        Wide value = 0;
    };
    static constexpr uint32_t kNone = 0xffffffff;

    std::vector<Choice> choices_of(Field field, const Runs& runs) const;
    void add(uint32_t rule, const Shape& shape, const Point& point);
    uint64_t key_of(size_t shape, const Point& point) const;

    Family family_;
    std::vector<Shape> shapes_;
    std::unordered_map<uint64_t, uint32_t> first_;
    std::vector<Entry> entries_;
};

template <typename Ask>
size_t SpaceIndex::find(const Point& point, Ask ask) const {
    size_t work = 0;
    for (size_t shape = 0; shape < shapes_.size(); ++shape) {
        ++work;
        const auto found = first_.find(key_of(shape, point));
        if (found == first_.end()) continue;
        for (uint32_t at = found->second; at != kNone; at = entries_[at].next) {
            ++work;
            if (!ask(entries_[at].rule)) return work;
        }
    }
    return work;
}

}  // namespace rampart
