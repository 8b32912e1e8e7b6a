// `pcap`: frames as they come in, go out or are dropped, until enough were seen or the client has
// enough. With --json each with its bytes, which is what `rampartctl pcap -w` asks for.
#include <deque>

#include <fmt/format.h>

#include "base/join.h"
#include "base/scalar.h"
#include "control/capture_feed.h"
#include "control/capture_format.h"
#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {
namespace {

// What a slow client may have waiting for it here.
constexpr size_t kMaxPending_bytes = 8u << 20;
constexpr uint64_t kMaxCount = 1'000'000'000;

class CaptureStream final : public ReplyStream, public CaptureListener {
  public:
    CaptureStream(Controller& controller, uint64_t count, uint32_t snap_length, bool json)
        : controller_(controller), wanted_(count), snap_length_(snap_length), json_(json) {}
    ~CaptureStream() override { controller_.captures().remove(*this); }

    bool is_endless() const override { return true; }
    void stop() override { is_stopping_ = true; }
    int exit_status() const override { return exit_code::kOk; }

    Next produce(ReplyPiece& piece) override {
        if (!blocks_.empty()) {
            piece.out = std::move(blocks_.front());
            blocks_.pop_front();
            pending_bytes_ -= piece.out.size();
        }
        if (!blocks_.empty()) return Next::More;
        if (!is_over() && !is_stopping_) return Next::Wait;
        if (!is_over()) end();
        piece.err += fmt::format(
            "{} packets captured\n{} packets lost because they came faster than they were taken\n",
            captured_, ring_lost_ + lost_);
        return Next::Done;
    }

    void on_frame(const CaptureHead& head, std::span<const std::byte> bytes) override {
        if (is_over()) return;
        if (pending_bytes_ > kMaxPending_bytes) {
            ++lost_;
            return;
        }
        const Snapshot& snapshot = controller_.publisher().current();
        const Names& names = snapshot.ruleset.names;
        const Ruleset* ruleset =
            head.generation == snapshot.generation ? &snapshot.ruleset : nullptr;
        const auto wanted = bytes.first(std::min<size_t>(bytes.size(), snap_length_));
        add(json_ ? capture_json(head, wanted, ruleset, names)
                            .dump(-1, ' ', false, Json::error_handler_t::replace) +
                        '\n'
                  : capture_text(head, wanted, ruleset, names));
        if (++captured_ == wanted_) end();
    }

  private:
    bool is_over() const { return is_removed_; }
    void end() {
        ring_lost_ = controller_.captures().lost(*this);
        controller_.captures().remove(*this);
        is_removed_ = true;
    }
    void add(const std::string& text) {
        if (blocks_.empty() || blocks_.back().size() >= kPieceBytes) blocks_.emplace_back();
        blocks_.back() += text;
        pending_bytes_ += text.size();
    }

