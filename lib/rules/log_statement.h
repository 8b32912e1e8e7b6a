// LogStatement: what `log` says in a rule.
//
// Workers ask `rate`, which they share; the rest is for control, which writes the text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/rate.h"

namespace rampart {

struct Rule;

// By number: severities of RFC 5424, 6.2.1, which syslog and journald use as well.
inline constexpr std::string_view kLogLevels[] = {"emergency", "alert",  "critical", "error",
                                                  "warning",   "notice", "info",     "debug"};
inline constexpr uint8_t kDefaultLogLevel = 6;

// Enough to see what happens, and little enough that nobody fills a disk with it from outside.
inline constexpr Rate kDefaultLogRate{.events = 10, .period_s = 1, .burst = 20};

struct LogStatement {
    std::string prefix;
    uint8_t level = kDefaultLogLevel;
    std::optional<Rate> limit = kDefaultLogRate;  // none: every packet
    std::unique_ptr<SharedRate> rate;             // of `limit`
};

// Null: the rule logs nothing.
const LogStatement* log_statement_of(const Rule& rule) noexcept;
// The rate of the rule's log when that is all that the rule has to do per packet; else null.
const SharedRate* only_log_rate(const Rule& rule) noexcept;

}  // namespace rampart
