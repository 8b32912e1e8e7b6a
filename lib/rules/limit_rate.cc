#include "rules/limit_rate.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"

namespace rampart {
namespace {

struct Period {
    std::string_view name;
    uint32_t seconds;
};
constexpr Period kPeriods[] = {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}};

struct ByteUnit {
    std::string_view name;
    unsigned shift;
};
// Longest names first: each ends with the last.
constexpr ByteUnit kByteUnits[] = {{"GB", 30}, {"MB", 20}, {"KB", 10}, {"B", 0}};

constexpr uint64_t kMaxPackets = 100'000'000;
constexpr uint64_t kMinBytes = 1024, kMaxBytes = uint64_t{1} << 40;
constexpr std::string_view kBurst = " burst ";

struct Amount {
    uint64_t number = 0;
    bool in_bytes = false;
};

std::optional<Amount> parse_amount(std::string_view text) {
    for (const ByteUnit& unit : kByteUnits) {
        if (!text.ends_with(unit.name)) continue;
        text.remove_suffix(unit.name.size());
        const auto number = parse_decimal(text, kMaxBytes >> unit.shift);
        if (!number || *number << unit.shift < kMinBytes) return std::nullopt;
        return Amount{*number << unit.shift, true};
    }
    const auto number = parse_decimal(text, kMaxPackets);
    if (!number || *number == 0) return std::nullopt;
    return Amount{*number, false};
}

std::string print_amount(uint64_t number, bool in_bytes) {
    if (!in_bytes) return std::to_string(number);
    for (const ByteUnit& unit : kByteUnits)
        if ((number >> unit.shift) << unit.shift == number && number != 0)
            return fmt::format("{}{}", number >> unit.shift, unit.name);
    return "0B";
}

}  // namespace

std::optional<LimitRate> parse_limit_rate(std::string_view text) {
    const size_t slash = text.find('/');
    if (slash == text.npos) return std::nullopt;
    const auto amount = parse_amount(text.substr(0, slash));
    if (!amount) return std::nullopt;
    for (const Period& period : kPeriods)
        if (text.substr(slash + 1) == period.name)
            return LimitRate{amount->number, period.seconds, amount->in_bytes};
    return std::nullopt;
}

std::optional<uint64_t> parse_burst(std::string_view text, const LimitRate& rate) {
    const auto amount = parse_amount(text);
    if (!amount || amount->in_bytes != rate.in_bytes) return std::nullopt;
    return amount->number;
}

uint64_t default_burst(const LimitRate& rate) noexcept {
    constexpr uint64_t kLongestPacket = 65535;
    if (!rate.in_bytes) return kDefaultBurst;
    return std::max(kLongestPacket, rate.amount / rate.period_s);
}

std::optional<LimitTerms> parse_limit_terms(std::string_view text) {
    const size_t burst = text.find(kBurst);
    const auto rate = parse_limit_rate(text.substr(0, burst));
    if (!rate) return std::nullopt;
    if (burst == text.npos) return LimitTerms{*rate, default_burst(*rate)};
    const auto number = parse_burst(text.substr(burst + kBurst.size()), *rate);
    if (!number) return std::nullopt;
    return LimitTerms{*rate, *number};
}

uint64_t fill_time_s(const LimitTerms& limit) noexcept {
    // At most 2^40 * 86400, which 64 bits hold.
    return limit.burst * limit.rate.period_s / limit.rate.amount;
}

std::string print_limit_rate(const LimitRate& rate) {
    const Period* period = std::find_if(std::begin(kPeriods), std::end(kPeriods),
                                        [&](auto& one) { return one.seconds == rate.period_s; });
    return fmt::format("{}/{}", print_amount(rate.amount, rate.in_bytes), period->name);
}

std::string print_burst(uint64_t burst, const LimitRate& rate) {
    return print_amount(burst, rate.in_bytes);
}

std::string print_limit_terms(const LimitTerms& limit) {
    std::string text = print_limit_rate(limit.rate);
    if (limit.burst != default_burst(limit.rate))
        text += std::string(kBurst) + print_burst(limit.burst, limit.rate);
    return text;
}

std::string hint_for_rate(std::string_view text) {
    text = text.substr(0, text.find(' '));
    const size_t slash = std::min(text.find('/'), text.size());
    const auto amount = parse_amount(text.substr(0, slash));
    if (!amount) return {};
    const std::string number = print_amount(amount->number, amount->in_bytes);
    const std::string_view unit = text.substr(std::min(slash + 1, text.size()));
    for (const Period& period : kPeriods)
        if (!unit.empty() && (unit[0] | 0x20) == period.name[0])
            return fmt::format("write {}/{}", number, period.name);
    return fmt::format("write {0}/second, {0}/minute, {0}/hour or {0}/day", number);
}

}  // namespace rampart
