#include "config/build_rule.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"
#include "config/foreign_words.h"
#include "config/rule_key.h"
#include "config/schema.h"
#include "config/section.h"
#include "rules/log_statement.h"
#include "rules/protocols.h"
#include "rules/words.h"

namespace rampart {

namespace {

constexpr std::string_view kActionsNotBuilt[] = {"synproxy"};
constexpr size_t kMaxIdLength = 63;
constexpr size_t kMaxCommentLength = 255;

constexpr FamilyMask families_of(Family family) noexcept {
    if (family == Family::None) return kBothFamilies;
    return family == Family::Ipv4 ? kIpv4Only : kIpv6Only;
}

std::string lower_case(std::string word) {
    for (char& c : word)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return word;
}

class RuleBuilder {
  public:
    RuleBuilder(const Value& value, const RulePlace& place, const Names& names,
                Diagnostics& diagnostics)
        : value_(value),
          place_(place),
          names_(names),
          diagnostics_(diagnostics),
          context_{diagnostics, names, scope_} {}

    BuiltRule build();

  private:
    struct Place {
        std::string_view key;
        Location at;
    };

    void read_scope();
    void check_keys();
    void read_matches(const Value& from, bool negated);
    void add_match(const MatchType& type, const Value::Entry& entry, bool negated);
    void check_families();
    void report_family_clash(const Place& place);
    void read_statements();
    void add_statement(const StatementType& type, const Value& key, const Value& value);
    void read_target();
    const TargetType* find_target();
    const TargetType* find_named_action(const Value& value);
    void check_options(const TargetType* target);
    void read_administration();
    bool read_flag(std::string_view key, bool otherwise);

