// `ct_dir`: the side of its connection that the packet came from.

#include "rules/classifier/projection.h"
#include "rules/matches/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

using DirectionMask = uint8_t;  // bit n: the Direction n

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> kNames = {"original", "reply"};
    return kNames;
}

Arguments parse(const Value& value, ParseContext& context) {
    const auto mask =
        static_cast<DirectionMask>(parse_word_set(value, "direction", names(), context));
    return mask == 0 ? Arguments() : Arguments::make(mask);
}

// A packet that belongs to no connection has no direction (netfilter: ct is null, no match).
bool holds(DirectionMask mask, CtClass ct_class, Direction direction) noexcept {
    if (ct_class == CtClass::Invalid || ct_class == CtClass::Untracked) return false;
    return mask >> static_cast<unsigned>(direction) & 1;
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return holds(arguments.as<DirectionMask>(), input.ct_class, input.direction);
}

void project(const Arguments& arguments, bool negated, Projection& projection) {
    for (unsigned c = 0; c < kCtClassCount; ++c) {
        for (const Direction direction : {Direction::Original, Direction::Reply}) {
            const auto ct_class = static_cast<CtClass>(c);
            if (holds(arguments.as<DirectionMask>(), ct_class, direction) == negated)
                projection.ct.reset(ct_state(ct_class, direction));
        }
    }
}

std::string print(const Arguments& arguments, const Names&) {
    return print_word_set(arguments.as<DirectionMask>(), names());
}

}  // namespace

const MatchType kMatchCtDir = {
    .key = "ct_dir",
    .dependence = Dependence::Flow,
    .hooks = static_cast<HookMask>(Hook::Input) | static_cast<HookMask>(Hook::Forward) |
             static_cast<HookMask>(Hook::Output) | kNatHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .project = project,
    .help =
        {
            .summary = "The direction within the connection; original is that of its first packet.",
            .values = "original, reply, or a list",
            .example = "{ state: established, ct_dir: reply, action: accept }",
            .iptables = "-m conntrack --ctdir",
            .nft = "ct direction",
        },
    .is_of_state = true,
};

}  // namespace rampart
