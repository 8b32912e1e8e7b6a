#include "config/chain_graph.h"

#include <algorithm>

#include <fmt/format.h>

namespace rampart {

ChainGraph::ChainGraph(const std::vector<ChainSource>& chains, const Names& names) : names_(names) {
    for (const ChainSource& chain : chains)
        nodes_.push_back({chain.hook, chain.entry->key.location()});
    for (size_t i = 0; i < chains.size(); ++i) {
        if (chains[i].rules == nullptr) continue;
        for (const Value& rule : chains[i].rules->items()) {
            for (const bool is_jump : {true, false}) {
                const Value* target = rule.find(is_jump ? "jump" : "goto");
                if (target == nullptr || !target->is_scalar()) continue;
                const int to = names.find_chain(target->text());
                if (to < 0 || chains[static_cast<size_t>(to)].hook != Hook::None) continue;
                nodes_[i].edges.push_back({static_cast<size_t>(to), is_jump, target->location()});
            }
        }
    }
    spread_hooks();
}

ChainGraph::ChainGraph(const Ruleset& ruleset) : names_(ruleset.names) {
    for (const Chain& chain : ruleset.chains)
        nodes_.push_back({chain.hook});
    for (const RuleInChain& jump : ruleset.jumping)
        add(jump.chain, jump.rule->decision, {});
    spread_hooks();
}

void ChainGraph::add(size_t chain, const Decision& decision, const Location& place) {
    if (decision.step != Step::Jump && decision.step != Step::Goto) return;
    nodes_[chain].edges.push_back({decision.chain, decision.step == Step::Jump, place});
}

void ChainGraph::spread_hooks() {
    for (size_t i = 0; i < nodes_.size(); ++i) {
        if (nodes_[i].hook != Hook::None) spread(i, static_cast<HookMask>(nodes_[i].hook));
    }
}

// Without recursion: the length of a path is up to the file.
void ChainGraph::spread(size_t chain, HookMask hooks) {
    std::vector<size_t> todo{chain};
    while (!todo.empty()) {
        Node& node = nodes_[todo.back()];
        todo.pop_back();
        if ((node.hooks & hooks) == hooks) continue;
        node.hooks = static_cast<HookMask>(node.hooks | hooks);
        for (const Edge& edge : node.edges)
            todo.push_back(edge.to);
    }
}

void ChainGraph::check_jumps(Diagnostics& diagnostics) {
    for (size_t i = 0; i < nodes_.size(); ++i) {
        if (nodes_[i].mark == 0) visit(i, diagnostics);
    }
    for (size_t i = 0; i < nodes_.size(); ++i) {
        if (nodes_[i].hook != Hook::None && nodes_[i].depth > kMaxJumpDepth)
            report_depth(i, diagnostics);
    }
}

void ChainGraph::report_unused(Diagnostics& diagnostics) const {
    for (size_t i = 0; i < nodes_.size(); ++i) {
        if (nodes_[i].hook == Hook::None && nodes_[i].hooks == 0)
            diagnostics.warning("W106", nodes_[i].place,
                                fmt::format("chain {} is never used", quoted(names_.chains[i])));
    }
}

// Recursion is as deep as the longest path without a loop: kMaxChains at most.
void ChainGraph::visit(size_t chain, Diagnostics& diagnostics) {
    nodes_[chain].mark = 1;
    path_.push_back(chain);
    for (const Edge& edge : nodes_[chain].edges) {
        const Node& next = nodes_[edge.to];
        if (next.mark == 0) visit(edge.to, diagnostics);
        if (next.mark == 1) {
            report_loop(edge, diagnostics);
            continue;
        }
        nodes_[chain].depth = std::max(nodes_[chain].depth, next.depth + (edge.is_jump ? 1u : 0u));
    }
    path_.pop_back();
    nodes_[chain].mark = 2;
}

void ChainGraph::report_loop(const Edge& edge, Diagnostics& diagnostics) const {
    std::string cycle;
    for (auto chain = std::find(path_.begin(), path_.end(), edge.to); chain != path_.end();
         ++chain) {
        cycle += names_.chains[*chain] + " -> ";
    }
    diagnostics.error("E014", edge.place,
                      fmt::format("chains form a loop: {}{}", cycle, names_.chains[edge.to]));
}

void ChainGraph::report_depth(size_t chain, Diagnostics& diagnostics) const {
    const unsigned depth = nodes_[chain].depth;
    std::string path = names_.chains[chain];
    Location place = nodes_[chain].place;
    // Along the deepest edges.
    for (size_t at = chain; nodes_[at].depth != 0;) {
        const auto& edges = nodes_[at].edges;
        const auto deepest = std::find_if(edges.begin(), edges.end(), [&](const Edge& edge) {
            return nodes_[edge.to].depth + (edge.is_jump ? 1u : 0u) == nodes_[at].depth;
        });
        if (at == chain) place = deepest->place;
        at = deepest->to;
        path += " -> " + names_.chains[at];
    }
    diagnostics.error("E025", place,
                      fmt::format("jumps from chain '{}' are {} deep; at most {} are possible",
                                  names_.chains[chain], depth, kMaxJumpDepth),
                      path);
}

}  // namespace rampart
