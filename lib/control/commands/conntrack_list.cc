// conntrack -L and -G: a walk through all tables, slice by slice.
#include <fmt/format.h>

#include "control/commands/conntrack_parts.h"
#include "control/controller.h"
#include "control/flow_writer.h"
#include "control/slice_timer.h"

namespace rampart {
namespace {

constexpr uint32_t kSlotsPerStep = 64;

class FlowWalk : public ReplyStream {
  public:
    FlowWalk(ConntrackCall call, FlowWriter writer)
        : call_(std::move(call)),
          writer_(writer),
          cursor_(call_.controller.datapath().workers()),
          now_(call_.controller.now()) {}

    Next produce(ReplyPiece& piece) override {
        const SliceTimer timer;
        now_ = call_.controller.now();
        FlowEntry flow;
        while (!cursor_.is_at_end() && !is_over_) {
            for (uint32_t slots = kSlotsPerStep; cursor_.next(now_.tick, slots, flow);) {
                if (visit(flow, piece)) continue;
                cursor_.back();
                return Next::Wait;
            }
            if (timer.is_over() || piece.out.size() >= kPieceBytes) return Next::More;
        }
        finish(piece);
        return Next::Done;
    }
    int exit_status() const override { return exit_; }

  protected:
    // False: not now; the same flow is visited again.
    virtual bool visit(const FlowEntry& flow, ReplyPiece& piece) = 0;
    virtual void finish(ReplyPiece& piece) = 0;

    ConntrackCall call_;
    FlowWriter writer_;
    FlowCursor cursor_;
    Now now_;
    bool is_over_ = false;
    int exit_ = exit_code::kOk;
};

class ListWalk final : public FlowWalk {
  public:
    using FlowWalk::FlowWalk;

  private:
    bool visit(const FlowEntry& flow, ReplyPiece& piece) override {
        if (!call_.options.filter.matches(flow)) return true;
        if (call_.options.zero && !discount(flow)) return false;
        writer_.add(piece.out, {.flow = flow, .time_ns = now_.wall_ns});
        return true;
    }

    // -z: the worker takes off what is shown here, so nothing is lost between the two.
    bool discount(const FlowEntry& flow) {
        if (!call_.options.format.accounting) return true;
        Mailbox& mailbox = call_.controller.datapath().workers()[flow.worker]->mailbox();
        if (!mailbox.has_room()) return false;
        for (uint32_t side = 0; side < 2; ++side) {
            if (flow.packets[side] == 0) continue;
            mailbox.post({Command::Kind::Discount, flow.index, flow.serial, side,
                          flow.packets[side], flow.bytes[side]});
        }
        return true;
    }

    void finish(ReplyPiece& piece) override {
        writer_.end(piece.out);
        piece.err +=
            conntrack_remark(fmt::format("{} flow entries have been shown.", writer_.count()));
    }
};

// The flow that the kernel would find under the given tuple, in either direction, and then only if
// it also fits the other conditions.
class GetWalk final : public FlowWalk {
  public:
    using FlowWalk::FlowWalk;

  private:
    bool is_named(const Tuple& tuple) const {
        const FlowFilter& filter = call_.options.filter;
        if (tuple.family != filter.family || tuple.protocol != filter.protocol || tuple.zone != 0 ||
            !filter.src->holds(tuple.src) || !filter.dst->holds(tuple.dst) ||
            tuple.src_port.host() != filter.src_port.value_or(0))
            return false;
        if (!filter.icmp_type) return tuple.dst_port.host() == filter.dst_port.value_or(0);
        return tuple.icmp_type() == *filter.icmp_type &&
               tuple.icmp_code() == filter.icmp_code.value_or(0);
    }

    bool visit(const FlowEntry& flow, ReplyPiece& piece) override {
        if (is_over_ || !(is_named(flow.original) || is_named(flow.reply))) return true;
        is_over_ = true;
        // The kernel's count includes the reference of the request itself.
        if (call_.options.filter.matches(flow))
            writer_.add(piece.out, {.flow = flow, .time_ns = now_.wall_ns, .use = 2});
        return true;
    }

    void finish(ReplyPiece& piece) override {
        // Upstream begins an XML document here but does not end it.
        if (call_.json || call_.options.format.form != FlowForm::Xml) writer_.end(piece.out);
        if (writer_.count() == 0) exit_ = exit_code::kFailure;
        piece.err += conntrack_remark(
            is_over_ ? fmt::format("{} flow entries have been shown.", writer_.count())
                     : "Operation failed: such conntrack doesn't exist");
    }
};

template <typename Walk>
CommandOutput begin_walk(ConntrackCall call) {
    const FlowWriter writer(call.options.format, call.json);
    CommandOutput output;
    output.stream = std::make_unique<Walk>(std::move(call), writer);
    return output;
}

}  // namespace

CommandOutput conntrack_list(ConntrackCall call) {
    return begin_walk<ListWalk>(std::move(call));
}

CommandOutput conntrack_get(ConntrackCall call) {
    // The kernel looks for the original tuple only.
    if (!call.options.filter.src)
        return CommandOutput::failed(exit_code::kFailure,
                                     conntrack_remark("Operation failed: invalid parameters"));
    return begin_walk<GetWalk>(std::move(call));
}

}  // namespace rampart
