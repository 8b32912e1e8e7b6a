#include "config/rule_key.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/foreign_words.h"
#include "config/schema.h"

namespace rampart {

void report_unknown_rule_key(const Value& key, Diagnostics& diagnostics) {
    const std::string_view own = own_rule_key(key.text());
    std::string hint = own.empty() ? std::string() : fmt::format("did you mean '{}'?", own);
    if (hint.empty()) {
        std::vector<std::string_view> known = schema_names("rule");
        for (const MatchType* type : match_types())
            known.push_back(type->key);
        for (const StatementType* type : statement_types())
            known.push_back(type->key);
        for (const TargetType* type : target_types()) {
            if (type->own_key) known.push_back(type->name);
            known.insert(known.end(), type->options.begin(), type->options.end());
        }
        hint = did_you_mean(key.text(), known);
    }
    if (hint.empty() && find_action(key.text()) != nullptr) {
        hint = fmt::format("write  action: {}", key.text());
    }
    diagnostics.error("E002", key.location(),
                      fmt::format("unknown key {} in a rule", quoted(key.text())), std::move(hint));
}

void check_place(std::string_view key, HookMask hooks, const RulePlace& place, const Location& at,
                 Diagnostics& diagnostics) {
    if (place.hooks == 0) return;  // nothing leads to the chain
    const auto here = [&](HookMask table) { return static_cast<HookMask>(place.hooks & table); };
    const bool filters = here(kFilterHooks) == 0 || (hooks & here(kFilterHooks)) != 0;
    const bool translates = (here(kNatHooks) & ~hooks) == 0;
    if (filters && translates) return;
    std::string usable;
    for (const Hook hook : kHooks) {
        if ((hooks & mask_of(hook)) == 0) continue;
        if (!usable.empty()) usable += " or ";
        usable += to_string(hook);
    }
    const bool is_translation = (hooks & kFilterHooks) == 0;
    const bool is_shared = here(kFilterHooks) != 0 && here(kNatHooks) != 0;
    diagnostics.error(is_translation ? "E023" : "E016", at,
                      fmt::format("'{}' cannot {} in chain '{}'", key,
                                  is_translation ? "stand" : "match", place.chain),
                      is_shared ? "this chain is reached from 'nat' and from 'chains'; make it two"
                                : "use it in " + usable);
}

}  // namespace rampart