    const Value& value_;
    const RulePlace& place_;
    const Names& names_;
    Diagnostics& diagnostics_;
    RuleScope scope_;
    ParseContext context_;
    BuiltRule result_;
    std::vector<Match> matches_;  // in the order of the file
    std::vector<Place> match_places_;
    Place target_place_;
};

BuiltRule RuleBuilder::build() {
    const size_t errors_before = diagnostics_.error_count();
    result_.place = value_.location();
    read_scope();
    check_keys();
    read_matches(value_, false);
    if (const Value* negated = value_.find("not")) {
        if (negated->is_map()) {
            read_matches(*negated, true);
        } else {
            diagnostics_.error("E005", negated->location(),
                               fmt::format("'not' takes a mapping, not {}", negated->kind_name()),
                               "not: { src: 10.0.0.0/8 }");
        }
    }
    read_statements();
    read_target();
    check_families();
    read_administration();

    Rule& rule = result_.rule;
    // In the order of the registry: the same rule has the same text whatever the order of its keys.
    for (const bool negated : {false, true}) {
        for (const MatchType* type : match_types()) {
            for (Match& match : matches_) {
                if (match.type == type && match.negated == negated) {
                    rule.matches.push_back(std::move(match));
                    match.type = nullptr;
                }
            }
        }
    }
    result_.is_good = diagnostics_.error_count() == errors_before;
    if (result_.is_good) rule.text = print_rule(rule, names_);
    const auto is_constant = [](const Match& match) { return match.is_constant(); };
    const auto end = std::stable_partition(rule.matches.begin(), rule.matches.end(), is_constant);
    rule.constant_matches = static_cast<uint32_t>(end - rule.matches.begin());
    rule.counts_in_sets = std::any_of(rule.matches.begin(), rule.matches.end(),
                                      [](const Match& match) { return match.counts_in_sets(); });
    rule.has_effects = rule.has_effects || rule.counts_in_sets;
    rule.log_rate = only_log_rate(rule);
    rule.place = diagnostics_.place(result_.place);
    return std::move(result_);
}

void RuleBuilder::read_scope() {
    scope_.hooks = place_.hooks == 0 ? kAllHooks : place_.hooks;
    scope_.rule = value_.location();
    scope_.protocol = value_.find("proto");
    if (scope_.protocol == nullptr) return;
    const auto add = [this](const Value& word) {
        // What does not parse is reported by the match itself.
        if (const auto number = parse_protocol(word.text())) scope_.protocols.push_back(*number);
    };
    if (scope_.protocol->is_scalar()) add(*scope_.protocol);
    for (const Value& word : scope_.protocol->items())
        add(word);
}

void RuleBuilder::check_keys() {
    for (const Value::Entry& entry : value_.entries()) {
        const std::string& word = entry.key.text();
        if (find_match_type(word) != nullptr || find_target_key(word) != nullptr ||
            find_statement_type(word) != nullptr)
            continue;
        const bool is_option = std::any_of(
            target_types().begin(), target_types().end(), [&word](const TargetType* type) {
                return std::find(type->options.begin(), type->options.end(), word) !=
                       type->options.end();
            });
        if (is_option) continue;
        const SchemaKey* key = find_schema_key("rule", word);
        if (key == nullptr) {
            report_unknown_rule_key(entry.key, diagnostics_);
        } else if (!key->built) {
            report_not_built(word, entry.key.location(), diagnostics_);
        }
    }
}

void RuleBuilder::read_matches(const Value& from, bool negated) {
    for (const Value::Entry& entry : from.entries()) {
        const MatchType* type = find_match_type(entry.key.text());
        if (type != nullptr) {
            add_match(*type, entry, negated);
        } else if (negated) {
            const SchemaKey* key = find_schema_key("rule", entry.key.text());
            const bool is_match = key != nullptr && !key->built;
            if (is_match) {
                report_not_built(entry.key.text(), entry.key.location(), diagnostics_);
            } else {
                const std::string_view own = own_rule_key(entry.key.text());
                diagnostics_.error(
                    "E002", entry.key.location(),
                    fmt::format("unknown match {} under 'not'", quoted(entry.key.text())),
                    own.empty() ? std::string() : fmt::format("did you mean '{}'?", own));
            }
        }
    }
}

void RuleBuilder::add_match(const MatchType& type, const Value::Entry& entry, bool negated) {
    check_place(type.key, type.hooks, place_, entry.key.location(), diagnostics_);
    context_.key = type.key;
    context_.key_location = entry.key.location();
    Match match{&type, negated, type.parse(entry.value, context_)};
    if (!match.arguments) return;
    matches_.push_back(std::move(match));
    match_places_.push_back({type.key, entry.key.location()});
}

void RuleBuilder::report_family_clash(const Place& place) {
    diagnostics_.error("E018", place.at,
                       fmt::format("this rule can never match: '{}' is of another address family "
                                   "than the rest",
                                   place.key));
}

// A rule whose matches have no family in common never matches. A negated match that names one
// family only narrows the rule to it, as in netfilter, where `! -s 10.0.0.0/8` is an IPv4 rule: the
// rule gets a `family` that listings show. So does a rule that translates to addresses of one.
void RuleBuilder::check_families() {
    FamilyMask common = kBothFamilies;
    FamilyMask narrowed = kBothFamilies;
    const MatchType* family = find_match_type("family");
    for (size_t i = 0; i < matches_.size(); ++i) {
        const Match& match = matches_[i];
        if (match.type->families == nullptr) continue;
        const FamilyMask families = match.type->families(match.arguments);
        const bool is_family = match.type == family;
        if (match.negated && !is_family) {
            narrowed = static_cast<FamilyMask>(narrowed & families);
        } else {
            common = static_cast<FamilyMask>(common & (match.negated ? ~families : families));
        }
        if ((common & narrowed) == 0) return report_family_clash(match_places_[i]);
    }
    if (const NatAction* nat = result_.rule.decision.nat.get(); nat != nullptr) {
        const FamilyMask target = families_of(nat->family);
        narrowed = static_cast<FamilyMask>(narrowed & target);
        if ((common & narrowed) == 0) return report_family_clash(target_place_);
    }
    if (narrowed == kBothFamilies || common != kBothFamilies) return;
    std::erase_if(matches_, [family](const Match& match) { return match.type == family; });
    const Value word = Value::scalar(narrowed == kIpv4Only ? "ipv4" : "ipv6", false, scope_.rule);
    matches_.push_back({family, false, family->parse(word, context_)});
}

void RuleBuilder::read_statements() {
    const Value* action = value_.find("action");
    for (const StatementType* type : statement_types()) {
        const Value::Entry* entry = value_.find_entry(type->key);
        if (entry != nullptr) {
            add_statement(*type, entry->key, entry->value);
        } else if (action != nullptr && action->text() == type->key) {  // action: log
            add_statement(*type, *action, Value::scalar("true", false, action->location()));
        }
    }
}

void RuleBuilder::add_statement(const StatementType& type, const Value& key, const Value& value) {
    check_place(type.key, type.hooks, place_, key.location(), diagnostics_);
    context_.key = type.key;
    context_.key_location = key.location();
    Statement statement{&type, type.parse(value, context_)};
    if (!statement.arguments) return;
    result_.rule.has_effects = result_.rule.has_effects || type.execute != nullptr;
    result_.rule.statements.push_back(std::move(statement));
}

// The one key of the rule that states its verdict; E017 for a second.
const TargetType* RuleBuilder::find_target() {
    const Value::Entry* first = nullptr;
    const TargetType* target = nullptr;
    for (const Value::Entry& entry : value_.entries()) {
        const TargetType* own = find_target_key(entry.key.text());
        if (own == nullptr && entry.key.text() != "action") continue;
        if (first != nullptr) {
            diagnostics_.error(
                "E017", first->key.location(),
                fmt::format("a rule has one verdict: '{}' and '{}' exclude each other",
                            first->key.text(), entry.key.text()));
        } else {
            first = &entry;
        }
        const TargetType* found = own != nullptr ? own : find_named_action(entry.value);
        if (found != nullptr) {
            check_place(found->name, found->hooks, place_, entry.key.location(), diagnostics_);
            target_place_ = {found->name, entry.key.location()};
        }
        if (target == nullptr) target = found;
    }
    return target;
}

const TargetType* RuleBuilder::find_named_action(const Value& value) {
    if (!value.is_scalar()) {
        diagnostics_.error("E005", value.location(),
                           fmt::format("'action' takes a word, not {}", value.kind_name()));
        return nullptr;
    }
    const std::string& word = value.text();
    if (const TargetType* type = find_action(word)) return type;
    if (std::find(std::begin(kActionsNotBuilt), std::end(kActionsNotBuilt), word) !=
        std::end(kActionsNotBuilt)) {
        report_not_built(word, value.location(), diagnostics_);
        return nullptr;
    }
    std::vector<std::string_view> known;
    for (const TargetType* type : target_types()) {
        if (!type->own_key) known.push_back(type->name);
    }
    const std::string_view own = own_action(word);
    std::string hint =
        own.empty() ? did_you_mean(word, known) : fmt::format("did you mean '{}'?", own);
    const std::string own_key = lower_case(word);
    if (const TargetType* type = find_target_key(own_key); hint.empty() && type != nullptr)
        hint = fmt::format("it is a key: {}", type->help.example);
    if (hint.empty() && names_.find_chain(word) >= 0) hint = fmt::format("write  jump: {}", word);
    if (hint.empty()) hint = "one of: " + listed(known);
    diagnostics_.error("E007", value.location(), fmt::format("unknown action {}", quoted(word)),
                       std::move(hint));
    return nullptr;
}

void RuleBuilder::read_target() {
    const TargetType* target = find_target();
    check_options(target);
    if (target != nullptr) target->parse(value_, context_, result_.rule.decision);
}

void RuleBuilder::check_options(const TargetType* target) {
    for (const Value::Entry& entry : value_.entries()) {
        for (const TargetType* type : target_types()) {
            if (type == target || std::find(type->options.begin(), type->options.end(),
                                            entry.key.text()) == type->options.end()) {
                continue;
            }
            diagnostics_.error("E016", entry.key.location(),
                               fmt::format("'{}' needs '{}{}'", entry.key.text(),
                                           type->own_key ? "" : "action: ", type->name));
        }
    }
}

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= kMaxIdLength &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.' || c == ':';
           });
}

