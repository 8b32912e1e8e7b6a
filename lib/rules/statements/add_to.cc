// `add_to`: puts something of the packet into a dynamic set.

#include "rules/sets/set_key_value.h"
#include "rules/statements/registry.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    auto key = parse_set_key(value, SetKeyOptions::ChangeWithTimeout, context);
    if (!key) return {};
    return Arguments::make(std::move(*key));
}

void execute(const Arguments& arguments, RuleInput& input) noexcept {
    if (input.is_rehearsal) return;
    const SetKeyValue& key = arguments.as<SetKeyValue>();
    SetElement element;
    if (!key.use.element_of(input, element)) return;
    key.use.handle->set->add_from_packet(element, key.timeout_s, input.now.tick);
}

std::string print(const Arguments& arguments, const Names&) {
    return arguments.as<SetKeyValue>().text;
}

}  // namespace

const StatementType kStatementAddTo = {
    .key = "add_to",
    .hooks = kFilterHooks,
    .parse = parse,
    .execute = execute,
    .print = print,
    .help =
        {
            .summary =
                "Puts something of the packet into a dynamic set, or starts its timeout anew.",
            .values = "{ set, key, timeout }, or a set",
            .example = "{ add_to: { set: scanners, key: src }, action: drop }",
            .iptables = "-j SET --add-set scanners src --exist",
            .nft = "add @scanners",
        },
};

}  // namespace rampart
