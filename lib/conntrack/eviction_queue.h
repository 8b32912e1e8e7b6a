// EvictionQueue: which flow gives way when the table is full, the oldest first.
//
// A doubly linked list through an array with one link per slot of the flow table, so that entering,
// leaving and finding the oldest take constant time however full the table is. Several queues may
// share the array; a flow is in one of them at most. A flow whose deadline moved since it was
// queued has seen traffic, and may be given a second chance (requeue). Owner: the FlowTable of one
// worker. No allocation; the links belong to the table.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "conntrack/flow.h"

namespace rampart {

struct EvictionLink {
    FlowIndex older = kNoFlow;
    FlowIndex newer = kNoFlow;
    Tick deadline = 0;   // of the flow when it was queued
    uint32_t queue = 0;  // the id of its queue; 0: none
};

class EvictionQueue {
  public:
    explicit EvictionQueue(uint32_t id) noexcept : id_(id) {}
    void use(EvictionLink* links) noexcept { links_ = links; }

    FlowIndex oldest() const noexcept { return oldest_; }
    FlowIndex after(FlowIndex index) const noexcept { return links_[index].newer; }
    Tick queued_deadline(FlowIndex index) const noexcept { return links_[index].deadline; }

    // Does nothing for a flow that is in a queue.
    void add(FlowIndex index, Tick deadline) noexcept {
        if (links_[index].queue != 0) return;
        links_[index] = {newest_, kNoFlow, deadline, id_};
        (newest_ == kNoFlow ? oldest_ : links_[newest_].newer) = index;
        newest_ = index;
    }
    // Does nothing for a flow that is not in this queue.
    void remove(FlowIndex index) noexcept {
        const EvictionLink link = links_[index];
        if (link.queue != id_) return;
        (link.older == kNoFlow ? oldest_ : links_[link.older].newer) = link.newer;
        (link.newer == kNoFlow ? newest_ : links_[link.newer].older) = link.older;
        links_[index] = {};
    }
    void requeue(FlowIndex index, Tick deadline) noexcept {
        remove(index);
        add(index, deadline);
    }

  private:
    uint32_t id_;
    EvictionLink* links_ = nullptr;
    FlowIndex oldest_ = kNoFlow;
    FlowIndex newest_ = kNoFlow;
};

}  // namespace rampart
