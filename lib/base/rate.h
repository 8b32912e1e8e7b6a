// Rate: "10/second burst 20" as the language writes it; SharedRate: one that several threads keep
// to together.
//
// SharedRate is the generic cell rate algorithm (ITU-T I.371, annex A): one word that says when the
// next event would be on time, changed by compare-and-swap, so that all threads together keep to
// the rate. Time is a parameter, of one clock for all threads. Refusing costs one relaxed load.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rampart {

struct Rate {
    uint32_t events = 0;
    uint32_t period_s = 1;  // of a unit: second, minute, hour or day
    uint32_t burst = 5;     // events at once; 5 unless given, as in iptables

    bool operator==(const Rate&) const = default;
};

inline constexpr uint32_t kMaxRateEvents = 1'000'000;

// "10/second", "5/minute burst 10"; nothing when it is not of this form.
std::optional<Rate> parse_rate(std::string_view text);
std::string format_rate(const Rate& rate);

class SharedRate {
  public:
    explicit SharedRate(const Rate& rate) noexcept
        : interval_ns_(uint64_t{1'000'000'000} * rate.period_s / rate.events),
          slack_ns_(interval_ns_ * (rate.burst - 1)) {}

    bool take(uint64_t now_ns) noexcept {
        uint64_t due = due_ns_.load(std::memory_order_relaxed);
        do {
            if (due > now_ns + slack_ns_) [[likely]]
                return false;
        } while (!due_ns_.compare_exchange_weak(due, std::max(due, now_ns) + interval_ns_,
                                                std::memory_order_relaxed));
        return true;
    }

    // take() would fail, and will until time goes on.
    bool is_exhausted(uint64_t now_ns) const noexcept {
        return due_ns_.load(std::memory_order_relaxed) > now_ns + slack_ns_;
    }

  private:
    const uint64_t interval_ns_;
    const uint64_t slack_ns_;
    std::atomic<uint64_t> due_ns_{0};  // all threads: rw
};

}  // namespace rampart
