#include "import/iptables_rule.h"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "import/module.h"
#include "import/values.h"

namespace rampart {

namespace {

class RuleReader {
  public:
    RuleReader(const DumpRule& rule, const ChainLookup& chains, RuleDraft& draft)
        : words_(rule.words), chains_(chains), draft_(draft) {
        uses_.push_back({&kRuleOptions, {}});
    }

    void run();

  private:
    bool is_over() const { return next_ == words_.size(); }
    // The word behind the present one; refused when there is none.
    const std::string* take(std::string_view behind);
    void read_match();
    void read_target(std::string_view key);
    void read_counters();
    void read_option(const std::string& word, bool negated);
    ModuleUse* user_of(const std::string& word);
    void begin(const Module& module);
    void skip_words();
    bool is_option(const std::string& word) {
        return word == "!" || word == "-m" || word == "-j" || word == "-g" || word == "-c" ||
               user_of(word) != nullptr;
    }
    void skip_module();

    const std::vector<std::string>& words_;
    const ChainLookup& chains_;
    RuleDraft& draft_;
    std::deque<ModuleUse> uses_;  // in the order of the rule
    std::string protocol_;
    size_t next_ = 0;
};

const std::string* RuleReader::take(std::string_view behind) {
    if (!is_over()) return &words_[next_++];
    draft_.refuse(fmt::format("'{}' is the last word of the rule", behind));
    return nullptr;
}

void RuleReader::run() {
    while (!is_over()) {
        const bool negated = words_[next_] == "!";
        if (negated) ++next_;
        const std::string* word = take("!");
        if (word == nullptr) return;
        if (*word == "-m" || *word == "--match")
            read_match();
        else if (*word == "-j" || *word == "--jump")
            read_target("jump");
        else if (*word == "-g" || *word == "--goto")
            read_target("goto");
        else if (*word == "-c" || *word == "--set-counters")
            read_counters();
        else
            read_option(*word, negated);
    }
    for (const ModuleUse& use : uses_) {
        if (use.module->translate != nullptr) use.module->translate(use, draft_);
    }
}

void RuleReader::begin(const Module& module) {
    if (module.translate != nullptr) return uses_.push_back({&module, {}});
    draft_.refuse(fmt::format("'{}' is not imported: {}", module.name, module.refusal));
    skip_module();
}

void RuleReader::read_match() {
    const std::string* name = take("-m");
    if (name == nullptr) return;
    if (const Module* module = find_match_module(*name)) return begin(*module);
    draft_.refuse("unknown match " + quoted(*name));
    skip_module();
}

void RuleReader::read_target(std::string_view key) {
    const std::string* name = take("-j");
    if (name == nullptr) return;
    const bool is_verdict = *name == "ACCEPT" || *name == "DROP" || *name == "RETURN";
    if (is_verdict && key == "jump") return draft_.verdict("action", lower_case(*name));
    if (const auto chain = chains_(*name)) return draft_.verdict(key, *chain);
    if (const Module* module = find_target_module(*name); module != nullptr && key == "jump")
        return begin(*module);
    draft_.refuse("unknown target " + quoted(*name), "it is neither a target nor a chain");
    skip_module();
}

void RuleReader::read_counters() {
    const std::string* packets = take("-c");
    const std::string* bytes = packets == nullptr ? nullptr : take("-c");
    if (bytes == nullptr) return;
    const auto p = parse_number(*packets);
    const auto b = parse_number(*bytes);
    if (!p || !b) return draft_.refuse("these are no counters");
    draft_.counters(DumpCounters{*p, *b});
}

// Who understands the option: the module named last, then those before it, then that of the
// protocol, which needs no naming.
ModuleUse* RuleReader::user_of(const std::string& word) {
    for (auto use = uses_.rbegin(); use != uses_.rend(); ++use) {
        if (use->module->find_option(word) != nullptr) return &*use;
    }
    const Module* implied = find_protocol_module(protocol_);
    if (implied == nullptr || implied->find_option(word) == nullptr) return nullptr;
    uses_.push_back({implied, {}});
    return &uses_.back();
}

void RuleReader::read_option(const std::string& word, bool negated) {
    ModuleUse* user = user_of(word);
    if (user == nullptr) {
        draft_.refuse("unknown option " + quoted(word));
        return skip_words();
    }
    OptionUse use{user->module->find_option(word), negated, {}};
    for (unsigned i = 0; i < use.type->words; ++i) {
        const std::string* argument = take(word);
        // Older dumps have the negation behind the option.
        if (argument != nullptr && *argument == "!" && i == 0 && !use.negated) {
            use.negated = true;
            argument = take(word);
        }
        if (argument == nullptr) return;
        use.words.push_back(*argument);
    }
    if (use.negated && !use.type->may_be_negated)
        return draft_.refuse(fmt::format("'{}' cannot be negated", word));
    if (use.type->name == "-p" || use.type->name == "--proto")
        protocol_ = use.negated ? std::string() : lower_case(use.words.front());
    user->options.push_back(std::move(use));
}

void RuleReader::skip_words() {
    while (!is_over() && !words_[next_].starts_with('-') && words_[next_] != "!")
        ++next_;
}

// Everything up to the next option of somebody else.
void RuleReader::skip_module() {
    while (!is_over() && !is_option(words_[next_]))
        ++next_;
    // "! --option" of the unknown module goes with it.
    if (!is_over() && words_[next_] == "!" && next_ + 1 < words_.size() &&
        !is_option(words_[next_ + 1])) {
        next_ += 2;
        skip_module();
    }
}

}  // namespace

RuleDraft read_rule(const DumpRule& rule, Family family, const ChainLookup& chains,
                    DraftContext context) {
    RuleDraft draft(family, rule.origin, context);
    draft.counters(rule.counters);
    RuleReader(rule, chains, draft).run();
    return draft;
}

}  // namespace rampart
