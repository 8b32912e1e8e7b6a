#include "import/verify.h"

#include <fmt/format.h>

#include "config/loader.h"
#include "config/schema.h"

namespace rampart {

namespace {

void refuse(ImportedRule& rule, const std::string& message, const std::string& hint,
            ImportReport& report) {
    if (!rule.is_imported()) return;
    rule.refusal = message;
    rule.is_translated = true;
    report.problem(rule.origin, message, hint);
}

void refuse_unbuilt(ImportedRule& rule, ImportReport& report) {
    std::vector<std::string> keys;
    for (const Term& term : rule.matches)
        keys.push_back(term.key);
    for (const Term& effect : rule.effects)
        keys.push_back(effect.key);
    for (const std::string& key : keys) {
        const SchemaKey* known = find_schema_key("rule", key);
        if (known == nullptr || known->built) continue;
        refuse(rule, fmt::format("'{}' is not built yet in this release", key), {}, report);
    }
}

// Returns whether something was refused.
bool refuse_by(const Diagnostics& diagnostics, const WrittenDocument& written,
               ImportReport& report) {
    bool is_any = false;
    std::string other;
    for (const Diagnostic& diagnostic : diagnostics.all()) {
        if (diagnostic.severity != Severity::Error) continue;
        const auto rule = written.rule_at_line.find(diagnostic.location.line);
        if (rule != written.rule_at_line.end() && rule->second->origin.line != 0) {
            is_any = is_any || rule->second->is_imported();
            refuse(*rule->second, diagnostic.message, diagnostic.hint, report);
        } else if (other.empty()) {
            other = diagnostic.message;
        }
    }
    if (!is_any && !other.empty())
        report.problem({}, "this release does not load the result: " + other);
    return is_any;
}

}  // namespace

void refuse_what_does_not_load(ImportedDocument& document, const SetCatalogue& sets,
                               const std::vector<InterfaceMapping>& interfaces,
                               ImportReport& report) {
    for (ImportedChain& chain : document.chains) {
        for (ImportedRule& rule : chain.rules)
            refuse_unbuilt(rule, report);
    }
    for (bool is_changed = true; is_changed;) {
        const WrittenDocument written =
            write_yaml(document, sets, interfaces, report,
                       {.title = "", .counters = false, .placeholders_load = true});
        Diagnostics diagnostics;
        is_changed = !load_configuration("import", written.text, diagnostics) &&
                     refuse_by(diagnostics, written, report);
    }
}

}  // namespace rampart
