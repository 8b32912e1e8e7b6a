// ChainGraph: which chain jumps to which.
//
// Rules need to know from which hooks their chain can be reached; loops and too deep jumps are
// reported here. Made of a document before any of its rules is parsed: edges are read from the
// `jump` and `goto` keys, names without a chain are left to the parser of the rule. Or of a ruleset
// that a rule is about to be added to. Control thread only.
#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "base/value.h"
#include "rules/ruleset.h"

namespace rampart {

// A chain of the document; `rules` is null when it has none.
struct ChainSource {
    const Value::Entry* entry = nullptr;
    const Value* rules = nullptr;
    Hook hook = Hook::None;
};

class ChainGraph {
  public:
    ChainGraph(const std::vector<ChainSource>& chains, const Names& names);
    explicit ChainGraph(const Ruleset& ruleset);
    ChainGraph(const ChainGraph&) = delete;
    ChainGraph& operator=(const ChainGraph&) = delete;

    // What `decision`, written at `place` in `chain`, adds. Before check_jumps().
    void add(size_t chain, const Decision& decision, const Location& place);

    // The hooks from which the chain is reached; 0: none.
    HookMask hooks(size_t chain) const noexcept { return nodes_[chain].hooks; }
    // E014 for loops, E025 for jumps deeper than kMaxJumpDepth.
    void check_jumps(Diagnostics& diagnostics);
    // W106.
    void report_unused(Diagnostics& diagnostics) const;

  private:
    struct Edge {
        size_t to;
        bool is_jump;
        Location place;
    };
    struct Node {
        Hook hook = Hook::None;
        Location place{};
        std::vector<Edge> edges{};
        HookMask hooks = 0;
        // Depth-first search: 0 new, 1 on the path, 2 done.
        uint8_t mark = 0;
        unsigned depth = 0;  // the most jumps below this chain
    };

    void spread_hooks();
    void spread(size_t chain, HookMask hooks);
    void visit(size_t chain, Diagnostics& diagnostics);
    void report_loop(const Edge& edge, Diagnostics& diagnostics) const;
    void report_depth(size_t chain, Diagnostics& diagnostics) const;

    const Names& names_;
    std::vector<Node> nodes_;
    std::vector<size_t> path_;
};

}  // namespace rampart
