#include "control/rule_listing.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include <fmt/format.h>

#include "rules/protocols.h"

namespace rampart {
namespace {

constexpr std::string_view kColumnKeys[] = {"in", "out", "proto", "src", "dst"};

std::string_view to_string(Policy policy) noexcept {
    return policy == Policy::Accept ? "accept" : "drop";
}

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return result;
}

// "[a, b]" as "a,b": one word for a column.
std::string compact(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c != '[' && c != ']' && c != ' ' && c != '"') result += c;
    }
    return result;
}

// As iptables abbreviates: 99999, then 100K up to 9999K, and so on in powers of 1000.
std::string short_count(uint64_t count, bool exact) {
    if (exact || count <= 99999) return std::to_string(count);
    constexpr std::string_view kUnits = "KMGT";
    uint64_t number = (count + 500) / 1000;
    size_t unit = 0;
    while (number > 9999 && unit + 1 < kUnits.size()) {
        number = (number + 500) / 1000;
        ++unit;
    }
    return fmt::format("{}{}", number, kUnits[unit]);
}

const Match* find_match(const Rule& rule, std::string_view key) {
    for (const Match& match : rule.matches) {
        if (match.type->key == key) return &match;
    }
    return nullptr;
}

std::string column(const Rule& rule, std::string_view key, const Names& names,
                   std::string_view any) {
    const Match* match = find_match(rule, key);
    if (match == nullptr) return std::string(any);
    return fmt::format("{}{}", match->negated ? "!" : "",
                       compact(match->type->print(match->arguments, names)));
}

std::string protocol_column(const Rule& rule, const Names& names, bool numeric) {
    const std::string words = column(rule, "proto", names, "all");
    if (!numeric) return words;
    if (words == "all") return "0";
    const size_t begin = words.starts_with('!') ? 1 : 0;
    std::string numbers = words.substr(0, begin);
    for (size_t at = begin; at < words.size();) {
        const size_t end = std::min(words.find(',', at), words.size());
        const std::string word = words.substr(at, end - at);
        const auto number = parse_protocol(word);
        numbers +=
            fmt::format("{}{}", at == begin ? "" : ",", number ? std::to_string(*number) : word);
        at = end + 1;
    }
    return numbers;
}

// The matches that have no column of their own, then the target's answer and the comment.
std::string rest_of(const Rule& rule, const Names& names, const ListingOptions& options) {
    std::string rest;
    for (const Match& match : rule.matches) {
        const std::string_view key = match.type->key;
        const bool has_column =
            std::find(std::begin(kColumnKeys), std::end(kColumnKeys), key) != std::end(kColumnKeys);
        // Interfaces have their columns only in verbose listings, as in iptables.
        if (has_column && (options.verbose || (key != "in" && key != "out"))) continue;
        rest += fmt::format(" {}{} {}", match.negated ? "!" : "", key,
                            compact(match.type->print(match.arguments, names)));
    }
    for (const Statement& statement : rule.statements)
        rest += fmt::format(" {} {}", statement.type->key,
                            compact(statement.type->print(statement.arguments, names)));
    if (const TargetType* target = target_of(rule.decision); target != nullptr) {
        const std::string text = target->print_short(rule.decision, names);
        if (const size_t space = text.find(' '); space != std::string::npos)
            rest += text.substr(space);
    }
    if (!rule.comment.empty()) rest += fmt::format(" /* {} */", rule.comment);
    if (rule.is_implicit) rest += " (implicit)";
    if (options.ids) rest += fmt::format(" # id {} ({})", rule.id, rule.place);
    return rest;
}

std::string target_column(const Decision& decision, const Names& names) {
    const TargetType* target = target_of(decision);
    if (target == nullptr) return "";
    const std::string text = target->print_short(decision, names);
    return text.substr(0, text.find(' '));
}

class Lister {
  public:
    Lister(const Ruleset& ruleset, const std::vector<RuleCount>& counts,
           const ListingOptions& options)
        : ruleset_(ruleset), counts_(counts), options_(options) {}

