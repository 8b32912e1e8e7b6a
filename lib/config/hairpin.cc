#include "config/hairpin.h"

#include <algorithm>

namespace rampart {

namespace {

// The same rule with `not: { in: X }` for `in: X`, and `dst_iface: X` where no `dst` says to which
// of the addresses.
Value turned(const Value& rule) {
    const Value::Entry& in = *rule.find_entry("in");
    const Location& at = in.key.location();
    std::vector<Value::Entry> entries;
    std::vector<Value::Entry> negated{in};
    for (const Value::Entry& entry : rule.entries()) {
        const std::string& key = entry.key.text();
        if (key == "in" || key == "id") continue;
        if (key == "not")
            negated.insert(negated.end(), entry.value.entries().begin(),
                           entry.value.entries().end());
        else
            entries.push_back(entry);
    }
    if (rule.find("dst") == nullptr)
        entries.push_back({Value::scalar("dst_iface", false, at), in.value});
    entries.push_back({Value::scalar("not", false, at), Value::map(std::move(negated), at)});
    return Value::map(std::move(entries), at);
}

}  // namespace

std::optional<Rule> build_hairpin_rule(const Value& value, const Rule& rule, const RulePlace& place,
                                       const Names& names) {
    const NatAction* action = rule.decision.nat.get();
    if (action == nullptr || !action->is_hairpin || value.find("in") == nullptr)
        return std::nullopt;
    Diagnostics said_before;  // about the rule itself
    BuiltRule built = build_rule(turned(value), place, names, said_before);
    if (!built.is_good) return std::nullopt;
    built.rule.place = rule.place;
    built.rule.is_implicit = true;
    return std::move(built.rule);
}

std::string hairpin_rule_id(const std::string& id) {
    return id + ".hairpin";
}

}  // namespace rampart
