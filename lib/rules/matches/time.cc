// `time`: the wall-clock time of the packet's arrival, in UTC (iptables' xt_time without
// --kerneltz).

#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "rules/matches/registry.h"
#include "rules/number_ranges.h"
#include "rules/words.h"

namespace rampart {

namespace {

constexpr uint32_t kDay_s = 86400;
constexpr std::string_view kKeys[] = {"start", "stop", "days", "month_days", "from", "until"};

struct TimeWindow {
    uint32_t start_s = 0;  // of the day
    uint32_t stop_s = kDay_s - 1;
    uint8_t days = 0x7f;              // bit 0: Sunday
    uint32_t month_days = ~0u;        // bit n: day n
    uint64_t from_s = 0;              // since 1970
    uint64_t until_s = ~uint64_t{0};  // inclusive
    std::string written;
};

const std::vector<std::string_view>& day_names() {
    static const std::vector<std::string_view> kNames = {"sun", "mon", "tue", "wed",
                                                         "thu", "fri", "sat"};
    return kNames;
}

bool parse_with(const char* format, const std::string& text, std::tm& time) {
    time = {};
    time.tm_mday = 1;
    const char* end = strptime(text.c_str(), format, &time);
    return end != nullptr && *end == '\0';
}

std::optional<uint32_t> parse_time_of_day(const std::string& text) {
    std::tm time{};
    if (!parse_with("%H:%M:%S", text, time) && !parse_with("%H:%M", text, time))
        return std::nullopt;
    return static_cast<uint32_t>(time.tm_hour * 3600 + time.tm_min * 60 + time.tm_sec);
}

std::optional<uint64_t> parse_date(const std::string& text) {
    std::tm time{};
    for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"})
        if (parse_with(format, text, time) && timegm(&time) >= 0)
            return static_cast<uint64_t>(timegm(&time));
    return std::nullopt;
}

class TimeParser {
  public:
    TimeParser(const Value& value, ParseContext& context) : value_(value), context_(context) {}

    Arguments parse() {
        if (!value_.is_map() || value_.entries().empty()) {
            report(value_, "'time' takes a mapping", "time: { start: \"08:00\", stop: \"18:00\" }");
            return {};
        }
        for (const Value::Entry& entry : value_.entries())
            read(entry);
        if (!is_good_) return {};
        return Arguments::make(std::move(window_));
    }

  private:
    void report(const Value& at, std::string message, std::string hint, const char* code = "E005") {
        context_.diagnostics.error(code, at.location(), std::move(message), std::move(hint));
        is_good_ = false;
    }

    void read(const Value::Entry& entry) {
        const std::string& key = entry.key.text();
        if (key == "days") return read_days(entry.value);
        if (key == "month_days") return read_month_days(entry.value);
        const std::string text = entry.value.is_scalar() ? entry.value.text() : std::string();
        if (key == "start" || key == "stop") {
            const auto time = parse_time_of_day(text);
            if (!time) return report(entry.value, quoted(text) + " is no time of day", "\"08:30\"");
            (key == "start" ? window_.start_s : window_.stop_s) = *time;
        } else if (key == "from" || key == "until") {
            const auto date = parse_date(text);
            if (!date)
                return report(entry.value, quoted(text) + " is no date",
                              "\"2026-12-24\" or \"2026-12-24T18:00\", in UTC");
            (key == "from" ? window_.from_s : window_.until_s) = *date;
        } else {
            const std::vector<std::string_view> known(std::begin(kKeys), std::end(kKeys));
            std::string hint = did_you_mean(key, known);
            return report(entry.key, fmt::format("unknown key {} in 'time'", quoted(key)),
                          hint.empty() ? "one of: " + listed(known) : std::move(hint), "E002");
        }
        note(key, print_word(text));
    }

    void read_days(const Value& value) {
        const uint32_t set = parse_word_set(value, "day", day_names(), context_);
        if (set == 0) is_good_ = false;
        window_.days = static_cast<uint8_t>(set);
        note("days", print_word_set(set, day_names()));
    }

    void read_month_days(const Value& value) {
        const Arguments days = parse_number_ranges(
            value, {.what = "a day of the month", .min = 1, .max = 31}, context_);
        if (!days) {
            is_good_ = false;
            return;
        }
        window_.month_days = 0;
        for (const NumberRange& range : days.as<NumberRanges>().merged)
            for (uint32_t day = range.first; day <= range.last; ++day)
                window_.month_days |= 1u << day;
        note("month_days", print_words(days.as<NumberRanges>().written));
    }

    void note(std::string_view key, const std::string& text) {
        window_.written += fmt::format("{}{}: {}", window_.written.empty() ? "" : ", ", key, text);
    }

    const Value& value_;
    ParseContext& context_;
    TimeWindow window_;
    bool is_good_ = true;
};

Arguments parse(const Value& value, ParseContext& context) {
    return TimeParser(value, context).parse();
}

// The day of the month (1-31) of a day since 1970.
unsigned month_day_of(uint64_t day) noexcept {
    const std::chrono::sys_days date{std::chrono::days{day}};
    return static_cast<unsigned>(std::chrono::year_month_day{date}.day());
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const TimeWindow& window = arguments.as<TimeWindow>();
    const uint64_t now_s = input.now.wall_ns / 1'000'000'000;
    if (now_s < window.from_s || now_s > window.until_s) return false;
    const uint32_t of_day = static_cast<uint32_t>(now_s % kDay_s);
    // A window that ends before it starts goes on after midnight.
    const bool is_within = window.start_s <= window.stop_s
                               ? of_day >= window.start_s && of_day <= window.stop_s
                               : of_day >= window.start_s || of_day <= window.stop_s;
    const uint64_t day = now_s / kDay_s;
    constexpr unsigned kFirstWeekday = 4;  // 1 January 1970 was a Thursday
    return is_within && (window.days >> (day + kFirstWeekday) % 7 & 1) &&
           (window.month_days == ~0u || (window.month_days >> month_day_of(day) & 1));
}

std::string print(const Arguments& arguments, const Names&) {
    return fmt::format("{{ {} }}", arguments.as<TimeWindow>().written);
}

}  // namespace

const MatchType kMatchTime = {
    .key = "time",
    .dependence = Dependence::Packet,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary =
                "The time at which the packet arrives, in UTC; a window that stops before it "
                "starts goes on after midnight.",
            .values =
                "start and stop (\"08:00\"), days (mon, tue ...), month_days (1-31), from and "
                "until (\"2026-12-24\" or \"2026-12-24T18:00\")",
            .example = "{ time: { start: \"08:00\", stop: \"18:00\", days: [mon, fri] }, action: "
                       "accept }",
            .iptables = "-m time --timestart --timestop --weekdays --monthdays --datestart",
            .nft = "meta hour, meta day, meta time",
        },
};

}  // namespace rampart
