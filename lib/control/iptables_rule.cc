#include "control/iptables_rule.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/join.h"
#include "base/masked_ip6.h"
#include "control/iptables_rates.h"
#include "control/iptables_targets.h"
#include "control/iptables_words.h"
#include "rules/protocols.h"

namespace rampart {

namespace {

constexpr size_t kMaxLines = 1000;    // that one rule may become
constexpr size_t kMaxMultiport = 15;  // ports of one multiport match; a range counts twice

// The ways in which one condition can hold; the lines of a rule are all combinations.
using Choice = std::vector<std::string>;

class RuleExporter {
  public:
    RuleExporter(const Rule& rule, const Ruleset& ruleset, Family family,
                 const std::function<std::string(size_t)>& chain_name)
        : rule_(rule), names_(ruleset.names), family_(family), chain_name_(chain_name) {}

    IptablesRules run();

  private:
    struct Condition {
        std::string_view key;
        std::string printed;
        bool negated;
    };
    const Condition* find(std::string_view key, bool negated) const;
    void fail(std::string reason) {
        if (result_.reason.empty()) result_.reason = std::move(reason);
    }
    bool is_of_other_family();
    void add_lines(const std::string& protocol);
    void add(Choice choice) { choices_.push_back(std::move(choice)); }
    void add_plain(std::string_view option, const Condition& condition, const Choice& words);
    void add_addresses(const Condition& condition);
    void add_interfaces(const Condition& condition);
    void add_ports(const Condition& condition, const std::string& protocol);
    void add_icmp(const Condition& condition);
    void add_state(const Condition& condition);
    void add_flags(const Condition& condition);
    void add_rate(const Condition& condition);
    void add_condition(const Condition& condition, const std::string& protocol);
    bool asks_what_it_changes() const;