    std::string run() {
        for (const Chain& chain : ruleset_.chains) {
            if (!options_.chain.empty() && chain.name != options_.chain) continue;
            if (!text_.empty()) text_ += '\n';
            list_chain(chain);
        }
        if (options_.chain.empty()) list_counters();
        if (options_.implicit && ruleset_.allow_neighbour_discovery) list_implicit();
        return std::move(text_);
    }

  private:
    std::string count(uint64_t number) const { return short_count(number, options_.exact); }

    size_t references_of(const Chain& chain) const {
        const size_t index = static_cast<size_t>(&chain - ruleset_.chains.data());
        size_t references = 0;
        for (const Chain& other : ruleset_.chains) {
            for (const Rule& rule : other.rules) {
                const Step step = rule.decision.step;
                if ((step == Step::Jump || step == Step::Goto) && rule.decision.chain == index)
                    ++references;
            }
        }
        return references;
    }

    void list_chain(const Chain& chain) {
        if (chain.policy == Policy::None) {
            text_ += fmt::format("Chain {} ({} references)\n", chain.name, references_of(chain));
        } else {
            text_ += fmt::format("Chain {} (policy {}", chain.name, upper(to_string(chain.policy)));
            const RuleCount& policy = counts_[chain.policy_index];
            if (options_.verbose)
                text_ += fmt::format(" {} packets, {} bytes", count(policy.packets),
                                     count(policy.bytes));
            text_ += ")\n";
        }
        header();
        // Implicit rules have a number as well: it is where `rule add` would put a new one.
        size_t number = 0;
        for (const Rule& rule : chain.rules) {
            ++number;
            if (!rule.is_implicit || options_.implicit) list_rule(number, rule);
        }
    }

    void header() {
        text_ += fmt::format("{:<4} ", "num");
        if (options_.verbose) text_ += fmt::format("{:>5} {:>5} ", "pkts", "bytes");
        text_ += fmt::format("{:<9}  prot opt", "target");
        if (options_.verbose) text_ += fmt::format(" {:<6} {:<6} ", "in", "out");
        text_ += fmt::format(" {:<19}  {:<19} \n", "source", "destination");
    }

    void list_rule(size_t number, const Rule& rule) {
        const Names& names = ruleset_.names;
        const Match* family = find_match(rule, "family");
        const bool is_ipv6 = family != nullptr && !family->negated &&
                             family->type->print(family->arguments, names) == "ipv6";
        const std::string_view any =
            !options_.numeric ? "anywhere" : (is_ipv6 ? "::/0" : "0.0.0.0/0");
        const RuleCount& counted = counts_[rule.rule_index];
        text_ += fmt::format("{:<4} ", number);
        if (options_.verbose)
            text_ += fmt::format("{:>5} {:>5} ", count(counted.packets), count(counted.bytes));
        text_ += fmt::format("{:<9}  {:<4} -- ", target_column(rule.decision, names),
                             protocol_column(rule, names, options_.numeric));
        if (options_.verbose)
            text_ += fmt::format(" {:<6} {:<6} ", column(rule, "in", names, "*"),
                                 column(rule, "out", names, "*"));
        text_ += fmt::format(" {:<19}  {:<19} {}\n", column(rule, "src", names, any),
                             column(rule, "dst", names, any),
                             rest_of(rule, names, options_) + log_counts(rule));
    }

    std::string log_counts(const Rule& rule) const {
        if (!options_.verbose || rule.logged_index == kNotNumbered) return {};
        return fmt::format(" (logged {}, suppressed {})", count(counts_[rule.logged_index].packets),
                           count(counts_[rule.logged_index + 1].packets));
    }

    void list_counters() {
        for (const NamedCounter& counter : ruleset_.counters)
            text_ += fmt::format("\nCounter {}: {} packets, {} bytes\n", counter.name,
                                 count(counts_[counter.index].packets),
                                 count(counts_[counter.index].bytes));
    }

