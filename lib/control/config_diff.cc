#include "control/config_diff.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "base/scalar.h"
#include "config/schema.h"
#include "conntrack/settings.h"
#include "rules/chain_name.h"

namespace rampart {
namespace {

using Kind = Difference::Kind;

constexpr size_t kMaxText = 160;

std::string shortened(std::string text) {
    if (text.size() <= kMaxText) return text;
    return text.substr(0, kMaxText - 3) + "...";
}

// In flow style, on one line.
std::string flow_text(const Value& value) {
    std::string text;
    switch (value.kind()) {
        case Value::Kind::Null:
            return "";
        case Value::Kind::Scalar:
            return value.text();
        case Value::Kind::List:
            for (const Value& item : value.items())
                text += (text.empty() ? "" : ", ") + flow_text(item);
            return "[" + text + "]";
        case Value::Kind::Map:
            for (const Value::Entry& entry : value.entries())
                text +=
                    (text.empty() ? "" : ", ") + entry.key.text() + ": " + flow_text(entry.value);
            return "{" + text + "}";
    }
    return text;
}

// The section of the schema that the keys of `path` are in: names of interfaces and the like are
// "*".
std::string section_of(const std::string& path) {
    constexpr std::string_view kNamed[] = {"interfaces."};
    for (const std::string_view prefix : kNamed)
        if (path.starts_with(prefix) && path.find('.', prefix.size()) == path.npos)
            return std::string(prefix) + "*";
    return path;
}

// What an absent key means, as the reference tells it.
std::string default_of(const std::string& parent, const std::string& key) {
    if (parent == "conntrack.timeouts")
        for (const TimeoutInfo& timeout : kTimeouts)
            if (timeout.name == key) return format_duration(timeout.default_s);
    const SchemaKey* schema = find_schema_key(section_of(parent), key);
    return schema != nullptr ? std::string(schema->default_text) : std::string();
}

// As report_fixed_settings() has it.
bool needs_restart(const std::string& path) {
    constexpr std::string_view kWhole[] = {"cores", "memory", "control", "monitoring", "eal"};
    const std::string top = path.substr(0, path.find('.'));
    if (std::find(std::begin(kWhole), std::end(kWhole), top) != std::end(kWhole)) return true;
    if (top == "interfaces") {
        const size_t key = path.find('.', top.size() + 1);
        if (key == path.npos) return true;  // a whole interface
        constexpr std::string_view kDevice[] = {".device", ".queues", ".mtu",
                                                ".kernel", ".parent", ".vlan"};
        return std::find(std::begin(kDevice), std::end(kDevice), path.substr(key)) !=
               std::end(kDevice);
    }
    return path == "conntrack.max" || path == "conntrack.index" || path == "conntrack.counters" ||
           path == "conntrack.ipv6";
}

class SettingsComparison {
  public:
    std::vector<Difference> run(const Value& before, const Value& after) {
        compare_maps(before, after, "");
        return std::move(found_);
    }

  private:
    static std::string joined(const std::string& parent, const std::string& key) {
        return parent.empty() ? key : parent + "." + key;
    }

    void add(const std::string& parent, const std::string& key, const Value* before,
             const Value* after) {
        Difference difference;
        difference.path = joined(parent, key);
        const std::string usual = default_of(parent, key);
        difference.before = before != nullptr ? flow_text(*before) : usual;
        difference.after = after != nullptr ? flow_text(*after) : usual;
        if (difference.before == difference.after) return;
        difference.kind = difference.before.empty()  ? Kind::Added
                          : difference.after.empty() ? Kind::Removed
                                                     : Kind::Changed;
        difference.needs_restart = needs_restart(difference.path);
        found_.push_back(std::move(difference));
    }

    void compare_values(const std::string& parent, const std::string& key, const Value* before,
                        const Value* after) {
        static const Value kNone = Value::map({}, {});
        const std::string path = joined(parent, key);
        const auto is_map = [](const Value* value) { return value == nullptr || value->is_map(); };
        // A new or removed interface is one difference, a section is that of its keys.
        const bool is_named = parent == "interfaces";
        const bool has_both = before != nullptr && after != nullptr;
        if (is_map(before) && is_map(after) && (has_both || !is_named))
            compare_maps(before != nullptr ? *before : kNone, after != nullptr ? *after : kNone,
                         path);
        else
            add(parent, key, before, after);
    }

    void compare_maps(const Value& before, const Value& after, const std::string& path) {
        const auto is_skipped = [&](const std::string& key) {
            return path.empty() &&
                   (key == "chains" || key == "nat" || key == "include" || key == "version");
        };
        for (const Value::Entry& entry : after.entries())
            if (const std::string& key = entry.key.text(); !is_skipped(key))
                compare_values(path, key, before.find(key), &entry.value);
        for (const Value::Entry& entry : before.entries())
            if (const std::string& key = entry.key.text();
                !is_skipped(key) && after.find(key) == nullptr)
                compare_values(path, key, &entry.value, nullptr);
    }

