// `tcp_flags`: which of a TCP segment's flags are set, "set/examined".

#include <fmt/format.h>

#include "rules/matches/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

struct TcpFlags {
    uint8_t set = 0;
    uint8_t examined = 0;
};

struct FlagName {
    std::string_view name;
    uint8_t bits;
};
constexpr FlagName kFlags[] = {
    {"fin", tcp_flag::kFin}, {"syn", tcp_flag::kSyn}, {"rst", tcp_flag::kRst},
    {"psh", tcp_flag::kPsh}, {"ack", tcp_flag::kAck}, {"urg", tcp_flag::kUrg},
    {"ece", tcp_flag::kEce}, {"cwr", tcp_flag::kCwr},
};
constexpr uint8_t kAll = 0x3f;  // iptables' ALL: without ECE and CWR
// `syn` alone is iptables' --syn.
constexpr TcpFlags kSyn{tcp_flag::kSyn,
                        tcp_flag::kSyn | tcp_flag::kAck | tcp_flag::kFin | tcp_flag::kRst};

// "syn,ack", "none" or "all"; nothing for an unknown word, which is stored.
std::optional<uint8_t> parse_flags(std::string_view text, std::string& unknown) {
    if (text == "none") return uint8_t{0};
    if (text == "all") return kAll;
    unsigned bits = 0;
    for (size_t at = 0; at <= text.size();) {
        const size_t end = std::min(text.find(',', at), text.size());
        const std::string_view word = text.substr(at, end - at);
        const FlagName* found = nullptr;
        for (const FlagName& flag : kFlags)
            if (flag.name == word) found = &flag;
        if (found == nullptr) {
            unknown = word;
            return std::nullopt;
        }
        bits |= found->bits;
        at = end + 1;
    }
    return static_cast<uint8_t>(bits);
}

std::string print_flags(uint8_t bits) {
    if (bits == 0) return "none";
    std::string text;
    for (const FlagName& flag : kFlags) {
        if ((bits & flag.bits) == 0) continue;
        if (!text.empty()) text += ',';
        text += flag.name;
    }
    return text;
}

bool check_protocol(ParseContext& context) {
    const RuleScope& scope = context.scope;
    if (scope.protocol != nullptr && scope.protocols.empty()) return true;  // reported
    if (scope.protocols.size() == 1 && scope.protocols[0] == ip_protocol::kTcp) return true;
    context.diagnostics.error("E015", context.key_location,
                              "'tcp_flags' needs 'proto: tcp' in the same rule");
    return false;
}

Arguments report(const Value& value, const std::string& unknown, ParseContext& context) {
    std::vector<std::string_view> names = {"none", "all"};
    for (const FlagName& flag : kFlags)
        names.push_back(flag.name);
    std::string hint = unknown.empty() ? std::string() : did_you_mean(unknown, names);
    if (hint.empty()) hint = "write \"syn/syn,ack,fin,rst\": set / examined; or syn alone";
    const std::string message =
        unknown.empty()
            ? fmt::format("{} does not say which flags are set among which", quoted(value.text()))
            : fmt::format("unknown TCP flag {}", quoted(unknown));
    context.diagnostics.error("E007", value.location(), message, std::move(hint));
    return {};
}

Arguments parse(const Value& value, ParseContext& context) {
    if (!check_protocol(context)) return {};
    if (!value.is_scalar()) {
        context.diagnostics.error("E005", value.location(),
                                  fmt::format("expected TCP flags, found {}", value.kind_name()),
                                  "write \"syn/syn,ack,fin,rst\": set / examined");
        return {};
    }
    const std::string_view text = value.text();
    if (text == "syn") return Arguments::make(kSyn);
    std::string unknown;
    const size_t slash = text.find('/');
    const auto set = parse_flags(text.substr(0, slash), unknown);
    if (!set) return report(value, unknown, context);
    if (slash == text.npos) return report(value, "", context);
    const auto examined = parse_flags(text.substr(slash + 1), unknown);
    if (!examined) return report(value, unknown, context);
    if ((*set & ~*examined) != 0) return report(value, "", context);
    return Arguments::make(TcpFlags{*set, *examined});
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const TcpFlags& flags = arguments.as<TcpFlags>();
    return input.packet.protocol == ip_protocol::kTcp && !input.packet.is_icmp_error &&
           (input.packet.tcp_flags & flags.examined) == flags.set;
}

std::string print(const Arguments& arguments, const Names&) {
    const TcpFlags& flags = arguments.as<TcpFlags>();
    if (flags.set == kSyn.set && flags.examined == kSyn.examined) return "syn";
    return print_word(print_flags(flags.set) + "/" + print_flags(flags.examined));
}

}  // namespace

const MatchType kMatchTcpFlags = {
    .key = "tcp_flags",
    .dependence = Dependence::Packet,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary = "The TCP flags that are set among those examined; needs proto: tcp.",
            .values = "\"set/examined\" of fin syn rst psh ack urg ece cwr, none or all; syn alone "
                      "is \"syn/syn,ack,fin,rst\"",
            .example = "{ proto: tcp, tcp_flags: \"syn/syn,rst\", action: accept }",
            .iptables = "--tcp-flags EXAMINED SET, --syn",
            .nft = "tcp flags",
        },
};

}  // namespace rampart
