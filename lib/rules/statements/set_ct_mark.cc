// `set_ct_mark`: notes something about the flow for the rules of its later packets.

#include "rules/masked_mark.h"
#include "rules/statements/registry.h"

namespace rampart {

namespace {

constexpr std::string_view kSource = "mark";

Arguments parse(const Value& value, ParseContext& context) {
    return parse_mark_setting(value, kSource, context);
}

void execute(const Arguments& arguments, RuleInput& input) noexcept {
    if (input.flow == nullptr) return;
    const MarkSetting& setting = arguments.as<MarkSetting>();
    if (setting.copies) input.must_walk = true;
    const uint32_t old = input.flow->mark.load();
    const uint32_t mark = setting.applied_to(old, input.packet.mark);
    if (mark == old) return;
    input.flow->mark.store(mark);
    input.flow_changed = true;
}

std::string print(const Arguments& arguments, const Names&) {
    return print_mark_setting(arguments, kSource);
}

}  // namespace

const StatementType kStatementSetCtMark = {
    .key = "set_ct_mark",
    .hooks = static_cast<HookMask>(Hook::Input) | static_cast<HookMask>(Hook::Forward) |
             static_cast<HookMask>(Hook::Output) | kNatHooks,
    .parse = parse,
    .execute = execute,
    .print = print,
    .changes_flows = true,
    .help =
        {
            .summary = "Sets the mark of the flow, or those bits of it that a mask covers; mark "
                       "copies that of the packet.",
            .values = "a number such as 0x10, with a mask 0x10/0xff, or mark",
            .example = "{ state: new, in: lan, set_ct_mark: 0x10/0xff }",
            .iptables = "-j CONNMARK --set-mark, --save-mark",
            .nft = "ct mark set",
        },
};

}  // namespace rampart
