// `ct_helper`: the helper of the flow's master, or of the flow itself.

#include "conntrack/helper_names.h"
#include "rules/matches/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

// Bit n stands for number n + 1.
using HelperMask = uint8_t;

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> kNames(std::begin(kHelperNames) + 1,
                                                      std::end(kHelperNames));
    return kNames;
}

Arguments parse(const Value& value, ParseContext& context) {
    const auto mask = static_cast<HelperMask>(parse_word_set(value, "helper", names(), context));
    return mask == 0 ? Arguments() : Arguments::make(mask);
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return input.helper != helper_number::kNone &&
           (arguments.as<HelperMask>() >> (input.helper - 1) & 1) != 0;
}

std::string print(const Arguments& arguments, const Names&) {
    return print_word_set(arguments.as<HelperMask>(), names());
}

}  // namespace

const MatchType kMatchCtHelper = {
    .key = "ct_helper",
    .dependence = Dependence::Packet,  // a helper may let go of its flow
    .hooks = mask_of(Hook::Input) | mask_of(Hook::Forward) | mask_of(Hook::Output) | kNatHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary = "The helper that expected this flow or, of a flow that nobody expected, "
                       "its own.",
            .values = "ftp, tftp, irc, sip, pptp, or a list",
            .example = "{ state: related, ct_helper: ftp, proto: tcp, action: accept }",
            .iptables = "-m helper --helper",
            .nft = "ct helper",
        },
};

}  // namespace rampart
