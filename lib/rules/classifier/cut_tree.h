// CutTree: some boxes of a chain, found by cutting their space with bits of the key.
//
//   root: bits of the key --> nodes[i] --> children ... --> leaf: blocks of 8 boxes, by position
//
// The root's bits are gathered from up to kMaxRootWindows 64-bit windows of the key, those of an
// inner node from one (BMI2's pext). A box whose bits are free there stands in several children; a
// leaf compares its boxes in full, eight at a time, so which bits were chosen never changes an
// answer. Depth is bounded by kMaxLevels, whatever the traffic.
//
// A block, one column per box: ports, addresses, position, attributes (see Layout). Address words
// that no box of the tree asks about, and attributes likewise, are left out.
// Built by tree_builder on the control thread, immutable; find() is on the packet path.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "rules/classifier/rule_key.h"

namespace rampart {

inline constexpr uint32_t kNoRule = 0xffffffff;

template <unsigned AddressWords>
class TreeBuilder;

class CutTree {
  public:
    static constexpr unsigned kMaxRootWindows = 3;
    static constexpr unsigned kMaxLevels = 6;  // of nodes, the root's included
    static constexpr unsigned kBlockBoxes = 8;

    struct Window {
        uint64_t mask = 0;
        uint8_t index = 0;  // key.word[2 * index] and the next
        uint8_t bits = 0;   // in mask
    };
    struct Node {
        uint64_t mask = 0;    // inner: which bits of the window choose the child
        uint32_t base = 0;    // inner: the first child; leaf: the first block
        uint32_t detail = 0;  // inner: the window; leaf: kLeaf | number of blocks
        static constexpr uint32_t kLeaf = 0x80000000;
        bool is_leaf() const noexcept { return detail & kLeaf; }
        uint32_t block_count() const noexcept { return detail & ~kLeaf; }
    };
    // Where a block has what, in bytes. The first columns stand at fixed places.
    struct Layout {
        static constexpr uint32_t kFirstPorts = 0;  // 8 source ports, 8 destination ports
        static constexpr uint32_t kPortSpans = 32;  // last - first
        static constexpr uint32_t kValues = 64;     // 8 words for each address word
        uint32_t positions = 0;
        uint32_t attributes = 0;  // the lower half of the first word
        uint32_t shifts = 0;      // 8 bytes for each address word: how many low bits are free
        uint32_t more = 0;        // 8 words for each further word of attributes
        uint32_t stride = 0;
        std::vector<uint8_t> address_words;
        std::vector<uint8_t> more_attributes;  // words of the key; its first: the upper half
    };

    // The smallest position at or after `from` whose box holds `key`, if it is below `best`;
    // else `best`.
    uint32_t find(const RuleKey& key, uint32_t from, uint32_t best) const noexcept;
    // The same for `count` keys, at most kBatch, from position 0: best[i] in and out.
    static constexpr unsigned kBatch = 64;
    void find(const RuleKey* keys, unsigned count, uint32_t* best) const noexcept;

    uint64_t size_bytes() const noexcept { return nodes_.size() * sizeof(Node) + blocks_bytes_; }
    // The longest way: for tests and benchmarks.
    struct Depth {
        unsigned nodes = 0;
        unsigned blocks = 0;
    };
    Depth depth(const RuleKey& key) const noexcept;

  private:
    template <unsigned AddressWords>
    friend class TreeBuilder;
    struct Free {
        void operator()(uint8_t* bytes) const noexcept;
    };

    const Node& leaf_of(const RuleKey& key) const noexcept;
    uint32_t find_in(const Node& leaf, const RuleKey& key, uint32_t from,
                     uint32_t best) const noexcept;

    unsigned address_word_count_ = 0;  // of the family
    unsigned levels_ = 1;              // of nodes
    unsigned root_window_count_ = 0;
    std::array<Window, kMaxRootWindows> root_;
    Layout layout_;
    std::vector<Node> nodes_;  // the root's children first
    std::unique_ptr<uint8_t[], Free> blocks_;
    uint64_t blocks_bytes_ = 0;
};

}  // namespace rampart
