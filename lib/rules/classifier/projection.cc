#include "rules/classifier/projection.h"

#include "rules/ruleset.h"
#include "rules/sets/set_use.h"

namespace rampart {
namespace {

// Values that are looked up in a named set change while the rules do not: they leave everything.
template <typename Type>
bool looks_into_sets([[maybe_unused]] const Type& type,
                     [[maybe_unused]] const Arguments& arguments) noexcept {
    if constexpr (requires { type.sets; }) {
        if (type.sets == nullptr) return false;
        const auto* uses = type.sets(arguments);
        return uses != nullptr && !uses->is_empty();
    } else {
        return false;
    }
}

}  // namespace

bool looks_at_key_only(const Match& match) noexcept {
    return match.type->project != nullptr && match.type->dependence == Dependence::Flow &&
           !looks_into_sets(*match.type, match.arguments);
}

Projection project(const Rule& rule) {
    Projection projection;
    for (const Match& match : rule.matches) {
        projection.is_by_state = projection.is_by_state && match.type->is_of_state;
        if (!looks_at_key_only(match)) continue;
        match.type->project(match.arguments, match.negated, projection);
    }
    return projection;
}

}  // namespace rampart
