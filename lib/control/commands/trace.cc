// `trace`: live packets, stage by stage, until enough were seen or the client has enough.
#include <fmt/format.h>

#include "base/scalar.h"
#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"
#include "control/trace_format.h"

namespace rampart {
namespace {

// What a slow client may have waiting for it here.
constexpr size_t kMaxPending_bytes = 1u << 20;
constexpr uint64_t kMaxCount = 1'000'000;

class TraceStream final : public ReplyStream, public TraceListener {
  public:
    TraceStream(Controller& controller, uint64_t count, bool json)
        : controller_(controller), wanted_(count), json_(json) {}
    ~TraceStream() override { controller_.traces().remove(*this); }

    bool is_endless() const override { return true; }
    void stop() override { is_stopping_ = true; }
    int exit_status() const override { return exit_code::kOk; }

    Next produce(ReplyPiece& piece) override {
        piece.out.swap(pending_);
        if (lost_ != 0) piece.err += fmt::format("trace: {} packets were not shown\n", lost_);
        lost_ = 0;
        if (shown_ < wanted_ && !is_stopping_) return Next::Wait;
        piece.err += fmt::format("trace: {} packets\n", shown_);
        return Next::Done;
    }

    void on_record(const TraceRecord& record) override {
        if (shown_ == wanted_) return;
        if (pending_.size() > kMaxPending_bytes) {
            ++lost_;
            return;
        }
        const Snapshot& snapshot = controller_.publisher().current();
        const Names& names = snapshot.ruleset.names;
        const Ruleset* ruleset =
            record.generation == snapshot.generation ? &snapshot.ruleset : nullptr;
        if (json_)
            pending_ += trace_json(record, ruleset, names)
                            .dump(-1, ' ', false, Json::error_handler_t::replace) +
                        '\n';
        else
            pending_ += trace_text(record, ruleset, names);
        // A packet that goes to another worker is seen again there.
        if (record.verdict != Verdict::Consumed) ++shown_;
        if (shown_ == wanted_) controller_.traces().remove(*this);
    }
    void on_lost(uint64_t records) override { lost_ += records; }

  private:
    Controller& controller_;
    const uint64_t wanted_;
    const bool json_;
    std::string pending_;
    uint64_t shown_ = 0;
    uint64_t lost_ = 0;
    bool is_stopping_ = false;
};

CommandOutput usage(const std::string& problem) {
    return CommandOutput::failed(exit_code::kUsage, "trace: " + problem + '\n');
}

}  // namespace

CommandOutput run_trace(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Live packets, stage by stage.");
    std::string expression, count = "10", in;
    bool drops_only = false;
    parser.option("filter", expression, "which packets, as for tcpdump: 'host 10.0.0.1'");
    parser.option("-n,--count", count, "end after so many packets (10)");
    parser.option("-i,--in", in, "only packets that come in by this port");
    parser.flag("--drops", drops_only, "only packets that are dropped");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    const auto wanted = parse_decimal(count, kMaxCount);
    if (!wanted || *wanted == 0) return usage(fmt::format("-n takes a number, 1-{}", kMaxCount));
    const Names& names = controller.publisher().current().ruleset.names;
    InterfaceIndex port = kNoInterface;
    std::vector<std::string_view> known;
    for (size_t i = 0; i < names.interfaces.size(); ++i) {
        if (names.interfaces[i].name == in) port = static_cast<InterfaceIndex>(i);
        known.push_back(names.interfaces[i].name);
    }
    if (!in.empty() && port == kNoInterface)
        return usage(
            fmt::format("no interface {}; interfaces: {}", rampart::quoted(in), listed(known)));
    auto filter = CompiledTraceFilter::compile(expression, port, drops_only);
    if (!filter) return usage(filter.error().message + "\n    hint: " + filter.error().hint);
    auto stream = std::make_unique<TraceStream>(controller, *wanted, request.json);
    if (!controller.traces().add(*stream, std::move(*filter)))
        return CommandOutput::failed(
            exit_code::kFailure,
            fmt::format("trace: {} traces are running already\n", kMaxTraceFilters));
    CommandOutput output;
    output.stream = std::move(stream);
    return output;
}

}  // namespace rampart
