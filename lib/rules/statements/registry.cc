#include "rules/statements/registry.h"

namespace rampart {

namespace {

// The order in which a rule's statements are printed and carried out.
constexpr const StatementType* kStatementTypes[] = {
    &kStatementCounter, &kStatementLog,        &kStatementSetMark, &kStatementSetCtMark,
    &kStatementSetDscp, &kStatementTcpMss,     &kStatementTimeout, &kStatementHelper,
    &kStatementAddTo,   &kStatementDeleteFrom,
};

}  // namespace

std::span<const StatementType* const> statement_types() noexcept {
    return kStatementTypes;
}

const StatementType* find_statement_type(std::string_view key) noexcept {
    for (const StatementType* type : kStatementTypes)
        if (type->key == key) return type;
    return nullptr;
}

}  // namespace rampart
