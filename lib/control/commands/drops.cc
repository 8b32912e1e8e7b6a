// `drops`: dropped packets by reason, and on request why packets were INVALID.
#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/drop_report.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {

Json drops_to_json(const Totals& totals, bool with_invalid) {
    Json drops = Json::array();
    for (size_t i = 0; i < kDropReasonCount; ++i)
        drops.push_back({{"reason", kDropReasons[i].name}, {"packets", totals.drops[i]}});
    Json json{{"drops", std::move(drops)}};
    if (with_invalid) {
        Json invalid = Json::array();
        for (size_t i = 1; i < kInvalidReasonCount; ++i)
            invalid.push_back(
                {{"reason", kInvalidReasons[i].name}, {"packets", totals.invalid[i]}});
        json["invalid"] = std::move(invalid);
    }
    return json;
}

std::string drops_to_text(const Totals& totals, bool all, bool with_invalid) {
    std::string text = fmt::format("{:>12}  {:<16} {}\n", "packets", "reason", "meaning");
    const auto line = [&](uint64_t packets, std::string_view name, std::string_view meaning) {
        if (packets != 0 || all) text += fmt::format("{:>12}  {:<16} {}\n", packets, name, meaning);
    };
    for (size_t i = 0; i < kDropReasonCount; ++i)
        line(totals.drops[i], kDropReasons[i].name, kDropReasons[i].text);
    text += fmt::format("{:>12}  {:<16} {}\n", totals.dropped(), "total", "all dropped packets");
    if (!with_invalid) return text;
    text += fmt::format("\n{:>12}  {:<16} {}\n", "packets", "invalid because", "meaning");
    for (size_t i = 1; i < kInvalidReasonCount; ++i)
        line(totals.invalid[i], kInvalidReasons[i].name, kInvalidReasons[i].text);
    text += fmt::format("{:>12}  {:<16} {}\n", totals.invalid_packets(), "total",
                        "packets of state invalid; rules decide what becomes of them");
    return text;
}

CommandOutput run_drops(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Dropped packets by reason.");
    bool all = false, with_invalid = false;
    parser.flag("--all", all, "also the reasons that never happened");
    parser.flag("--invalid", with_invalid, "also why packets were found invalid");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    const Totals totals = totals_of(controller.datapath().workers());
    CommandOutput output;
    if (request.json)
        output.result = drops_to_json(totals, with_invalid);
    else
        output.out = drops_to_text(totals, all, with_invalid);
    return output;
}

}  // namespace rampart
