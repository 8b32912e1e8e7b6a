#include "rules/path_table.h"

#include <bit>

namespace rampart {
namespace {

uint32_t mix(PathId parent, RuleIndex rule) noexcept {
    const uint64_t word = (uint64_t{parent} << 32 | rule) * 0x9e3779b97f4a7c15;
    return static_cast<uint32_t>(word >> 32);
}

}  // namespace

PathTable::PathTable(RuleIndex rule_count, uint32_t capacity)
    : capacity_(capacity),
      nodes_(new PathNode[capacity]),
      buckets_(std::bit_ceil(capacity * 2), kNoPath),
      direct_(new Direct[rule_count]),
      rule_count_(rule_count) {}

PathId PathTable::find_or_add_other(PathId parent, RuleIndex rule, Step step,
                                    RejectWith reject_with, bool has_effects) noexcept {
    const uint32_t mask = static_cast<uint32_t>(buckets_.size()) - 1;
    uint32_t bucket = mix(parent, rule) & mask;
    const auto remember = [&](PathId path) {
        if (parent == kRootPath) decided_[rule % kDecided] = {rule, path};
        return path;
    };
    for (; buckets_[bucket] != kNoPath; bucket = (bucket + 1) & mask) {
        const PathNode& node = nodes_[buckets_[bucket]];
        if (node.parent.load() == parent && node.rule.load() == rule)
            return remember(buckets_[bucket]);
    }
    const uint32_t size = size_.load(std::memory_order_relaxed);
    if (size == capacity_) return kNoPath;
    PathNode& node = nodes_[size];
    node.parent.store(parent);
    node.rule.store(rule);
    node.step = step;
    node.reject_with = reject_with;
    node.has_effects = has_effects || nodes_[parent].has_effects;
    buckets_[bucket] = size;
    size_.store(size + 1, std::memory_order_release);
    return remember(size);
}

void PathTable::count_direct(RuleIndex rule, uint64_t packets, uint64_t bytes) noexcept {
    direct_[rule].packets.add(packets);
    direct_[rule].bytes.add(bytes);
}

void PathTable::add_up(std::vector<RuleCount>& counts) const {
    const uint32_t size = size_.load(std::memory_order_acquire);
    for (PathId path = 1; path < size; ++path) {
        const uint64_t packets = nodes_[path].packets.load();
        if (packets == 0) continue;
        const uint64_t bytes = nodes_[path].bytes.load();
        for (PathId at = path; at != kRootPath; at = nodes_[at].parent.load()) {
            RuleCount& count = counts[nodes_[at].rule.load()];
            count.packets += packets;
            count.bytes += bytes;
        }
    }
    for (RuleIndex rule = 0; rule < rule_count_; ++rule) {
        counts[rule].packets += direct_[rule].packets.load();
        counts[rule].bytes += direct_[rule].bytes.load();
        counts[rule].flows_cut += direct_[rule].flows_cut.load();
    }
}

}  // namespace rampart
