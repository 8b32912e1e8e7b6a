// `limit`: no more than so many packets or bytes in a time, for all packets that get here or per
// key (iptables' limit and hashlimit).

#include "rules/matches/limit.h"

#include <fmt/format.h>

#include "base/scalar.h"
#include "rules/matches/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

constexpr std::string_view kKeys[] = {"rate", "burst", "per", "mask", "mask6", "over", "max"};

class LimitParser {
  public:
    LimitParser(const Value& value, ParseContext& context) : value_(value), context_(context) {}

    Arguments parse() {
        if (value_.is_scalar()) {
            read_short_form();
        } else if (value_.is_map()) {
            for (const Value::Entry& entry : value_.entries())
                read(entry);
            finish_map();
        } else {
            report(value_, "E005", "'limit' takes a rate or a mapping",
                   "limit: 10/second burst 20");
        }
        if (is_good_) check_burst();
        if (!is_good_) return {};
        return Arguments::make(std::move(arguments_));
    }

  private:
    void report(const Value& at, const char* code, std::string message, std::string hint = {}) {
        context_.diagnostics.error(code, at.location(), std::move(message), std::move(hint));
        is_good_ = false;
    }

    void report_rate(const Value& at) {
        const std::string text = at.is_scalar() ? at.text() : std::string();
        std::string hint = hint_for_rate(text);
        if (hint.empty()) hint = "a rate is written 10/second, 5/minute or 1MB/second";
        report(at, "E010", fmt::format("{} is not a rate", quoted(text)), std::move(hint));
    }

    void read_short_form() {
        const std::string& text = value_.text();
        if (const auto limit = parse_limit_terms(text)) {
            arguments_.limit = *limit;
            return;
        }
        const size_t space = text.find(' ');
        const auto rate = parse_limit_rate(text.substr(0, space));
        if (!rate) return report_rate(value_);
        report(value_, "E010", fmt::format("{} is not a rate with a burst", quoted(text)),
               fmt::format("write {} burst {}", print_limit_rate(*rate),
                           print_burst(default_burst(*rate), *rate)));
    }

    void read(const Value::Entry& entry) {
        const std::string& key = entry.key.text();
        const std::string text = entry.value.is_scalar() ? entry.value.text() : std::string();
        if (key == "rate") {
            const auto rate = parse_limit_rate(text);
            if (!rate) return report_rate(entry.value);
            arguments_.limit.rate = *rate;
        } else if (key == "over") {
            const auto over = parse_bool(text);
            if (!over) return report(entry.value, "E005", "'over' is true or false");
            arguments_.over = *over;
        } else if (key == "max") {
            const auto max = read_number(entry, 1, LimitArguments::kMaxMax, context_);
            is_good_ = is_good_ && max;
            arguments_.max = max.value_or(0);
        } else if (key != "burst" && !read_key_field(entry, arguments_.key, context_, is_good_)) {
            const std::vector<std::string_view> known(std::begin(kKeys), std::end(kKeys));
            std::string hint = did_you_mean(key, known);
            report(entry.key, "E002", fmt::format("unknown key {} in 'limit'", quoted(key)),
                   hint.empty() ? "one of: " + listed(known) : std::move(hint));
        }
    }

    // Once the rate is known, and with it whether bytes are counted.
    void finish_map() {
        if (!is_good_) return;
        LimitTerms& limit = arguments_.limit;
        if (limit.rate.amount == 0)
            return report(value_, "E006", "'limit' has no 'rate'", "rate: 10/second");
        limit.burst = default_burst(limit.rate);
        if (const Value* burst = value_.find("burst")) {
            const std::string text = burst->is_scalar() ? burst->text() : std::string();
            const auto number = parse_burst(text, limit.rate);
            if (!number)
                return report(*burst, "E010",
                              fmt::format("{} is not a burst of {}", quoted(text),
                                          limit.rate.in_bytes ? "bytes" : "packets"),
                              limit.rate.in_bytes ? "burst: 64KB" : "burst: 20");
            limit.burst = *number;
        }
        if (!check_key_fields(value_, arguments_.key, context_)) is_good_ = false;
        const Value* max = value_.find("max");
        if (max != nullptr && arguments_.key.fields == 0)
            report(*max, "E016", "'max' needs keys to bound", "write  per: [src]");
    }

    void check_burst() {
        const LimitTerms& limit = arguments_.limit;
        if (limit.rate.in_bytes && limit.burst < kMinBurstBytes)
            report(value_, "E010", "a burst this small lets no full packet pass",
                   fmt::format("a burst has at least {} bytes", kMinBurstBytes));
        else if (fill_time_s(limit) > kMaxFill_s)
            report(value_, "E010", "at this rate the burst takes more than four years to come back",
                   "a smaller burst or a higher rate");
    }

    const Value& value_;
    ParseContext& context_;
    LimitArguments arguments_;
    bool is_good_ = true;
};

Arguments parse(const Value& value, ParseContext& context) {
    return LimitParser(value, context).parse();
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const LimitArguments& own = arguments.as<LimitArguments>();
    // A question is answered as for the first packet in a while: its bucket is full.
    if (input.is_rehearsal) return !own.over;
    if (own.buckets == nullptr) return own.over;
    const uint64_t key = own.key.fields == 0 ? 0 : own.key.key_of(input, *own.hash);
    const uint64_t amount = own.limit.rate.in_bytes ? input.packet.ip_length : 1;
    return own.buckets->take(key, input.now.ns, amount) != own.over;
}

std::string print(const Arguments& arguments, const Names&) {
    const LimitArguments& own = arguments.as<LimitArguments>();
    const LimitTerms& limit = own.limit;
    if (own.key.fields == 0 && !own.over) return print_limit_terms(limit);
    std::string text = "{ rate: " + print_limit_rate(limit.rate);
    if (limit.burst != default_burst(limit.rate))
        text += ", burst: " + print_burst(limit.burst, limit.rate);
    if (own.key.fields != 0) text += ", " + own.key.print();
    if (own.over) text += ", over: true";
    if (own.max != LimitArguments::kDefaultMax) text += fmt::format(", max: {}", own.max);
    return text + " }";
}

}  // namespace

const MatchType kMatchLimit = {
    .key = "limit",
    .dependence = Dependence::Packet,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary =
                "The packet is within a rate, of all that get here or per key; asked last of all "
                "matches. See [limits.md](limits.md).",
            .values =
                "10/second burst 20, or rate, burst (default 5), per (src, dst, sport, dport, "
                "in), mask, mask6, over: true for the excess, max (keys, default 65536); a rate of "
                "packets or of bytes (1MB) per second, minute, hour or day",
            .example =
                "{ proto: icmp, icmp: echo-request, limit: 10/second burst 20, action: accept }",
            .iptables = "-m limit --limit --limit-burst, -m hashlimit",
            .nft = "limit rate, meters",
        },
    .remembers = true,
};

}  // namespace rampart