    const Rule& rule_;
    const Names& names_;
    Family family_;
    const std::function<std::string(size_t)>& chain_name_;
    std::vector<Condition> conditions_;
    std::vector<Choice> choices_;
    IptablesRules result_;
};

const RuleExporter::Condition* RuleExporter::find(std::string_view key, bool negated) const {
    for (const Condition& condition : conditions_) {
        if (condition.key == key && condition.negated == negated) return &condition;
    }
    return nullptr;
}

// iptables knows some protocols by name; the rest are numbers.
std::string protocol_text(const std::string& word) {
    static constexpr std::array<std::string_view, 5> kNamed = {"tcp", "udp", "udplite", "icmp",
                                                               "sctp"};
    if (word == "icmpv6") return "ipv6-icmp";
    if (std::find(kNamed.begin(), kNamed.end(), word) != kNamed.end()) return word;
    const auto number = parse_protocol(word);
    return number ? std::to_string(*number) : word;
}

IptablesRules RuleExporter::run() {
    for (const Match& match : rule_.matches)
        conditions_.push_back(
            {match.type->key, match.type->print(match.arguments, names_), match.negated});
    if (is_of_other_family()) return {};
    const Condition* protocol = find("proto", false);
    const Condition* not_protocol = find("proto", true);
    if (not_protocol != nullptr && words_of(not_protocol->printed).size() > 1)
        fail("one rule excludes one protocol at most");
    const Choice any{""};
    for (const std::string& word : protocol == nullptr ? any : words_of(protocol->printed))
        add_lines(word);
    if (!result_.reason.empty()) result_.lines.clear();
    return std::move(result_);
}

bool RuleExporter::is_of_other_family() {
    const Condition* family = find("family", false);
    if (family != nullptr) {
        const auto words = words_of(family->printed);
        return std::find(words.begin(), words.end(), to_string(family_)) == words.end();
    }
    return find(family_ == Family::Ipv4 ? "icmpv6" : "icmp", false) != nullptr;
}

void RuleExporter::add_plain(std::string_view option, const Condition& condition,
                             const Choice& words) {
    const std::string_view negation = condition.negated ? "! " : "";
    if (condition.negated && words.size() > 1)
        return fail(fmt::format("'{}' is excluded more than once", condition.key));
    Choice choice;
    for (const std::string& word : words)
        choice.push_back(fmt::format(fmt::runtime(option), negation, word));
    add(std::move(choice));
}

void RuleExporter::add_addresses(const Condition& condition) {
    const bool is_source = condition.key == "src";
    Choice choice;
    std::string excluded;
    for (const std::string& word : words_of(condition.printed)) {
        if (word.starts_with('@')) {
            const std::string match =
                fmt::format("-m set {}--match-set {} {}", condition.negated ? "! " : "",
                            word.substr(1), is_source ? "src" : "dst");
            choice.push_back(match);
            excluded += (excluded.empty() ? "" : " ") + match;
            continue;
        }
        if (family_of_word(word) != family_) continue;
        const bool is_range = word.find('-') != word.npos;
        const bool is_only = words_of(condition.printed).size() == 1;
        if (condition.negated && !is_only && MaskedIp6::parse(word))
            return fail("several addresses, one of them with a mask, cannot be excluded there");
        std::string match;
        if (is_range || (condition.negated && !is_only)) {
            const auto prefix = is_range ? std::nullopt : IpPrefix::parse(word);
            const std::string range = prefix
                                          ? fmt::format("{}-{}", prefix->range().first.to_string(),
                                                        prefix->range().last.to_string())
                                          : word;
            match = fmt::format("-m iprange {}--{}-range {}", condition.negated ? "! " : "",
                                condition.key, range);
        } else {
            match = fmt::format("{}{} {}", condition.negated ? "! " : "", is_source ? "-s" : "-d",
                                word);
        }
        choice.push_back(match);
        excluded += (excluded.empty() ? "" : " ") + match;
    }
    if (condition.negated) choice.assign(excluded.empty() ? 0 : 1, excluded);
    if (condition.negated && choice.empty()) return;  // only addresses of the other family
    add(std::move(choice));
}

void RuleExporter::add_interfaces(const Condition& condition) {
    const std::string_view option = condition.key == "in" ? "-i" : "-o";
    Choice words;
    for (const std::string& word : words_of(condition.printed)) {
        const bool is_zone = std::any_of(names_.zones.begin(), names_.zones.end(),
                                         [&word](const Zone& zone) { return zone.name == word; });
        if (!is_zone) {
            words.push_back(word);
            continue;
        }
        const InterfaceSet members = names_.find_interfaces(word);
        for (size_t i = 0; i < names_.interfaces.size(); ++i)
            if (members[i]) words.push_back(names_.interfaces[i].name);
    }
    for (std::string& word : words) {
        if (word.ends_with('*')) word.back() = '+';
        if (word.find('*') != word.npos) return fail("a glob has its * at the end there");
    }
    add_plain(fmt::format("{{}}{} {{}}", option), condition, words);
}

void RuleExporter::add_ports(const Condition& condition, const std::string& protocol) {
    const auto words = words_of(condition.printed);
    if (words.size() == 1 && words[0].starts_with('@'))
        return add_plain(
            fmt::format("-m set {{}}--match-set {{}} {}", condition.key == "sport" ? "src" : "dst"),
            condition, {words[0].substr(1)});
    if (words.size() == 1)
        return add({fmt::format("-m {} {}--{} {}", protocol, condition.negated ? "! " : "",
                                condition.key, port_text(words[0]))});
    // More ports than one match takes: more lines, or more matches when they are excluded.
    Choice lists;
    size_t room = 0;
    for (const std::string& word : words) {
        const size_t cost = word.find('-') == word.npos ? 1 : 2;
        if (room < cost) {
            lists.emplace_back();
            room = kMaxMultiport;
        }
        lists.back() += (lists.back().empty() ? "" : ",") + port_text(word);
        room -= cost;
    }
    Choice choice;
    for (const std::string& list : lists)
        choice.push_back(fmt::format("-m multiport {}--{}s {}", condition.negated ? "! " : "",
                                     condition.key, list));
    if (condition.negated) choice = {join(choice, " ")};
    add(std::move(choice));
}

void RuleExporter::add_icmp(const Condition& condition) {
    const bool is_v4 = condition.key == "icmp";
    Choice choice;
    for (const std::string& word : words_of(condition.printed)) {
        const std::string_view negation = condition.negated ? "! " : "";
        if (word == "neighbour-discovery") {
            if (condition.negated) return fail("'neighbour-discovery' cannot be excluded there");
            for (int type = 133; type <= 136; ++type)
                choice.push_back(fmt::format("-m icmp6 --icmpv6-type {} -m hl --hl-eq 255", type));
        } else if (is_v4) {
            choice.push_back(fmt::format("-m icmp {}--icmp-type {}", negation, word));
        } else {
            choice.push_back(fmt::format("-m icmp6 {}--icmpv6-type {}", negation, word));
        }
    }
    if (condition.negated) choice = {join(choice, " ")};
    add(std::move(choice));
}

void RuleExporter::add_state(const Condition& condition) {
    Choice status;
    Choice states;
    for (const std::string& word : words_of(condition.printed)) {
        const bool is_status = condition.key == "ct_status" && word != "dnat" && word != "snat";
        (is_status ? status : states).push_back(upper_case(word));
    }
    const std::string_view negation = condition.negated ? "! " : "";
    Choice choice;
    if (!states.empty())
        choice.push_back(fmt::format("-m conntrack {}--ctstate {}", negation, join(states, ",")));
    if (!status.empty())
        choice.push_back(fmt::format("-m conntrack {}--ctstatus {}", negation, join(status, ",")));
    if (condition.negated) choice = {join(choice, " ")};
    add(std::move(choice));
}

void RuleExporter::add_flags(const Condition& condition) {
    Choice words;
    for (std::string word : words_of(condition.printed)) {
        if (word == "syn") word = "syn/fin,syn,rst,ack";  // as --syn
        const size_t slash = word.find('/');
        if (slash == word.npos || word.find("ece") != word.npos || word.find("cwr") != word.npos)
            return fail("these TCP flags have no counterpart");
        words.push_back(upper_case(word.substr(slash + 1)) + " " +
                        upper_case(word.substr(0, slash)));
    }
    add_plain("-m tcp {}--tcp-flags {}", condition, words);
}

void RuleExporter::add_rate(const Condition& condition) {
    const auto text = condition.key == "limit"
                          ? limit_match(condition.printed, condition.negated, family_, rule_.id)
                          : connlimit_match(condition.printed, condition.negated, family_);
    if (!text) return fail(fmt::format("this '{}' has no counterpart", condition.key));
    add({*text});
}

void RuleExporter::add_condition(const Condition& condition, const std::string& protocol) {
    struct Plain {
        std::string_view key;
        std::string_view option;
    };
    static constexpr Plain kPlain[] = {
        {"mark", "-m mark {}--mark {}"},
        {"ct_mark", "-m connmark {}--mark {}"},
        {"ct_helper", "-m helper {}--helper {}"},
        {"mac_src", "-m mac {}--mac-source {}"},
        {"pkt_type", "-m pkttype {}--pkt-type {}"},
    };
    const std::string_view key = condition.key;
    if (key == "family" || key == "proto" || key == "src" || key == "dst" || key == "in" ||
        key == "out")
        return;  // they stand in front
    for (const Plain& plain : kPlain) {
        if (plain.key == key)
            return add_plain(plain.option, condition, words_of(condition.printed));
    }
    const auto words = words_of(condition.printed);
    if (key == "sport" || key == "dport") return add_ports(condition, protocol);
    if (key == "icmp" || key == "icmpv6") return add_icmp(condition);
    if (key == "state" || key == "ct_status") return add_state(condition);
    if (key == "ct_dir")
        return add_plain("-m conntrack {}--ctdir {}", condition, {upper_case(condition.printed)});
    if (key == "tcp_flags") return add_flags(condition);
    if (key == "limit" || key == "connlimit") return add_rate(condition);
    if (key == "length" && words.size() == 1)
        return add_plain("-m length {}--length {}", condition, {port_text(words[0])});
    if (key == "dscp") {
        const bool is_name = words[0].find_first_not_of("0123456789") != std::string::npos;
        return add_plain(is_name ? "-m dscp {}--dscp-class {}" : "-m dscp {}--dscp {}", condition,
                         words);
    }
    if (key == "src_type" || key == "dst_type")
        return add_plain(fmt::format("-m addrtype {{}}--{}-type {{}}", key.substr(0, 3)), condition,
                         {upper_case(join(words, ","))});
    if (key == "check" && !condition.negated)
        return add(
            {condition.printed == "rpf" ? "-m rpfilter --invert" : "-m rpfilter --loose --invert"});
    const bool is_one_ttl =
        key == "ttl" && words.size() == 1 && words[0].find('-') == words[0].npos;
    if (is_one_ttl)
        return add_plain(family_ == Family::Ipv4 ? "-m ttl {}--ttl-eq {}" : "-m hl {}--hl-eq {}",
                         condition, words);
    fail(fmt::format("'{}' has no counterpart", key));
}

bool RuleExporter::asks_what_it_changes() const {
    if (rule_.statements.empty() || rule_.decision.step == Step::Continue) return false;
    return std::any_of(conditions_.begin(), conditions_.end(), [](const Condition& condition) {
        return condition.key == "mark" || condition.key == "ct_mark" || condition.key == "limit" ||
               condition.key == "dscp";
    });
}

void RuleExporter::add_lines(const std::string& protocol) {
    choices_.clear();
    const Condition* not_protocol = find("proto", true);
    for (const std::string_view key : {"src", "dst", "in", "out"}) {
        for (const bool negated : {false, true}) {
            const Condition* condition = find(key, negated);
            if (condition == nullptr) continue;
            if (key == "src" || key == "dst")
                add_addresses(*condition);
            else
                add_interfaces(*condition);
        }
    }
    if (!protocol.empty()) add({"-p " + protocol_text(protocol)});
    if (not_protocol != nullptr) add({"! -p " + protocol_text(words_of(not_protocol->printed)[0])});
    for (const Condition& condition : conditions_)
        add_condition(condition, protocol);
    if (!rule_.comment.empty())
        add({"-m comment --comment " + quoted_text(rule_.comment.substr(0, 255))});
    std::vector<std::string> lines{""};
    for (const Choice& choice : choices_) {
        std::vector<std::string> longer;
        for (const std::string& line : lines) {
            for (const std::string& way : choice)
                longer.push_back(line.empty() ? way : line + " " + way);
        }
        lines = std::move(longer);
        if (lines.size() > kMaxLines) return fail("it would become more than a thousand rules");
    }
    const bool has_own_state = find("limit", false) || find("connlimit", false);
    if (lines.size() > 1 && has_own_state)
        fail("the lines it would become have limits of their own");
    if (asks_what_it_changes())
        fail("one target per rule: behind the statement its conditions would be asked again");
    const bool is_any_protocol = protocol.empty() && not_protocol == nullptr;
    const IptablesTargets targets = iptables_targets(rule_, names_,
                                                     {family_, is_any_protocol    ? ""
                                                               : protocol.empty() ? "other"
                                                                                  : protocol},
                                                     chain_name_);
    if (!targets.reason.empty()) fail(targets.reason);
    for (const std::string& line : lines) {
        for (const std::string& target : targets.words) {
            std::string whole = line;
            if (!whole.empty() && !target.empty()) whole += ' ';
            result_.lines.push_back(whole + target);
        }
    }
}

}  // namespace

IptablesRules to_iptables(const Rule& rule, const Ruleset& ruleset, Family family,
                          const std::function<std::string(size_t)>& chain_name) {
    return RuleExporter(rule, ruleset, family, chain_name).run();
}

}  // namespace rampart