    std::vector<Difference> found_;
};

std::string policy_text(const Chain* chain) {
    if (chain == nullptr || chain->policy == Policy::None) return "";
    return chain->policy == Policy::Accept ? "accept" : "drop";
}

std::string rule_text(const Rule& rule) {
    return rule.comment.empty() ? rule.text : fmt::format("{} # {}", rule.text, rule.comment);
}

// Positions that stay when the others are moved: the longest rising run of `places`.
std::vector<bool> longest_rising(const std::vector<size_t>& places) {
    std::vector<size_t> ends, from(places.size(), SIZE_MAX);
    for (size_t i = 0; i < places.size(); ++i) {
        const auto at =
            std::lower_bound(ends.begin(), ends.end(), places[i],
                             [&](size_t end, size_t place) { return places[end] < place; });
        if (at != ends.begin()) from[i] = *(at - 1);
        if (at == ends.end())
            ends.push_back(i);
        else
            *at = i;
    }
    std::vector<bool> stays(places.size());
    for (size_t i = ends.empty() ? SIZE_MAX : ends.back(); i != SIZE_MAX; i = from[i])
        stays[i] = true;
    return stays;
}

class ChainComparison {
  public:
    explicit ChainComparison(std::vector<Difference>& found) : found_(found) {}

    void run(const Ruleset& before, const Ruleset& after) {
        std::map<std::string, const Chain*> old;
        for (const Chain& chain : before.chains)
            old[chain.name] = &chain;
        for (const Chain& chain : after.chains) {
            const auto found = old.find(chain.name);
            compare(chain.name, found != old.end() ? found->second : nullptr, &chain);
            if (found != old.end()) old.erase(found);
        }
        for (const auto& [name, chain] : old)
            compare(name, chain, nullptr);
    }

  private:
    void compare(const std::string& name, const Chain* before, const Chain* after) {
        static const RuleList kNone;
        // The chains of `nat` have the section in their names.
        path_ = (mask_of(hook_of_chain(name)) & kNatHooks) != 0 ? name : "chains." + name;
        if (before == nullptr) add(Kind::Added, "", "", "a chain");
        if (after == nullptr) add(Kind::Removed, "", "a chain", "");
        if (before != nullptr && after != nullptr && policy_text(before) != policy_text(after))
            found_.push_back({Kind::Changed, path_ + ".policy", "", policy_text(before),
                              policy_text(after), false});
        compare_rules(before != nullptr ? before->rules : kNone,
                      after != nullptr ? after->rules : kNone);
    }

    void compare_rules(const RuleList& before, const RuleList& after) {
        std::unordered_map<std::string, size_t> old;
        for (size_t i = 0; i < before.size(); ++i)
            old.emplace(before[i].id, i);
        std::vector<size_t> places,
            kept;  // of rules that both have: where they were, where they are
        for (size_t i = 0; i < after.size(); ++i) {
            const auto found = old.find(after[i].id);
            if (found == old.end()) continue;
            places.push_back(found->second);
            kept.push_back(i);
        }
        const std::vector<bool> stays = longest_rising(places);
        size_t next_kept = 0;
        for (size_t i = 0; i < after.size(); ++i) {
            const Rule& rule = after[i];
            if (next_kept == kept.size() || kept[next_kept] != i) {
                add(Kind::Added, rule.id, "", fmt::format("at {}: {}", i + 1, rule_text(rule)));
                continue;
            }
            const size_t place = places[next_kept];
            if (rule_text(before[place]) != rule_text(rule))
                add(Kind::Changed, rule.id, rule_text(before[place]), rule_text(rule));
            if (!stays[next_kept])
                add(Kind::Moved, rule.id, fmt::format("at {}", place + 1),
                    fmt::format("at {}", i + 1));
            old.erase(rule.id);
            ++next_kept;
        }
        for (size_t i = 0; i < before.size(); ++i) {
            const auto left = old.find(before[i].id);
            if (left != old.end() && left->second == i)
                add(Kind::Removed, before[i].id, rule_text(before[i]), "");
        }
    }

    void add(Kind kind, const std::string& rule, std::string before, std::string after) {
        found_.push_back({kind, path_, rule, std::move(before), std::move(after), false});
    }

    std::vector<Difference>& found_;
    std::string path_;
};

std::string_view to_string(Kind kind) noexcept {
    switch (kind) {
        case Kind::Added:
            return "added";
        case Kind::Removed:
            return "removed";
        case Kind::Changed:
            return "changed";
        case Kind::Moved:
            break;
    }
    return "moved";
}

}  // namespace

std::vector<Difference> compare(const Configuration& before, const Configuration& after) {
    std::vector<Difference> found = SettingsComparison().run(before.document, after.document);
    ChainComparison(found).run(before.snapshot->ruleset, after.snapshot->ruleset);
    return found;
}

std::string to_text(const std::vector<Difference>& differences) {
    constexpr char kSigns[] = {'+', '-', '~', '>'};
    std::string text;
    for (const Difference& difference : differences) {
        text += fmt::format("{:<8} {} {}", difference.needs_restart ? "restart" : "live",
                            kSigns[static_cast<size_t>(difference.kind)], difference.path);
        if (!difference.rule.empty()) text += fmt::format(" rule {}", difference.rule);
        const std::string before = shortened(difference.before),
                          after = shortened(difference.after);
        if (!before.empty() && !after.empty())
            text += fmt::format(": {} -> {}\n", before, after);
        else
            text += fmt::format(": {}\n", before.empty() ? after : before);
    }
    return text;
}

Json to_json(const std::vector<Difference>& differences) {
    Json list = Json::array();
    for (const Difference& difference : differences) {
        Json json{{"change", to_string(difference.kind)},
                  {"path", difference.path},
                  {"effect", difference.needs_restart ? "restart" : "live"}};
        if (!difference.rule.empty()) json["rule"] = difference.rule;
        if (!difference.before.empty()) json["before"] = difference.before;
        if (!difference.after.empty()) json["after"] = difference.after;
        list.push_back(std::move(json));
    }
    return list;
}

}  // namespace rampart
