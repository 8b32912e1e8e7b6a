#include "rules/classifier/projection.h"

#include "rules/ruleset.h"
#include "rules/sets/set_use.h"

namespace rampart {
namespace {

// Values that are looked up in a named set change while the rules do not: they leave everything.
template <typename Type>
bool looks_into_sets([[maybe_unused]] const Type& type,
                     [[maybe_unused]] const Arguments& arguments) {
    if constexpr (requires { type.sets; }) {
        if (type.sets == nullptr) return false;
        const auto* uses = type.sets(arguments);
        return uses != nullptr && !uses->is_empty();
    } else {
        return false;
    }
}

}  // namespace

Projection project(const Rule& rule) {
    Projection projection;
    for (const Match& match : rule.matches) {
        if (match.type->project == nullptr || match.type->dependence != Dependence::Flow) continue;
        if (looks_into_sets(*match.type, match.arguments)) continue;
        match.type->project(match.arguments, match.negated, projection);
    }
    return projection;
}

}  // namespace rampart
