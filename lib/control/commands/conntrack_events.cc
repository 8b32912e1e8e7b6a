// conntrack -E: what happens to flows, until the client has enough.
#include <fmt/format.h>

#include "control/commands/conntrack_parts.h"
#include "control/controller.h"
#include "control/event_feed.h"
#include "control/flow_writer.h"

namespace rampart {
namespace {

// What a slow client may have waiting for it here.
constexpr size_t kMaxPending_bytes = 1u << 20;

FlowMessage message_of(JournalKind kind) noexcept {
    switch (kind) {
        case JournalKind::Update:
            return FlowMessage::Update;
        case JournalKind::Destroy:
            return FlowMessage::Destroy;
        case JournalKind::New:
        case JournalKind::Invalid:
            break;
    }
    return FlowMessage::New;
}

uint8_t bit_of(JournalKind kind) noexcept {
    switch (kind) {
        case JournalKind::New:
            return conntrack_event::kNew;
        case JournalKind::Update:
            return conntrack_event::kUpdate;
        case JournalKind::Destroy:
            return conntrack_event::kDestroy;
        case JournalKind::Invalid:
            break;
    }
    return 0;
}

class EventStream final : public ReplyStream, public EventListener {
  public:
    explicit EventStream(ConntrackCall call)
        : call_(std::move(call)), writer_(call_.options.format, false) {
        if (call_.json) call_.options.format.form = FlowForm::JsonText;
        writer_ = FlowWriter(call_.options.format, false);
        writer_.json_lines();
        // Nothing is ever expected, so there is nothing to hear about expectations.
        if (call_.options.table == ConntrackTable::Conntrack) call_.controller.events().add(*this);
    }
    ~EventStream() override { call_.controller.events().remove(*this); }

    bool is_endless() const override { return true; }
    void stop() override { is_stopping_ = true; }
    int exit_status() const override { return exit_code::kOk; }

    Next produce(ReplyPiece& piece) override {
        piece.out.swap(pending_);
        if (lost_ != 0) piece.err += fmt::format("WARNING: {} events were lost.\n", lost_);
        lost_ = 0;
        if (!is_stopping_) return Next::Wait;
        writer_.end(piece.out);
        const bool is_expect = call_.options.table == ConntrackTable::Expect;
        piece.err += conntrack_remark(fmt::format("{} {} events have been shown.", writer_.count(),
                                                  is_expect ? "expectation" : "flow"));
        return Next::Done;
    }

    void on_event(const FlowEvent& event) override {
        if (!(call_.options.events & bit_of(event.kind))) return;
        if (!call_.options.filter.matches(event.flow)) return;
        if (pending_.size() > kMaxPending_bytes) {
            ++lost_;
            return;
        }
        writer_.add(pending_, {.flow = event.flow,
                               .message = message_of(event.kind),
                               .time_ns = event.time_ns,
                               .state_changed = event.state_changed});
    }
    void on_lost(uint64_t events) override { lost_ += events; }

  private:
    ConntrackCall call_;
    FlowWriter writer_;
    std::string pending_;
    uint64_t lost_ = 0;
    bool is_stopping_ = false;
};

}  // namespace

CommandOutput conntrack_events(ConntrackCall call) {
    CommandOutput output;
    output.stream = std::make_unique<EventStream>(std::move(call));
    return output;
}

}  // namespace rampart
