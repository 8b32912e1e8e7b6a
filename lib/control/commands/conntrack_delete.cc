// conntrack -D and -F: control chooses, the workers erase, a few flows at a time.
#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "control/commands/conntrack_parts.h"
#include "control/controller.h"
#include "control/flow_writer.h"
#include "control/slice_timer.h"
#include "control/worker_drain.h"

namespace rampart {
namespace {

constexpr uint32_t kSlotsPerStep = 64;

void report_emptied(ReplyPiece& piece) {
    piece.err += conntrack_remark("connection tracking table has been emptied.");
}

// Posts to the workers, then waits until they have done it.
class Erasure : public ReplyStream {
  public:
    explicit Erasure(ConntrackCall call)
        : call_(std::move(call)), drain_(call_.controller.datapath().workers()) {}

    Next produce(ReplyPiece& piece) override {
        if (!all_posted_) {
            const Next next = post_some(piece);
            if (next != Next::Done) return next;
            all_posted_ = true;
        }
        report_progress(piece);
        if (!drain_.is_done()) {
            if (!drain_.is_late()) return Next::Wait;
            piece.err += conntrack_remark("the workers are too busy to do all of it now");
        }
        finish(piece);
        if (drain_.is_late()) exit_ = exit_code::kFailure;
        return Next::Done;
    }
    int exit_status() const override { return exit_; }

  protected:
    // Done: there is no more to post.
    virtual Next post_some(ReplyPiece& piece) = 0;
    virtual void report_progress(ReplyPiece&) {}
    virtual void finish(ReplyPiece& piece) = 0;

    ConntrackCall call_;
    WorkerDrain drain_;
    bool all_posted_ = false;
    int exit_ = exit_code::kOk;
};

class DeleteWalk final : public Erasure {
  public:
    DeleteWalk(ConntrackCall call, bool is_listed)
        : Erasure(std::move(call)),
          writer_(call_.options.format, call_.json),
          cursor_(call_.controller.datapath().workers()),
          is_listed_(is_listed) {
        writer_.without_frame();
    }

  private:
    Next post_some(ReplyPiece& piece) override {
        const SliceTimer timer;
        const Now now = call_.controller.now();
        FlowEntry flow;
        while (!cursor_.is_at_end()) {
            for (uint32_t slots = kSlotsPerStep; cursor_.next(now.tick, slots, flow);) {
                if (!call_.options.filter.matches(flow)) continue;
                Mailbox& mailbox = call_.controller.datapath().workers()[flow.worker]->mailbox();
                if (!mailbox.has_room()) {
                    cursor_.back();
                    return Next::Wait;
                }
                mailbox.post({Command::Kind::Erase, flow.index, flow.serial});
                if (is_listed_)
                    writer_.add(
                        piece.out,
                        {.flow = flow, .message = FlowMessage::Deleted, .time_ns = now.wall_ns});
            }
            if (timer.is_over() || piece.out.size() >= kPieceBytes) return Next::More;
        }
        return Next::Done;
    }

    void finish(ReplyPiece& piece) override {
        if (!is_listed_) return report_emptied(piece);
        writer_.end(piece.out);
        exit_ = writer_.count() == 0 ? exit_code::kFailure : exit_code::kOk;
        piece.err +=
            conntrack_remark(fmt::format("{} flow entries have been deleted.", writer_.count()));
    }

    FlowWriter writer_;
    FlowCursor cursor_;
    bool is_listed_;
};

// All flows. Slots that hold none are not even asked for.
class FlushWalk final : public Erasure {
  public:
    explicit FlushWalk(ConntrackCall call)
        : Erasure(std::move(call)), total_(call_.controller.datapath().flow_count()) {}

  private:
    using Clock = std::chrono::steady_clock;

    Next post_some(ReplyPiece& piece) override {
        report_progress(piece);
        const SliceTimer timer;
        const auto& workers = call_.controller.datapath().workers();
        for (; worker_ < workers.size(); ++worker_, first_ = 0) {
            const FlowTable& flows = workers[worker_]->flows();
            for (; first_ < flows.capacity(); first_ += kEraseRangeSlots) {
                if (timer.is_over()) return Next::More;
                if (!holds_flows(flows)) continue;
                if (!workers[worker_]->mailbox().has_room()) return Next::Wait;
                workers[worker_]->mailbox().post(
                    {Command::Kind::EraseRange, first_, kEraseRangeSlots});
            }
        }
        return Next::Done;
    }

    bool holds_flows(const FlowTable& flows) const {
        const FlowIndex last = std::min(first_ + kEraseRangeSlots, flows.capacity());
        for (FlowIndex i = first_; i < last; ++i) {
            if (flows.sweep_at(i) != 0) return true;
        }
        return false;
    }

    // Once per second; a short one is silent, like upstream's.
    void report_progress(ReplyPiece& piece) override {
        const Clock::time_point now = Clock::now();
        if (now - reported_ < std::chrono::seconds(1)) return;
        reported_ = now;
        const uint64_t left = std::min(call_.controller.datapath().flow_count(), total_);
        piece.err +=
            fmt::format("... {}% ({} of {} flows)\n",
                        total_ == 0 ? 100 : (total_ - left) * 100 / total_, total_ - left, total_);
    }

    void finish(ReplyPiece& piece) override { report_emptied(piece); }

    uint64_t total_;
    Clock::time_point reported_ = Clock::now();
    size_t worker_ = 0;
    FlowIndex first_ = 0;
};

}  // namespace

CommandOutput conntrack_delete(ConntrackCall call) {
    if (!call.options.has_filter)
        return conntrack_usage_error("-D needs at least one condition; -F deletes all flows");
    CommandOutput output;
    output.stream = std::make_unique<DeleteWalk>(std::move(call), true);
    return output;
}

CommandOutput conntrack_flush(ConntrackCall call) {
    CommandOutput output;
    if (call.options.filter.family)
        output.stream = std::make_unique<DeleteWalk>(std::move(call), false);
    else
        output.stream = std::make_unique<FlushWalk>(std::move(call));
    return output;
}

}  // namespace rampart
