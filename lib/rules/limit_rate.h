// LimitRate: how much may pass per time, as `limit` states it: `10/second burst 20`, `1MB/second`.
//
// One spelling: a number, for bytes with B, KB, MB or GB (powers of 1024, as in hashlimit and
// nft), then second, minute, hour or day. Value type. Control thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rampart {

struct LimitRate {
    uint64_t amount = 0;    // packets or bytes
    uint32_t period_s = 1;  // second, minute, hour or day
    bool in_bytes = false;

    bool operator==(const LimitRate&) const = default;
};

struct LimitTerms {
    LimitRate rate;
    uint64_t burst = 0;  // packets or bytes that may pass at once; how much a full bucket holds

    bool operator==(const LimitTerms&) const = default;
};

// iptables' and nft's default.
inline constexpr uint64_t kDefaultBurst = 5;
// A burst of bytes must let one full packet pass.
inline constexpr uint64_t kMinBurstBytes = 1500;
// So long may an empty bucket take to fill: what 64 bits of 1/16 ns hold, with room to spare.
inline constexpr uint64_t kMaxFill_s = uint64_t{4} * 365 * 86400;

std::optional<LimitRate> parse_limit_rate(std::string_view text);
// Packets, or bytes with a unit, to fit the rate.
std::optional<uint64_t> parse_burst(std::string_view text, const LimitRate& rate);
// Of packets kDefaultBurst; of bytes what passes in a second, at least one datagram.
uint64_t default_burst(const LimitRate& rate) noexcept;
// "10/second" or "10/second burst 20".
std::optional<LimitTerms> parse_limit_terms(std::string_view text);
// An empty bucket takes this long to fill.
uint64_t fill_time_s(const LimitTerms& limit) noexcept;

std::string print_limit_rate(const LimitRate& rate);
std::string print_burst(uint64_t burst, const LimitRate& rate);
// Without the default burst.
std::string print_limit_terms(const LimitTerms& limit);
// What to write instead of a text that parse_limit_rate() refuses; empty when there is no guess.
std::string hint_for_rate(std::string_view text);

}  // namespace rampart
