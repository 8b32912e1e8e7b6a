// `top`: rates, drops, the busiest rules and talkers, again and again.
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "base/scalar.h"
#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"
#include "control/slice_timer.h"
#include "control/talkers.h"
#include "control/top_format.h"
#include "control/top_look.h"

namespace rampart {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kMaxCount = 1'000'000'000;
constexpr uint64_t kMaxLines = 1000;
constexpr double kMinDelay_s = 0.1, kMaxDelay_s = 3600;

struct TopOptions {
    Clock::duration delay = std::chrono::seconds(2);
    uint64_t count = 0;  // 0: no end
    size_t lines = 10;   // of each list
    bool json = false;
};

class TopStream final : public ReplyStream {
  public:
    TopStream(Controller& controller, const TopOptions& options)
        : controller_(controller), options_(options), look_(controller, options.lines) {
        begin_look();
    }

    bool is_endless() const override { return true; }
    void stop() override { is_stopping_ = true; }
    int exit_status() const override { return exit_code::kOk; }

    Next produce(ReplyPiece& piece) override {
        if (is_stopping_) return Next::Done;
        const SliceTimer timer;
        if (is_looking_) {
            if (talkers_ != nullptr && !talkers_->go_on(timer)) return Next::More;
            is_looking_ = false;
            if (!std::exchange(is_first_, false)) tell(piece);
            return shown_ == options_.count && shown_ != 0 ? Next::Done : Next::Wait;
        }
        if (Clock::now() < next_) return Next::Wait;
        begin_look();
        return Next::More;
    }

  private:
    void begin_look() {
        next_ = Clock::now() + options_.delay;
        look_.look();
        is_looking_ = true;
        const bool has_accounting = controller_.publisher().current().conntrack.accounting;
        if (!has_accounting) {
            talkers_.reset();
        } else {
            if (talkers_ == nullptr)
                talkers_ =
                    std::make_unique<Talkers>(controller_.datapath().workers(), options_.lines);
            talkers_->begin_look();
        }
    }

    void tell(ReplyPiece& piece) {
        const Json document = look_.document(talkers_.get());
        if (options_.json)
            piece.out = document.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
        else
            piece.out = (shown_ == 0 ? "" : "\n") + top_text(document);
        ++shown_;
    }

    Controller& controller_;
    const TopOptions options_;
    TopLook look_;
    std::unique_ptr<Talkers> talkers_;  // null: nothing counts the bytes of flows
    Clock::time_point next_;
    uint64_t shown_ = 0;
    bool is_first_ = true;
    bool is_looking_ = false;
    bool is_stopping_ = false;
};

CommandOutput usage(const std::string& problem) {
    return CommandOutput::failed(exit_code::kUsage, "top: " + problem + '\n');
}

std::optional<double> parse_seconds(const std::string& text) {
    double seconds = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, seconds);
    if (error != std::errc() || rest != end) return std::nullopt;
    if (!(seconds >= kMinDelay_s && seconds <= kMaxDelay_s)) return std::nullopt;
    return seconds;
}

}  // namespace

CommandOutput run_top(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Rates, drops, the busiest rules, flows and sources, again and again.");
    std::string delay = "2", count = "0", lines = "10";
    bool batch = false;
    parser.option("-d,--delay", delay, "seconds from one look to the next (2)");
    parser.option("-n,--count", count, "end after so many pages");
    parser.option("-l,--lines", lines, "so many rules, flows and sources (10)");
    parser.flag("-b,--batch", batch, "page after page, as when the output is no terminal");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    TopOptions options;
    const auto seconds = parse_seconds(delay);
    if (!seconds)
        return usage(fmt::format("-d takes seconds, {}-{:.0f}", kMinDelay_s, kMaxDelay_s));
    options.delay =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*seconds));
    const auto pages = parse_decimal(count, kMaxCount);
    if (!pages) return usage(fmt::format("-n takes a number up to {}", kMaxCount));
    options.count = *pages;
    const auto shown = parse_decimal(lines, kMaxLines);
    if (!shown || *shown == 0) return usage(fmt::format("-l takes a number, 1-{}", kMaxLines));
    options.lines = *shown;
    options.json = request.json;
    CommandOutput output;
    output.stream = std::make_unique<TopStream>(controller, options);
    return output;
}

}  // namespace rampart