bool RuleBuilder::read_flag(std::string_view key, bool otherwise) {
    const Value* value = value_.find(key);
    if (value == nullptr) return otherwise;
    const auto flag = parse_bool(value->text());
    if (!flag) {
        diagnostics_.error(
            "E005", value->location(),
            fmt::format("'{}' is true or false, not {}", key, quoted(value->text())));
    }
    return flag.value_or(otherwise);
}

void RuleBuilder::read_administration() {
    if (const Value* id = value_.find("id")) {
        result_.id_place = id->location();
        if (is_id(id->text())) {
            result_.rule.id = id->text();
        } else {
            diagnostics_.error("E005", id->location(),
                               fmt::format("{} cannot be an id", quoted(id->text())),
                               "an id has up to 63 letters, digits, '_', '-', '.' or ':'");
        }
    }
    if (const Value* comment = value_.find("comment")) {
        if (!comment->is_scalar() || comment->text().size() > kMaxCommentLength) {
            diagnostics_.error(
                "E005", comment->location(),
                fmt::format("a comment is a text of up to {} bytes", kMaxCommentLength));
        }
        result_.rule.comment = comment->text();
    }
    result_.rule.is_essential = read_flag("essential", false);
    if (result_.rule.is_essential && result_.rule.decision.step != Step::Accept)
        diagnostics_.error("E016", value_.find("essential")->location(),
                           "'essential' needs 'action: accept'");
    result_.is_enabled = read_flag("enabled", true);
}

}  // namespace

BuiltRule build_rule(const Value& value, const RulePlace& place, const Names& names,
                     Diagnostics& diagnostics) {
    if (!value.is_map()) {
        BuiltRule bad;
        bad.place = value.location();
        bad.is_good = false;
        diagnostics.error("E005", value.location(),
                          fmt::format("a rule is a mapping, not {}", value.kind_name()),
                          "- { proto: tcp, dport: 22, state: new, action: accept }");
        return bad;
    }
    return RuleBuilder(value, place, names, diagnostics).build();
}

}  // namespace rampart
