// NamedSet: a set of the configuration, `sets: { NAME: ... }`, as rules and commands use it.
//
// One of three structures holds the elements:
//
//   Prefix   ip and net            PrefixTable, changed by control only
//   Hash     mac, concatenations,  HashTable
//            and dynamic ip
//   Direct   port, iface           DirectTable
//
// Only a dynamic set is changed by packets (rules' add_to and delete_from) and forgets its elements
// at their deadlines to the tick. Any other changes only by control's hand, elements whose time is
// up included, so what rules said about a flow holds until control says that a set has changed
// (Snapshot::epoch).
//
// Workers: holds, count, add_from_packet, remove_from_packet. Control: everything else. What
// control replaces collects in take_retired().
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/shared.h"
#include "rules/sets/direct_table.h"
#include "rules/sets/hash_table.h"
#include "rules/sets/prefix_table.h"
#include "rules/sets/set_element.h"

namespace rampart {

struct SetOptions {
    std::string name;
    const SetType* type = nullptr;
    bool is_dynamic = false;
    bool has_counters = false;
    uint32_t timeout_s = 0;  // of elements that are added at run time; 0: they stay
    uint32_t max = 65536;
    std::string file;  // empty: none
};

// What the configuration says is in a set.
struct SetContents {
    std::vector<PrefixTable<uint32_t>::Element> prefixes4;
    std::vector<PrefixTable<Word128>::Element> prefixes6;
    std::vector<SetElement> others;

    void add(const SetElement& element, bool is_prefix_set);
    // Without repetitions.
    size_t finish();
    // After finish(); of hashed and direct sets.
    bool contains(const SetElement& element) const;
};

struct SetEntry {
    SetElement element;
    uint32_t seconds_left = 0;  // 0: no end
    bool at_run_time = false;
    uint64_t packets = 0, bytes = 0;
};

// Where a listing stands; stays valid while the set changes.
struct SetCursor {
    unsigned part = 0;
    bool has_begun = false;
    SetElement last;
    uint32_t slot = 0;
};

class NamedSet {
  public:
    NamedSet(SetOptions options, const KeyedHash& hash);
    ~NamedSet();
    NamedSet(const NamedSet&) = delete;
    NamedSet& operator=(const NamedSet&) = delete;

    const SetOptions& options() const noexcept { return options_; }
    const SetType& type() const noexcept { return *options_.type; }
    bool is_dynamic() const noexcept { return options_.is_dynamic; }
    static bool is_prefix_type(const SetType& type, bool is_dynamic) noexcept;

    // Workers. The element is what a packet has at the places of the set's parts.
    bool holds(const SetElement& element, Tick now) const noexcept;
    void count(const SetElement& element, Tick now, uint64_t bytes) noexcept;
    // Only of dynamic sets. `timeout_s` 0: as the set says.
    Addition add_from_packet(const SetElement& element, uint32_t timeout_s, Tick now) noexcept;
    bool remove_from_packet(const SetElement& element) noexcept;

    // Control. `timeout_s` 0: it stays until it is deleted.
    Addition add(const SetElement& element, uint32_t timeout_s, const Now& now);
    // What the configuration says is in it: stays until the configuration changes.
    Addition configure(const SetElement& element, const Now& now) {
        return add_at(element, 0, now, false);
    }
    bool remove(const SetElement& element);
    // For commands: an address as packets look it up; a prefix, whether it is an element.
    bool test(const SetElement& element, const Now& now) const;
    void clear();
    // Replaces what came from the configuration; what was added at run time stays.
    void assign(SetContents contents, const Now& now);
    // Takes over what was added to `earlier` at run time, and the counts of what both have.
    void adopt(const NamedSet& earlier, const Now& now);
    // A dynamic set that goes on under a new configuration.
    void set_timeout(uint32_t timeout_s) noexcept { timeout_s_.store(timeout_s); }
    uint32_t timeout_s() const noexcept { return timeout_s_.load(); }
    // Frees elements whose time is up, a part of the set per call; says whether there were any.
    bool sweep(const Now& now);
    bool next(SetCursor& cursor, SetEntry& entry, const Now& now) const;

    size_t size() const noexcept;
    size_t memory_bytes() const noexcept;
    // Additions that found no room: `max` is reached, or both buckets of the key are full.
    uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }
    RetiredList take_retired() { return std::move(retired_); }

  private:
    enum class Kind : uint8_t { Prefix, Hash, Direct };
    struct Counts {
        std::atomic<uint64_t> packets, bytes;
    };
    // Family and prefix lengths of elements with networks: what must be looked up.
    static constexpr size_t kMaxShapes = 64;
    static constexpr uint32_t kSweepSlices = 100;

    uint32_t number_of(const SetElement& element) const noexcept;
    uint32_t find_slot(const SetElement& element, Tick now) const noexcept;
    std::unique_ptr<HashTable> make_hash_table() const;
    template <typename Word>
    Addition insert_prefix(PrefixTable<Word>& table, Word first, const SetElement& element,
                           uint64_t due_ns, bool at_run_time);
    template <typename Word>
    bool remove_prefix(PrefixTable<Word>& table, Word first, unsigned length);
    template <typename Word>
    void assign_prefixes(PrefixTable<Word>& table,
                         std::vector<typename PrefixTable<Word>::Element> elements);
    template <typename Word>
    bool next_prefix(const PrefixTable<Word>& table, SetCursor& cursor, SetEntry& entry,
                     const Now& now) const;
    Addition add_at(const SetElement& element, uint64_t due_ns, const Now& now, bool at_run_time);
    bool add_shape(const SetElement& element);
    void set_due(const SetElement& element, uint64_t due_ns);
    uint32_t take_label();
    void set_counts(const SetElement& element, uint64_t packets, uint64_t bytes);

    SetOptions options_;
    Kind kind_;
    KeyedHash hash_;
    Shared<uint32_t> timeout_s_;  // control: rw, worker: ro
    std::atomic<uint64_t> refused_{0};
    std::unique_ptr<PrefixTable<uint32_t>> prefixes4_;
    std::unique_ptr<PrefixTable<Word128>> prefixes6_;
    std::atomic<HashTable*> hash_table_{nullptr};
    std::unique_ptr<HashTable> owned_hash_table_;
    std::unique_ptr<DirectTable> direct_;
    std::atomic<uint32_t> shapes_[kMaxShapes] = {};  // 0: no more
    // Prefix sets. Counts by label; the pages of labels that are not used cost nothing.
    std::unique_ptr<Counts[], void (*)(void*)> counts_;
    uint32_t next_label_ = 1;
    std::vector<uint32_t> free_labels_;
    std::map<SetKey, uint64_t> due_;  // of timed elements, in ns
    std::set<std::pair<uint64_t, SetKey>> by_due_;
    uint32_t swept_ = 0;  // of a hashed or direct set
    RetiredList retired_;
};

}  // namespace rampart
