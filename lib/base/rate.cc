#include "base/rate.h"

#include "base/scalar.h"

namespace rampart {
namespace {

struct Unit {
    std::string_view name;
    uint32_t seconds;
};
constexpr Unit kUnits[] = {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}};

constexpr std::string_view kBurst = " burst ";
// How long a bucket may take to fill: nanoseconds must hold it several times.
constexpr uint64_t kMaxFill_s = 1'000'000'000;

std::optional<uint32_t> parse_count(std::string_view text) {
    const auto number = parse_decimal(text, kMaxRateEvents);
    if (!number || *number == 0) return std::nullopt;
    return static_cast<uint32_t>(*number);
}

}  // namespace

std::optional<Rate> parse_rate(std::string_view text) {
    Rate rate;
    if (const size_t at = text.find(kBurst); at != text.npos) {
        const auto burst = parse_count(text.substr(at + kBurst.size()));
        if (!burst) return std::nullopt;
        rate.burst = *burst;
        text = text.substr(0, at);
    }
    const size_t slash = text.find('/');
    if (slash == text.npos) return std::nullopt;
    const auto events = parse_count(text.substr(0, slash));
    if (!events) return std::nullopt;
    rate.events = *events;
    for (const Unit& unit : kUnits) {
        if (unit.name != text.substr(slash + 1)) continue;
        rate.period_s = unit.seconds;
        if (uint64_t{rate.burst} * rate.period_s / rate.events > kMaxFill_s) return std::nullopt;
        return rate;
    }
    return std::nullopt;
}

std::string format_rate(const Rate& rate) {
    std::string text = std::to_string(rate.events) + '/';
    for (const Unit& unit : kUnits)
        if (unit.seconds == rate.period_s) text += unit.name;
    return text + std::string(kBurst) + std::to_string(rate.burst);
}

}  // namespace rampart
