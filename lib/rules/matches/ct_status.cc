// `ct_status`: what happened to the packet's flow so far, as netfilter's status bits.

#include "rules/matches/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

constexpr uint16_t kBits[] = {flow_status::kExpected, flow_status::kSeenReply,
                              flow_status::kAssured, flow_status::kSrcNat, flow_status::kDstNat};

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> kNames = {"expected", "seen_reply", "assured",
                                                         "snat", "dnat"};
    return kNames;
}

struct StatusBits {
    uint16_t any = 0;    // one of these is enough
    uint32_t words = 0;  // by position in names()
};

Arguments parse(const Value& value, ParseContext& context) {
    StatusBits status{.words = parse_word_set(value, "status", names(), context)};
    if (status.words == 0) return {};
    for (size_t i = 0; i < std::size(kBits); ++i)
        if (status.words >> i & 1) status.any = static_cast<uint16_t>(status.any | kBits[i]);
    return Arguments::make(status);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return input.flow != nullptr && (input.status & arguments.as<StatusBits>().any) != 0;
}

std::string print(const Arguments& arguments, const Names&) {
    return print_word_set(arguments.as<StatusBits>().words, names());
}

}  // namespace

const MatchType kMatchCtStatus = {
    .key = "ct_status",
    .dependence = Dependence::Flow,  // a changed status takes the cached verdicts back
    .hooks = static_cast<HookMask>(Hook::Input) | static_cast<HookMask>(Hook::Forward) |
             static_cast<HookMask>(Hook::Output) | kNatHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary = "What happened to the flow so far; of a list, one is enough.",
            .values = "expected, seen_reply, assured, snat, dnat, or a list",
            .example = "{ ct_status: assured, action: accept }",
            .iptables = "-m conntrack --ctstatus",
            .nft = "ct status",
        },
    .looks_at_status = true,
};

}  // namespace rampart
