// The verdict a flow remembers for each direction (design D1), and the counting of its packets.
//
// Valid for one generation of the rules and while no set changes by control's hand, one ingress
// port and the flow's present status; anything else is asked of the rules again. Inline: once per
// packet. Owner: the worker of the flow.
#pragma once

#include "conntrack/flow.h"
#include "dataplane/context.h"
#include "packet/packet.h"

namespace rampart {

static_assert(kNoPath == kNotCached);

// The class is compared because the packets of one burst may all be tracked, past a change of
// class, before the first of them is judged. Replies have but one: ESTABLISHED.
inline bool has_cached_verdict(const Flow& flow, unsigned side, const Packet& packet,
                               CtClass ct_class, const WorkerContext& context) noexcept {
    return flow.generation == context.epoch && flow.path[side] != kNoPath &&
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
// takes the same one.
class PathRun {
  public:
    explicit PathRun(PathTable& paths) noexcept : paths_(paths) {}
    ~PathRun() { flush(); }
    PathRun(const PathRun&) = delete;
    PathRun& operator=(const PathRun&) = delete;

    void count(PathId path, uint64_t bytes) noexcept {
        if (path != path_) {
            flush();
            path_ = path;
        }
        ++packets_;
        bytes_ += bytes;
    }

  private:
    void flush() noexcept {
        if (packets_ != 0) paths_.count(path_, packets_, bytes_);
        packets_ = bytes_ = 0;
    }

    PathTable& paths_;
    PathId path_ = kRootPath;
    uint64_t packets_ = 0;
    uint64_t bytes_ = 0;
};

}  // namespace rampart
