// `set_mark`: notes something about the packet for the rules after it.

#include "rules/masked_mark.h"
#include "rules/statements/registry.h"

namespace rampart {

namespace {

constexpr std::string_view kSource = "ct_mark";

Arguments parse(const Value& value, ParseContext& context) {
    return parse_mark_setting(value, kSource, context);
}

void execute(const Arguments& arguments, RuleInput& input) noexcept {
    const uint32_t ct_mark = input.flow != nullptr ? input.flow->mark.load() : 0;
    input.packet.mark = arguments.as<MarkSetting>().applied_to(input.packet.mark, ct_mark);
}

std::string print(const Arguments& arguments, const Names&) {
    return print_mark_setting(arguments, kSource);
}

}  // namespace

const StatementType kStatementSetMark = {
    .key = "set_mark",
    .hooks = kAllHooks,
    .parse = parse,
    .execute = execute,
    .print = print,
    .help =
        {
            .summary = "Sets the mark of the packet, or those bits of it that a mask covers; "
                       "ct_mark copies that of the flow.",
            .values = "a number such as 0x10, with a mask 0x10/0xff, or ct_mark",
            .example = "{ in: lan, set_mark: 0x10 }",
            .iptables = "-j MARK --set-mark, -j CONNMARK --restore-mark",
            .nft = "meta mark set",
        },
};

}  // namespace rampart