    void list_implicit() {
        const RuleCount& counted = counts_[ruleset_.neighbour_discovery_index];
        text_ += fmt::format(
            "\nImplicit, before a policy of drop (bridge.strict_nd: true removes it)\n"
            "  neighbour and listener discovery of IPv6: ACCEPT, {} packets, {} bytes\n",
            count(counted.packets), count(counted.bytes));
    }

    const Ruleset& ruleset_;
    const std::vector<RuleCount>& counts_;
    const ListingOptions& options_;
    std::string text_;
};

Json rule_to_json(const Rule& rule, const std::vector<RuleCount>& counts, const Names& names) {
    const RuleCount& count = counts[rule.rule_index];
    Json json{{"id", rule.id}, {"packets", count.packets}, {"bytes", count.bytes}};
    if (const TargetType* target = target_of(rule.decision); target != nullptr)
        json["target"] = target->print_short(rule.decision, names);
    json["text"] = rule.text;
    if (rule.is_implicit) json["implicit"] = true;
    json["place"] = rule.place;
    if (!rule.comment.empty()) json["comment"] = rule.comment;
    if (count.flows_cut != 0) json["flows_cut"] = count.flows_cut;
    if (rule.logged_index != kNotNumbered) {
        json["logged"] = counts[rule.logged_index].packets;
        json["log_suppressed"] = counts[rule.logged_index + 1].packets;
    }
    return json;
}

Json rules_of_chain(const Chain& chain, const std::vector<RuleCount>& counts, const Names& names) {
    Json rules = Json::array();
    for (const Rule& rule : chain.rules)
        rules.push_back(rule_to_json(rule, counts, names));
    return rules;
}

Json nat_to_json(const Ruleset& ruleset, int chain, const std::vector<RuleCount>& counts) {
    if (chain == Ruleset::kNoChain) return Json::array();
    return rules_of_chain(ruleset.chains[static_cast<size_t>(chain)], counts, ruleset.names);
}

}  // namespace

std::string list_rules(const Ruleset& ruleset, const std::vector<RuleCount>& counts,
                       const ListingOptions& options) {
    return Lister(ruleset, counts, options).run();
}

Json rules_to_json(const Ruleset& ruleset, const std::vector<RuleCount>& counts,
                   uint32_t generation) {
    Json chains = Json::array();
    for (const Chain& chain : ruleset.chains) {
        if ((mask_of(chain.hook) & kNatHooks) != 0) continue;  // below
        Json json{{"name", chain.name}};
        if (chain.policy != Policy::None) {
            json["hook"] = to_string(chain.hook);
            json["policy"] = to_string(chain.policy);
            json["policy_packets"] = counts[chain.policy_index].packets;
            json["policy_bytes"] = counts[chain.policy_index].bytes;
        }
        json["rules"] = rules_of_chain(chain, counts, ruleset.names);
        chains.push_back(std::move(json));
    }
    Json counters = Json::array();
    for (const NamedCounter& counter : ruleset.counters)
        counters.push_back({{"name", counter.name},
                            {"packets", counts[counter.index].packets},
                            {"bytes", counts[counter.index].bytes}});
    Json implicit = Json::array();
    if (ruleset.allow_neighbour_discovery) {
        const RuleCount& count = counts[ruleset.neighbour_discovery_index];
        implicit.push_back(
            {{"id", "neighbour-discovery"}, {"packets", count.packets}, {"bytes", count.bytes}});
    }
    return {{"generation", generation},
            {"chains", std::move(chains)},
            {"counters", std::move(counters)},
            {"implicit", std::move(implicit)},
            {"nat",
             {{"prerouting", nat_to_json(ruleset, ruleset.prerouting, counts)},
              {"postrouting", nat_to_json(ruleset, ruleset.postrouting, counts)}}}};
}

}  // namespace rampart
