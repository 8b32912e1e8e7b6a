// `proto`: the IP protocol, after IPv6 extension headers.

#include <bitset>

#include "rules/classifier/projection.h"
#include "rules/matches/registry.h"
#include "rules/protocols.h"
#include "rules/words.h"

namespace rampart {

namespace {

struct Protocols {
    std::bitset<256> set;
    std::vector<std::string> written;
};

std::string hint_of(const std::string& word) {
    if (word == "any" || word == "all" || word == "ip")
        return "leave the key out to match anything";
    if (word == "icmp6" || word == "ipv6-icmp") return "did you mean 'icmpv6'?";
    if (word.find(',') != std::string::npos) return "write a list: [tcp, udp]";
    return did_you_mean(word, protocol_names());
}

Arguments parse(const Value& value, ParseContext& context) {
    Protocols protocols;
    bool good = true;
    for (const Value* item : scalars_of(value, "a protocol", context)) {
        if (const auto number = parse_protocol(item->text())) {
            protocols.set.set(*number);
            protocols.written.push_back(print_protocol(*number));
            continue;
        }
        good = false;
        context.diagnostics.error("E007", item->location(),
                                  "unknown protocol " + quoted(item->text()),
                                  hint_of(item->text()));
    }
    if (!good || protocols.written.empty()) return {};
    return Arguments::make(std::move(protocols));
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<Protocols>().set[input.tuple.protocol];
}

std::string print(const Arguments& arguments, const Names&) {
    return print_words(arguments.as<Protocols>().written);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    const std::bitset<256>& set = arguments.as<Protocols>().set;
    projection.protocols &= negated ? ~set : set;
}

}  // namespace

const MatchType kMatchProto = {
    .key = "proto",
    .dependence = Dependence::Flow,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .project = project,
    .help =
        {
            .summary = "The IP protocol, after any IPv6 extension headers.",
            .values =
                "a name (tcp, udp, icmp, icmpv6, sctp, gre, esp ...), a number 0-255, or a list",
            .example = "{ proto: [tcp, udp], dport: 53, action: accept }",
            .iptables = "-p",
            .nft = "meta l4proto",
        },
};

}  // namespace rampart
