// PathTable: which rules a packet matched on its way to a verdict, and how many packets did so.
//
// A path is the list of rules that matched, ending with the one that decided. It is stored as a
// trie node (parent path, rule), so a flow caches one number per direction and every packet counts
// one number, yet each rule on the way gets its exact count: control adds a node's packets to its
// rule and to the rules of all its ancestors.
//
//   root 0 -> (0, jump web) = 7 -> (7, accept) = 9        packets counted at 9
//
// Owner: one worker (find_or_add, count); control reads. Fixed capacity: when it is full the walk
// counts each rule in `direct` instead and nothing is cached.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/shared.h"
#include "packet/verdict.h"
#include "rules/target.h"

namespace rampart {

using PathId = uint32_t;
using RuleIndex = uint32_t;
inline constexpr PathId kRootPath = 0;
inline constexpr PathId kNoPath = 0xffffffff;

struct RuleCount {
    uint64_t packets = 0;
    uint64_t bytes = 0;
    uint64_t flows_cut = 0;  // that it ended (reload.established: recheck)
};

struct alignas(32) PathNode {
    Shared<uint64_t> packets;  // worker: rw, control: ro; packets that ended here
    Shared<uint64_t> bytes;    // worker: rw, control: ro; their IP lengths
    Shared<PathId> parent;     // worker: rw, control: ro; written once
    Shared<RuleIndex> rule;    // worker: rw, control: ro; written once
    // The outcome when this path ends a walk. Worker only.
    Step step = Step::Continue;
    RejectWith reject_with = RejectWith::None;
    // Rules on this path have statements to carry out for each packet. Worker only.
    bool has_effects = false;
};
static_assert(sizeof(PathNode) == 32);

class PathTable {
  public:
    static constexpr uint32_t kDefaultCapacity = 16384;

    explicit PathTable(RuleIndex rule_count, uint32_t capacity = kDefaultCapacity);

    // kNoPath when the table is full.
    // `has_effects` is the rule's own; that of the path is kept.
    PathId find_or_add(PathId parent, RuleIndex rule, Step step, RejectWith reject_with,
                       bool has_effects = false) noexcept {
        const Decided& known = decided_[rule % kDecided];
        if (parent == kRootPath && known.rule == rule) [[likely]]
            return known.path;
        return find_or_add_other(parent, rule, step, reject_with, has_effects);
    }
    const PathNode& node(PathId path) const noexcept { return nodes_[path]; }
    void count(PathId path, uint64_t packets, uint64_t bytes) noexcept {
        nodes_[path].packets.add(packets);
        nodes_[path].bytes.add(bytes);
    }
    void count_direct(RuleIndex rule, uint64_t packets, uint64_t bytes) noexcept;
    void count_flow_cut(RuleIndex rule) noexcept { direct_[rule].flows_cut.add(1); }

    // Control: what count_direct() counted for `rule`.
    RuleCount direct(RuleIndex rule) const noexcept {
        return {direct_[rule].packets.load(), direct_[rule].bytes.load()};
    }
    // Control: adds what each rule counted here to `counts` (indexed by RuleIndex).
    void add_up(std::vector<RuleCount>& counts) const;

  private:
    struct Direct {
        Shared<uint64_t> packets;
        Shared<uint64_t> bytes;
        Shared<uint64_t> flows_cut;
    };
    PathId find_or_add_other(PathId parent, RuleIndex rule, Step step, RejectWith reject_with,
                             bool has_effects) noexcept;

    // Paths of one rule, as most are. Worker only.
    static constexpr uint32_t kDecided = 64;
    struct Decided {
        RuleIndex rule = UINT32_MAX;
        PathId path = kNoPath;
    };
    std::array<Decided, kDecided> decided_;
    uint32_t capacity_;
    std::atomic<uint32_t> size_{1};  // worker: rw, control: ro (release / acquire)
    std::unique_ptr<PathNode[]> nodes_;
    std::vector<PathId> buckets_;  // worker only; open addressing over nodes_
    std::unique_ptr<Direct[]> direct_;
    RuleIndex rule_count_;
};

}  // namespace rampart
