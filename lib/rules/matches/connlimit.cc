// `connlimit`: more than so many live flows per key (iptables' connlimit, nft's ct count).

#include "rules/matches/connlimit.h"

#include <fmt/format.h>

#include "base/scalar.h"
#include "conntrack/tracker.h"
#include "rules/matches/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

constexpr std::string_view kKeys[] = {"per", "mask", "mask6", "above", "max"};

void report_unknown(const Value& key, ParseContext& context) {
    const std::vector<std::string_view> known(std::begin(kKeys), std::end(kKeys));
    std::string hint = did_you_mean(key.text(), known);
    if (key.text() == "upto") hint = "write  not: { connlimit: { above: N } }";
    if (hint.empty()) hint = "one of: " + listed(known);
    context.diagnostics.error("E002", key.location(),
                              fmt::format("unknown key {} in 'connlimit'", quoted(key.text())),
                              std::move(hint));
}

Arguments parse(const Value& value, ParseContext& context) {
    if (!value.is_map()) {
        context.diagnostics.error("E005", value.location(), "'connlimit' takes a mapping",
                                  "connlimit: { above: 64 }");
        return {};
    }
    ConnlimitArguments arguments;
    bool is_good = true;
    for (const Value::Entry& entry : value.entries()) {
        const std::string& key = entry.key.text();
        if (key == "above" || key == "max") {
            const bool is_max = key == "max";
            const auto number = read_number(
                entry, is_max, is_max ? ConnlimitArguments::kMaxMax : ConnlimitArguments::kMaxAbove,
                context);
            (is_max ? arguments.max : arguments.above) = number.value_or(0);
            is_good = is_good && number;
        } else if (!read_key_field(entry, arguments.key, context, is_good)) {
            report_unknown(entry.key, context);
            is_good = false;
        }
    }
    if (is_good && value.find("above") == nullptr) {
        context.diagnostics.error("E006", value.location(), "'connlimit' has no 'above'",
                                  "above: 64 matches from the 65th flow on");
        is_good = false;
    }
    is_good = is_good && check_key_fields(value, arguments.key, context);
    if (!is_good) return {};
    return Arguments::make(arguments);
}

// Only a flow that is or may come into the table is counted: not one that ended earlier in this
// burst, nor a closed connection that still talks.
bool is_countable(const RuleInput& input) noexcept {
    if (input.flow == nullptr || input.packet.is_icmp_error) return false;
    return !input.flow->has(flow_status::kDying) &&
           !has_ended(*input.flow, tracker_of(input.tuple.protocol));
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const ConnlimitArguments& own = arguments.as<ConnlimitArguments>();
    if (own.rule.counts == nullptr) return false;
    const uint64_t key = own.key.key_of(input, *own.hash);
    if (input.is_rehearsal) {
        // The made-up flow of a first packet would be one more.
        const uint32_t own_flow = input.ct_class == CtClass::New && is_countable(input) ? 1 : 0;
        return own.rule.counts->count_of(key) + own_flow > own.above;
    }
    if (input.counted_flows == nullptr || !is_countable(input))
        return own.rule.counts->count_of(key) > own.above;
    const uint32_t count = input.counted_flows->count(input.flow_index, own.rule, key);
    if (count == FlowCounts::kNoRoom) own.rule.counts->note_no_room();
    return count > own.above;
}

std::string print(const Arguments& arguments, const Names&) {
    const ConnlimitArguments& own = arguments.as<ConnlimitArguments>();
    std::string text = fmt::format("{{ {}, above: {}", own.key.print(), own.above);
    if (own.max != ConnlimitArguments::kDefaultMax) text += fmt::format(", max: {}", own.max);
    return text + " }";
}

}  // namespace

const MatchType kMatchConnlimit = {
    .key = "connlimit",
    .dependence = Dependence::Packet,
    // Before connection tracking there is no flow to count.
    .hooks = static_cast<HookMask>(Hook::Input) | static_cast<HookMask>(Hook::Forward) |
             static_cast<HookMask>(Hook::Output),
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary =
                "There are more live flows with the packet's key than so many, its own included, "
                "among those this rule has seen. See [limits.md](limits.md).",
            .values =
                "above (a number of flows), per (default src; also dst, sport, dport, in), mask, "
                "mask6, max (keys, default 65536)",
            .example =
                "{ proto: tcp, dport: 443, state: new, connlimit: { per: [src], mask: 32, above: "
                "64 }, action: reject, reject_with: tcp-reset }",
            .iptables = "-m connlimit --connlimit-above --connlimit-mask",
            .nft = "ct count over",
        },
    .remembers = true,
};

}  // namespace rampart
