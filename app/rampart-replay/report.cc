#include "report.h"

#include <numeric>

#include <fmt/format.h>

namespace rampart {
namespace {

constexpr int64_t kSecond_ns = 1'000'000'000;

std::string seconds(int64_t ns) {
    const int64_t magnitude = ns < 0 ? -ns : ns;
    return fmt::format("{}{}.{:09}", ns < 0 ? "-" : "", magnitude / kSecond_ns,
                       magnitude % kSecond_ns);
}

const std::string& name_of(InterfaceIndex port, const Names& names) {
    return names.interfaces[port].name;
}

std::string_view verdict_name(const Outcome& outcome) noexcept {
    if (outcome.verdict == Verdict::Forward) return "forward";
    if (outcome.verdict == Verdict::Held) return "held";
    return outcome.reason == DropReason::Reject ? "reject" : "drop";
}

std::string verdict_text(const Outcome& outcome, const Names& names) {
    if (outcome.verdict == Verdict::Forward) return "> " + name_of(outcome.out_port, names);
    if (outcome.verdict == Verdict::Held) return "held";
    if (outcome.reason == DropReason::Reject) return "reject";
    return fmt::format("drop {}", to_string(outcome.reason));
}

std::string class_text(const Outcome& outcome) {
    if (!outcome.ct_class) return "-";
    if (outcome.invalid == InvalidReason::None) return std::string(to_string(*outcome.ct_class));
    return fmt::format("{} ({})", to_string(*outcome.ct_class), to_string(outcome.invalid));
}

std::string decider_text(const Decider& decider) {
    if (decider.id.empty()) return "";
    std::string text = fmt::format(", {} {}", decider.is_policy ? "policy of" : "rule", decider.id);
    if (!decider.place.empty()) text += fmt::format(" {}", decider.place);
    return text;
}

}  // namespace

std::string to_text(const PacketReport& report, const Names& names) {
    const Outcome& outcome = report.outcome;
    return fmt::format("{} {} {} {} {}{}{}", report.number, seconds(report.since_first_ns),
                       name_of(report.in_port, names), verdict_text(outcome, names),
                       class_text(outcome), decider_text(outcome.decider),
                       outcome.reply.empty() ? "" : ", answered");
}

Json to_json(const PacketReport& report, const Names& names) {
    const Outcome& outcome = report.outcome;
    Json json{{"number", report.number},
              {"time", seconds(report.time_ns)},
              {"since_first", seconds(report.since_first_ns)},
              {"in", name_of(report.in_port, names)},
              {"verdict", verdict_name(outcome)}};
    if (outcome.verdict == Verdict::Forward)
        json["out"] = name_of(outcome.out_port, names);
    else if (outcome.verdict != Verdict::Held)
        json["reason"] = to_string(outcome.reason);
    if (outcome.ct_class) json["class"] = to_string(*outcome.ct_class);
    if (outcome.invalid != InvalidReason::None) json["invalid"] = to_string(outcome.invalid);
    if (const Decider& decider = outcome.decider; !decider.id.empty()) {
        json[decider.is_policy ? "policy" : "rule"] = decider.id;
        if (!decider.place.empty()) json["place"] = decider.place;
    }
    if (!outcome.reply.empty()) json["answered"] = true;
    return json;
}

void Summary::add(const Outcome& outcome) noexcept {
    ++packets;
    if (outcome.verdict == Verdict::Forward)
        ++forwarded;
    else if (outcome.verdict == Verdict::Held)
        ++held;
    else
        ++drops[static_cast<size_t>(outcome.reason)];
    if (!outcome.reply.empty()) ++replies;
}

std::string Summary::to_text() const {
    const uint64_t dropped = std::accumulate(drops.begin(), drops.end(), uint64_t{0});
    std::string text = fmt::format("{} packets: {} forwarded, {} dropped, {} replies\n", packets,
                                   forwarded, dropped, replies);
    if (held != 0) text += fmt::format("  held as fragments       {:>8}\n", held);
    for (size_t i = 0; i < drops.size(); ++i) {
        if (drops[i] != 0)
            text += fmt::format("  dropped {:<16} {:>8}  {}\n", kDropReasons[i].name, drops[i],
                                kDropReasons[i].text);
    }
    if (truncated != 0)
        text += fmt::format(
            "note: {} packets were cut short by the capture and replayed with what there is\n",
            truncated);
    if (backwards != 0)
        text += fmt::format("note: {} packets are older than one before them; time stood still\n",
                            backwards);
    return text;
}

}  // namespace rampart
