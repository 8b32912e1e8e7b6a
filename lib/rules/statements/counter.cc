// `counter`: a named counter, which several rules may share.

#include <algorithm>

#include "rules/names.h"
#include "rules/statements/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

bool is_name(std::string_view text) {
    constexpr size_t kMaxLength = 31;
    return !text.empty() && text.size() <= kMaxLength &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
           });
}

Arguments parse(const Value& value, ParseContext& context) {
    if (value.is_scalar() && is_name(value.text())) return Arguments::make(value.text());
    context.diagnostics.error("E005", value.location(), "'counter' takes the name of a counter",
                              "names have up to 31 letters, digits, '_', '-' or '.'");
    return {};
}

std::string print(const Arguments& arguments, const Names&) {
    return print_word(arguments.as<std::string>());
}

}  // namespace

const StatementType kStatementCounter = {
    .key = "counter",
    .hooks = kAllHooks,
    .parse = parse,
    .execute = nullptr,
    .print = print,
    .help =
        {
            .summary = "Counts the packet in a counter of this name as well; all rules that name "
                       "it share it.",
            .values = "a name",
            .example = "{ proto: udp, dport: 53, counter: dns }",
            .iptables = "-m nfacct --nfacct-name",
            .nft = "counter name",
        },
};

}  // namespace rampart
