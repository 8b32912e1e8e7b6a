// `delete_from`: takes something of the packet out of a dynamic set.

#include "rules/sets/set_key_value.h"
#include "rules/statements/registry.h"

namespace rampart {

namespace {

Arguments parse(const Value& value, ParseContext& context) {
    auto key = parse_set_key(value, SetKeyOptions::Change, context);
    if (!key) return {};
    return Arguments::make(std::move(*key));
}

void execute(const Arguments& arguments, RuleInput& input) noexcept {
    if (input.is_rehearsal) return;
    const SetKeyValue& key = arguments.as<SetKeyValue>();
    SetElement element;
    if (!key.use.element_of(input, element)) return;
    key.use.handle->set->remove_from_packet(element);
}

std::string print(const Arguments& arguments, const Names&) {
    return arguments.as<SetKeyValue>().text;
}

}  // namespace

const StatementType kStatementDeleteFrom = {
    .key = "delete_from",
    .hooks = kFilterHooks,
    .parse = parse,
    .execute = execute,
    .print = print,
    .help =
        {
            .summary = "Takes something of the packet out of a dynamic set.",
            .values = "{ set, key }, or a set",
            .example = "{ delete_from: { set: scanners, key: src }, action: accept }",
            .iptables = "-j SET --del-set scanners src",
            .nft = "delete @scanners",
        },
};

}  // namespace rampart
