#include "import/write_yaml.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "import/values.h"

namespace rampart {

namespace {

// The order in which a rule is read: where, what, state.
constexpr std::string_view kMatchOrder[] = {
    "in",       "out",      "family",    "proto", "src",      "dst",       "sport",  "dport",
    "icmp",     "icmpv6",   "tcp_flags", "match", "state",    "ct_status", "ct_dir", "ct_helper",
    "ct_mark",  "mark",     "mac_src",   "vlan",  "dscp",     "ttl",       "length", "pkt_type",
    "src_type", "dst_type", "check",     "limit", "connlimit"};

size_t place_of(const Term& term) {
    return static_cast<size_t>(std::find(std::begin(kMatchOrder), std::end(kMatchOrder), term.key) -
                               std::begin(kMatchOrder));
}

std::string term_text(const Term& term) {
    if (term.is_flow) return fmt::format("{}: {}", term.key, term.words.front());
    if (term.words.size() == 1)
        return fmt::format("{}: {}", term.key, yaml_word(term.words.front()));
    std::string list;
    for (const std::string& word : term.words)
        list += (list.empty() ? "" : ", ") + yaml_word(word);
    return fmt::format("{}: [{}]", term.key, list);
}

void append(std::string& text, const std::string& part) {
    if (!text.empty()) text += ", ";
    text += part;
}

class DocumentWriter {
  public:
    DocumentWriter(const SetCatalogue& sets, const std::vector<InterfaceMapping>& interfaces,
                   const ImportReport& report, const WriteOptions& options)
        : sets_(sets), interfaces_(interfaces), report_(report), options_(options) {}

    WrittenDocument run(ImportedDocument& document);

  private:
    void line(const std::string& text) {
        result_.text += text + '\n';
        ++line_;
    }
    void write_interfaces();
    void find_used_sets(const ImportedDocument& document);
    void write_sets();
    void write_chain(ImportedChain& chain);
    void write_rules(std::vector<ImportedRule>& rules, const std::string& indent);
    void write_refused(const ImportedRule& rule, const std::string& indent);
    void write_nat(ImportedDocument& document);

