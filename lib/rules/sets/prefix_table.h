// PrefixTable: a set of prefixes of one family that workers look up while control changes it.
//
//   Root -> starts [0, a, b, ...]   chunk i holds what lies in [starts[i], starts[i+1])
//        -> chunks [*, *, *, ...]   each: disjoint segments, sorted, with the label of their owner
//
// Prefixes nest, so the elements of a chunk flatten into segments: a look-up is a binary search
// among the starts and one among the segments of a chunk, whatever prefixes there are and whatever
// a sender chooses. A change writes a new chunk and swaps one pointer; each address turns from its
// old answer to its new one at once. Where elements overlap, the longest prefix owns the segment.
//
// Owner: control (all but find). Workers: find(). What a change replaces goes to `retired` and must
// live until no worker can be reading it (retired.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "rules/sets/retired.h"

namespace rampart {

__extension__ typedef unsigned __int128 Word128;  // an IPv6 address in host order

template <typename Word>
class PrefixTable {
  public:
    static constexpr unsigned kBits = sizeof(Word) * 8;
    static constexpr uint32_t kAbsent = 0xffffffff;
    static constexpr uint32_t kNoLabel = 0;  // of elements about which nothing is kept

    struct Element {
        Word first{};  // host bits are zero
        uint32_t label = kNoLabel;
        uint8_t length = 0;
        bool at_run_time = false;  // added by a command, not by the configuration

        Word last() const noexcept { return static_cast<Word>(first | host_mask(length)); }
        bool is_before(const Element& other) const noexcept {
            return first != other.first ? first < other.first : length < other.length;
        }
    };

    // `is_labelled`: look-ups tell the label of the longest prefix. Without, neighbouring segments
    // are merged.
    explicit PrefixTable(bool is_labelled);
    ~PrefixTable();
    PrefixTable(const PrefixTable&) = delete;
    PrefixTable& operator=(const PrefixTable&) = delete;

    // Workers: the label of the longest element that holds `word`; kAbsent when there is none.
    uint32_t find(Word word) const noexcept;

    // Replaces everything, in one step for the workers. Of equal prefixes the first stays.
    void assign(std::vector<Element> elements, RetiredList& retired);
    // False when it was in already; nothing changes then.
    bool add(const Element& element, RetiredList& retired);
    // Nothing when it was not in.
    std::optional<Element> remove(Word first, unsigned length, RetiredList& retired);
    const Element* element(Word first, unsigned length) const noexcept;
    Element* element(Word first, unsigned length) noexcept;

    size_t size() const noexcept { return size_; }
    size_t memory_bytes() const noexcept;
    // The first element after (first, length) in the order of addresses; null at the end.
    const Element* next_after(Word first, unsigned length) const noexcept;
    const Element* first_element() const noexcept;

    static constexpr Word host_mask(unsigned length) noexcept {
        return length == 0 ? static_cast<Word>(~Word{0})
                           : static_cast<Word>((Word{1} << (kBits - length)) - 1);
    }

  private:
    // One allocation: [count] [first...] [last...] [label...]
    using Segments = std::unique_ptr<const Word[]>;
    struct Root {
        std::vector<Word> starts;  // starts[0] is 0
        std::unique_ptr<std::atomic<const Word*>[]> chunks;
    };
    struct Covering {
        Word last;
        uint32_t label;
    };

    size_t chunk_of(Word word) const noexcept;
    std::vector<Covering> ancestors_of(Word start) const;
    Segments flatten(size_t chunk) const;
    void renew(size_t chunk, RetiredList& retired);
    void renew_all(Word first, Word last, RetiredList& retired);
    void split(size_t chunk, RetiredList& retired);
    void publish_root(std::vector<Word> starts, RetiredList& retired);

    std::atomic<const Root*> root_;
    std::unique_ptr<Root> owned_root_;
    std::vector<Segments> segments_;              // by chunk; what the root points to
    std::vector<std::vector<Element>> elements_;  // by chunk, in order
    uint32_t count_by_length_[kBits + 1] = {};
    size_t size_ = 0;
    bool is_labelled_;
};

extern template class PrefixTable<uint32_t>;
extern template class PrefixTable<Word128>;

}  // namespace rampart
