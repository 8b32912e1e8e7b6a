// The verdict a flow remembers for each direction (design D1), and the counting of its packets.
//
// Valid for one generation of the rules and while no set changes by control's hand, one ingress
// port and the flow's present status; anything else is asked of the rules again. Inline: once per
// packet. Owner: the worker of the flow.
#pragma once

#include "conntrack/flow.h"
#include "dataplane/context.h"
#include "packet/packet.h"
#include "rules/walk.h"

namespace rampart {

static_assert(kNoPath == kNotCached);

// The class is compared because the packets of one burst may all be tracked, past a change of
// class, before the first of them is judged. Replies have but one: ESTABLISHED.
inline bool has_cached_verdict(const Flow& flow, unsigned side, const Packet& packet,
                               CtClass ct_class, uint32_t epoch) noexcept {
    return flow.generation == epoch && flow.path[side] != kNoPath &&
           flow.in_port[side].load() == packet.in_port &&
           ((side != 0) | (flow.path_class == static_cast<uint8_t>(ct_class)));
}

// `path` may be kNoPath: the verdict depends on the packet and is not remembered.
inline void cache_verdict(Flow& flow, unsigned side, const Packet& packet, CtClass ct_class,
                          PathId path, const WorkerContext& context) noexcept {
    if (flow.generation != context.epoch) {
        flow.generation = context.epoch;
        flow.path[0] = flow.path[1] = kNoPath;
    }
    flow.path[side] = path;
    flow.in_port[side].store(packet.in_port);
    flow.out_port[side] = packet.out_port;
    if (side == 0) flow.path_class = static_cast<uint8_t>(ct_class);
}

// Counts packets of one path after another and adds them up when the path changes: most of a burst
// takes the same one. For one burst.
class PathRun {
  public:
    explicit PathRun(WorkerContext& context) noexcept : context_(context) {}
    ~PathRun() { flush(); }
    PathRun(const PathRun&) = delete;
    PathRun& operator=(const PathRun&) = delete;

    // False, and nothing counted: the path does not accept, or the rules on it have more to do than
    // to count. A rate that is exhausted stays so for the burst.
    bool count_accepted(PathId path, uint64_t bytes) noexcept {
        if (!accepts(path)) return false;
        count(bytes);
        return true;
    }
    // The same in two steps: count() is of the path that was asked for last.
    bool accepts(PathId path) noexcept { return path == path_ || change_to(path); }
    void count(uint64_t bytes) noexcept {
        ++packets_;
        bytes_ += bytes;
    }

  private:
    bool change_to(PathId path) noexcept {
        const PathNode& node = context_.paths->node(path);
        if (node.step != Step::Accept ||
            (node.has_effects &&
             !is_log_exhausted(context_.snapshot->ruleset, *context_.paths, path, context_.now.ns)))
            return false;
        flush();
        path_ = path;
        has_effects_ = node.has_effects;
        return true;
    }
    void flush() noexcept {
        if (packets_ == 0) return;
        context_.paths->count(path_, packets_, bytes_);
        if (has_effects_)
            count_not_logged(context_.snapshot->ruleset, *context_.paths, path_, packets_, bytes_);
        packets_ = bytes_ = 0;
    }

    WorkerContext& context_;
    PathId path_ = kNoPath;
    bool has_effects_ = false;
    uint64_t packets_ = 0;
    uint64_t bytes_ = 0;
};

}  // namespace rampart
