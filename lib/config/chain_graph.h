// ChainGraph: which chain jumps to which, seen before any rule is parsed.
//
// Rules need to know from which hooks their chain can be reached; loops and too deep jumps are
// reported here. Edges are read from the `jump` and `goto` keys of the document; names without a
// chain are left to the parser of the rule. Control thread only.
#pragma once

#include <vector>

#include "base/diagnostics.h"
#include "base/value.h"
#include "rules/match.h"

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

    // The hooks from which the chain is reached; 0: none.
    HookMask hooks(size_t chain) const noexcept { return nodes_[chain].hooks; }
    // E014 for loops, E025 for jumps deeper than kMaxJumpDepth, W106 for unused chains.
    void check(Diagnostics& diagnostics);

  private:
    struct Edge {
        size_t to;
        bool is_jump;
        Location place;
    };
    struct Node {
        std::vector<Edge> edges;
        HookMask hooks = 0;
        // Depth-first search: 0 new, 1 on the path, 2 done.
        uint8_t mark = 0;
        unsigned depth = 0;  // the most jumps below this chain
    };

    void spread(size_t chain, HookMask hooks);
    void visit(size_t chain, Diagnostics& diagnostics);
    void report_loop(const Edge& edge, Diagnostics& diagnostics) const;
    void report_depth(size_t chain, Diagnostics& diagnostics) const;

    const std::vector<ChainSource>& chains_;
    const Names& names_;
    std::vector<Node> nodes_;
    std::vector<size_t> path_;
};

}  // namespace rampart