    Controller& controller_;
    const uint64_t wanted_;  // 0: no end
    const uint32_t snap_length_;
    const bool json_;
    std::deque<std::string> blocks_;  // of about a slice each
    size_t pending_bytes_ = 0;        // in them
    uint64_t captured_ = 0;
    uint64_t lost_ = 0;       // here
    uint64_t ring_lost_ = 0;  // by the workers
    bool is_removed_ = false;
    bool is_stopping_ = false;
};

CommandOutput usage(const std::string& problem) {
    return CommandOutput::failed(exit_code::kUsage, "pcap: " + problem + '\n');
}

tl::unexpected<CommandOutput> refused(CommandOutput output) {
    return tl::unexpected<CommandOutput>(std::move(output));
}

struct PcapOptions {
    std::vector<std::string> expression;
    std::string in, count = "0", snap_length = "262144", reason, rule;
    bool drops = false;
};

template <typename T>
using Parsed = tl::expected<T, CommandOutput>;

// A port, with the VLANs that it carries.
Parsed<uint64_t> find_interfaces(const std::string& name, const Names& names) {
    if (name.empty() || name == "any") return UINT64_MAX;
    uint64_t found = 0;
    std::vector<std::string_view> known;
    for (size_t i = 0; i < names.interfaces.size(); ++i) {
        const Interface& interface = names.interfaces[i];
        const bool is_parent = interface.parent < names.interfaces.size() &&
                               names.interfaces[interface.parent].name == name;
        if (interface.name == name || is_parent) found |= uint64_t{1} << i;
        known.push_back(interface.name);
    }
    if (found == 0)
        return refused(usage(
            fmt::format("no interface {}; interfaces: {}", rampart::quoted(name), listed(known))));
    return found;
}

Parsed<DropReason> find_reason(const std::string& name) {
    std::vector<std::string_view> known;
    for (size_t i = 0; i < kDropReasonCount; ++i) {
        if (kDropReasons[i].name == name) return static_cast<DropReason>(i);
        known.push_back(kDropReasons[i].name);
    }
    const std::string hint = did_you_mean(name, known);
    return refused(usage(fmt::format("no drop reason {}; {}", rampart::quoted(name),
                                     hint.empty() ? "`rampartctl drops --all` lists them" : hint)));
}

Parsed<CaptureWish> wish_of(const PcapOptions& options, const Ruleset& ruleset) {
    CaptureWish wish;
    auto interfaces = find_interfaces(options.in, ruleset.names);
    if (!interfaces) return refused(std::move(interfaces.error()));
    wish.interfaces = *interfaces;
    const auto snap_length = parse_decimal(options.snap_length, UINT32_MAX);
    if (!snap_length) return refused(usage("-s takes a number of bytes, 0 for whole frames"));
    if (*snap_length != 0)
        wish.snap_length =
            static_cast<uint32_t>(std::min<uint64_t>(*snap_length, kMaxCaptureLength));
    wish.drops_only = options.drops || !options.reason.empty();
    if (!options.reason.empty()) {
        auto reason = find_reason(options.reason);
        if (!reason) return refused(std::move(reason.error()));
        wish.reason = *reason;
    }
    wish.rule = options.rule;
    auto frames = PacketFilter::compile(join(options.expression, " "));
    if (!frames)
        return refused(usage(frames.error().message + "\n    hint: " + frames.error().hint));
    wish.frames = std::move(*frames);
    return wish;
}

// Rules of nat judge the first packet of a flow only, and are no part of any packet's way.
std::optional<std::string> why_not(const std::string& rule, const Ruleset& ruleset) {
    if (rule.empty()) return std::nullopt;
    bool is_nat = false;
    for (size_t i = 0; i < ruleset.chains.size(); ++i) {
        const bool is_nat_chain =
            static_cast<int>(i) == ruleset.prerouting || static_cast<int>(i) == ruleset.postrouting;
        for (const Rule& candidate : ruleset.chains[i].rules) {
            if (candidate.id != rule) continue;
            if (!is_nat_chain) return std::nullopt;
            is_nat = true;
        }
    }
    return is_nat ? fmt::format("rule {} translates; rules of nat cannot be captured by",
                                rampart::quoted(rule))
                  : fmt::format("no rule {}", rampart::quoted(rule));
}

// --drops=REASON is --drops with a reason.
ApiRequest with_reason(ApiRequest request) {
    constexpr std::string_view kDrops = "--drops=";
    for (std::string& word : request.arguments)
        if (word.starts_with(kDrops)) word = "--reason=" + word.substr(kDrops.size());
    return request;
}

}  // namespace

CommandOutput run_pcap(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser(
        "Packets as they are received, sent or dropped; -w FILE writes them to a file.");
    PcapOptions options;
    parser.any_words("filter", options.expression,
                     "which packets, as for tcpdump: 'host 10.0.0.1'");
    parser.option("-i,--interface", options.in,
                  "only at this interface, with the VLANs it carries");
    parser.flag("--drops", options.drops,
                "only packets that are dropped; --drops=REASON: for this reason");
    parser.option("--reason", options.reason, "the same as --drops=REASON");
    parser.option("--rule", options.rule,
                  "only packets that match the rule with this id on their way");
    parser.option("-c,--count", options.count, "end after so many packets");
    parser.option("-s,--snaplen", options.snap_length, "only so many bytes of each packet; 0: all");
    std::string file;
    parser.option("-w,--write", file,
                  "of rampartctl: write a file for tcpdump and Wireshark; -: to stdout");
    if (auto answer = parser.parse(with_reason(request))) return std::move(*answer);
    const auto wanted = parse_decimal(options.count, kMaxCount);
    if (!wanted) return usage(fmt::format("-c takes a number up to {}", kMaxCount));
    const Ruleset& ruleset = controller.publisher().current().ruleset;
    if (const auto problem = why_not(options.rule, ruleset))
        return CommandOutput::failed(exit_code::kFailure, fmt::format("pcap: {}\n", *problem));
    auto wish = wish_of(options, ruleset);
    if (!wish) return std::move(wish.error());
    auto stream =
        std::make_unique<CaptureStream>(controller, *wanted, wish->snap_length, request.json);
    if (!controller.captures().add(*stream, std::move(*wish)))
        return CommandOutput::failed(
            exit_code::kFailure,
            fmt::format("pcap: {} captures are running already\n", kMaxCaptures));
    CommandOutput output;
    output.stream = std::move(stream);
    return output;
}

}  // namespace rampart
