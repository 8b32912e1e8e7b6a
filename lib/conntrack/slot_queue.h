// SlotQueue: slots of a flow table in order, the oldest first: which flow gives way when the table
// is full, and which slots are to be free again.
//
// A doubly linked list through the records of the slots, so that entering, leaving and finding the
// oldest take constant time however full the table is. Several queues share the records; a slot is
// in one of them at most. A flow whose deadline moved since it was queued has seen traffic, and may
// be given a second chance (requeue). Owner: the FlowTable of one worker. No allocation; the
// records belong to the table.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "conntrack/flow_record.h"

namespace rampart {

class SlotQueue {
  public:
    // Not 0.
    explicit SlotQueue(uint32_t id) noexcept : id_(id) {}
    void use(FlowRecord* records) noexcept { records_ = records; }

    FlowIndex oldest() const noexcept { return oldest_; }
    FlowIndex newest() const noexcept { return newest_; }
    FlowIndex after(FlowIndex index) const noexcept { return link(index).newer; }
    Tick queued_deadline(FlowIndex index) const noexcept { return link(index).deadline; }

    // Does nothing for a slot that is in a queue.
    void add(FlowIndex index, Tick deadline) noexcept {
        if (link(index).queue != 0) return;
        link(index) = {newest_, kNoFlow, deadline, id_};
        (newest_ == kNoFlow ? oldest_ : link(newest_).newer) = index;
        newest_ = index;
    }
    // Does nothing for a slot that is not in this queue. Field by field: one that a neighbour has
    // just written would be waited for if all were read at once.
    void remove(FlowIndex index) noexcept {
        SlotLink& own = link(index);
        if (own.queue != id_) return;
        const FlowIndex older = own.older, newer = own.newer;
        (older == kNoFlow ? oldest_ : link(older).newer) = newer;
        (newer == kNoFlow ? newest_ : link(newer).older) = older;
        own.queue = 0;
    }
    // All leave, and `visit(index)` may enter them again; the oldest first.
    template <typename Visit>
    void empty(Visit visit) noexcept {
        FlowIndex index = oldest_;
        oldest_ = newest_ = kNoFlow;
        while (index != kNoFlow) {
            const FlowIndex next = after(index);
            link(index).queue = 0;
            visit(index);
            index = next;
        }
    }
    void requeue(FlowIndex index, Tick deadline) noexcept {
        remove(index);
        add(index, deadline);
    }

  private:
    SlotLink& link(FlowIndex index) const noexcept { return records_[index].link; }

    uint32_t id_;
    FlowRecord* records_ = nullptr;
    FlowIndex oldest_ = kNoFlow;
    FlowIndex newest_ = kNoFlow;
};

}  // namespace rampart
