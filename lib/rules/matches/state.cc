// `state`: the packet's class to connection tracking.

#include <iterator>

#include "rules/classifier/projection.h"
#include "rules/matches/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

using StateMask = uint8_t;  // bit n: the CtClass n

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> kNames(std::begin(kCtClassNames),
                                                      std::end(kCtClassNames));
    return kNames;
}

Arguments parse(const Value& value, ParseContext& context) {
    const auto mask = static_cast<StateMask>(parse_word_set(value, "state", names(), context));
    return mask == 0 ? Arguments() : Arguments::make(mask);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<StateMask>() >> static_cast<unsigned>(input.ct_class) & 1;
}

std::string print(const Arguments& arguments, const Names&) {
    return print_word_set(arguments.as<StateMask>(), names());
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    for (unsigned i = 0; i < kCtStateCount; ++i) {
        const bool is_named = arguments.as<StateMask>() >> i / 2 & 1;
        if (is_named == negated) projection.ct.reset(i);
    }
}

}  // namespace

const MatchType kMatchState = {
    .key = "state",
    .dependence = Dependence::Flow,
    // The raw hook stands before connection tracking.
    .hooks = static_cast<HookMask>(Hook::Input) | static_cast<HookMask>(Hook::Forward) |
             static_cast<HookMask>(Hook::Output) | kNatHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .project = project,
    .help =
        {
            .summary = "What connection tracking makes of the packet.",
            .values = "new, established, related, invalid, untracked, or a list",
            .example = "{ state: [established, related], action: accept }",
            .iptables = "-m state --state, -m conntrack --ctstate",
            .nft = "ct state",
        },
    .is_of_state = true,
};

}  // namespace rampart