    const SetCatalogue& sets_;
    const std::vector<InterfaceMapping>& interfaces_;
    const ImportReport& report_;
    const WriteOptions& options_;
    WrittenDocument result_;
    std::set<std::string> used_sets_;
    uint32_t line_ = 0;  // written so far
};

WrittenDocument DocumentWriter::run(ImportedDocument& document) {
    line("# " + options_.title);
    line("version: 1");
    line("");
    write_interfaces();
    find_used_sets(document);
    write_sets();
    line("");
    line("chains:");
    bool is_first = true;
    for (ImportedChain& chain : document.chains) {
        if (chain.name == kNatPrerouting || chain.name == kNatPostrouting) continue;
        if (!is_first) line("");
        is_first = false;
        write_chain(chain);
    }
    write_nat(document);
    return std::move(result_);
}

void DocumentWriter::write_interfaces() {
    line("interfaces:");
    unsigned number = 0;
    for (const InterfaceMapping& interface : interfaces_) {
        const std::string device = options_.placeholders_load
                                       ? fmt::format("vdev:net_null{}", number++)
                                   : interface.device.empty() ? "PCI-ADDRESS-OF-" + interface.name
                                                              : interface.device;
        std::string text =
            fmt::format("  {}: {{ device: {}", yaml_word(interface.name), yaml_quoted(device));
        if (!interface.peer.empty()) text += ", bridge: " + yaml_word(interface.peer);
        text += " }";
        if (interface.device.empty() && !options_.placeholders_load)
            text += "  # to be filled in; with bridge: NAME if it is one of a pair";
        line(text);
    }
}

void DocumentWriter::find_used_sets(const ImportedDocument& document) {
    for (const ImportedChain& chain : document.chains) {
        for (const ImportedRule& rule : chain.rules) {
            if (!rule.is_imported()) continue;
            for (const Term& term : rule.matches) {
                for (const std::string& word : term.words)
                    if (word.starts_with('@')) used_sets_.insert(word.substr(1));
            }
            const Term* added = rule.find_effect("add_to");
            for (const auto& [name, set] : sets_.all())
                if (added != nullptr &&
                    added->words.front().find("set: " + yaml_word(name) + ",") != std::string::npos)
                    used_sets_.insert(name);
        }
    }
}

std::string set_elements(const ImportedSet& set) {
    std::string text;
    for (const auto& fields : set.elements) {
        std::string element;
        for (const std::string& field : fields)
            append(element, yaml_word(field));
        append(text, fields.size() == 1 ? element : "[" + element + "]");
    }
    return text;
}

void DocumentWriter::write_sets() {
    bool is_first = true;
    for (const auto& [name, set] : sets_.all()) {
        if (!used_sets_.contains(name)) continue;
        if (is_first) {
            line("");
            line("sets:");
        }
        is_first = false;
        std::string text = fmt::format("  {}: {{ type: {}", yaml_word(name), yaml_word(set.type));
        if (set.is_dynamic) text += ", dynamic: true";
        if (!set.timeout.empty()) text += ", timeout: " + set.timeout;
        if (set.max != 0 && set.is_dynamic) text += fmt::format(", max: {}", set.max);
        // What a dynamic set holds is the moment's.
        if (!set.is_dynamic) text += fmt::format(", elements: [{}]", set_elements(set));
        line(text + " }");
    }
}

void DocumentWriter::write_chain(ImportedChain& chain) {
    const bool has_rules = !chain.rules.empty();
    if (chain.policy.empty()) {
        const bool has_list = std::any_of(chain.rules.begin(), chain.rules.end(),
                                          [](const ImportedRule& r) { return r.is_imported(); });
        line(fmt::format("  {}:{}", yaml_word(chain.name), has_list ? "" : " []"));
        return write_rules(chain.rules, "    ");
    }
    line(fmt::format("  {}:", chain.name));
    line("    policy: " + chain.policy);
    if (has_rules) line("    rules:");
    write_rules(chain.rules, "      ");
}

void DocumentWriter::write_rules(std::vector<ImportedRule>& rules, const std::string& indent) {
    for (ImportedRule& rule : rules) {
        if (!rule.is_imported()) {
            write_refused(rule, indent);
            continue;
        }
        std::string text = indent + "- " + rule_text(rule);
        if (options_.counters && rule.counters)
            text += fmt::format("  # [{}:{}]", rule.counters->packets, rule.counters->bytes);
        line(text);
        result_.rule_at_line[line_] = &rule;
    }
}

void DocumentWriter::write_refused(const ImportedRule& rule, const std::string& indent) {
    const std::string source = report_.line_of(rule.origin);
    line(
        fmt::format("{}# {}: {}", indent, rule.is_void ? "never matches" : "not imported", source));
    // What it would be, if everything in it could be said.
    if (rule.is_translated) line(fmt::format("{}#   - {}", indent, rule_text(rule)));
}

void DocumentWriter::write_nat(ImportedDocument& document) {
    const auto has_imported = [](const std::vector<ImportedRule>& rules) {
        return std::any_of(rules.begin(), rules.end(),
                           [](const ImportedRule& r) { return r.is_imported(); });
    };
    std::vector<ImportedChain*> used;
    for (const std::string_view name : {kNatPrerouting, kNatPostrouting}) {
        ImportedChain* chain = document.find(name);
        if (chain != nullptr && !chain->rules.empty()) used.push_back(chain);
    }
    if (used.empty()) return;
    const bool is_used = std::any_of(used.begin(), used.end(), [&](const ImportedChain* chain) {
        return has_imported(chain->rules);
    });
    line("");
    line(is_used ? "nat:" : "# nat:");
    for (ImportedChain* chain : used) {
        line(fmt::format("{}  {}:{}", is_used ? "" : "#",
                         chain->name.substr(chain->name.find('.') + 1),
                         is_used && !has_imported(chain->rules) ? " []" : ""));
        write_rules(chain->rules, "    ");
    }
}

}  // namespace

std::string rule_text(const ImportedRule& rule) {
    std::vector<Term> matches = rule.matches;
    if (rule.family != Family::None && !implies_family(rule))
        matches.push_back({"family", {std::string(to_string(rule.family))}, false, false});
    std::stable_sort(matches.begin(), matches.end(),
                     [](const Term& a, const Term& b) { return place_of(a) < place_of(b); });
    std::string text;
    std::string negated;
    for (const Term& term : matches)
        append(term.negated ? negated : text, term_text(term));
    if (!negated.empty()) append(text, "not: { " + negated + " }");
    for (const Term& effect : rule.effects)
        append(text, term_text(effect));
    if (!rule.comment.empty()) append(text, "comment: " + yaml_quoted(rule.comment));
    return text.empty() ? "{}" : "{ " + text + " }";
}

WrittenDocument write_yaml(ImportedDocument& document, const SetCatalogue& sets,
                           const std::vector<InterfaceMapping>& interfaces,
                           const ImportReport& report, const WriteOptions& options) {
    return DocumentWriter(sets, interfaces, report, options).run(document);
}

}  // namespace rampart
