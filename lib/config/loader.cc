#include "config/loader.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/build.h"
#include "config/definitions.h"
#include "config/document.h"
#include "config/merge.h"
#include "config/section.h"
#include "rules/rule_states.h"

namespace rampart {

namespace {

constexpr std::string_view kLanguageVersion = "1";

void check_version_word(const Value& version, Diagnostics& diagnostics) {
    if (version.text() == kLanguageVersion) return;
    diagnostics.error(
        "E005", version.location(),
        fmt::format("version {} of the language is not known", quoted(version.text())),
        "write  version: 1");
}

void check_version(const Value& document, const Section& top, Diagnostics& diagnostics) {
    if (const Value* version = top.find("version")) {
        check_version_word(*version, diagnostics);
    } else {
        diagnostics.error("E006", document.location(), "the configuration has no 'version'",
                          "begin the file with  version: 1");
    }
}

bool has_essential_rules(const Ruleset& ruleset) {
    for (const Chain& chain : ruleset.chains)
        for (const Rule& rule : chain.rules)
            if (rule.is_essential) return true;
    return false;
}

// What limits remember is allocated when the configuration is taken up, and must fit.
void check_rule_states(const Value& document, const Ruleset& ruleset, Diagnostics& diagnostics) {
    const uint64_t keys = RuleStates::keys_wanted(ruleset);
    if (keys <= RuleStates::kMaxKeys) return;
    const Value* chains = document.find("chains");
    diagnostics.error("E005", chains->location(),
                      fmt::format("all 'limit' and 'connlimit' together have room for {} keys; at "
                                  "most {} are possible",
                                  keys, RuleStates::kMaxKeys),
                      "lower their 'max', or let rules share one by a chain of its own");
}

// What `include` may look like. False: its files are missing, and with them what others refer to.
bool check_include(const Value& document, bool was_looked_up, Diagnostics& diagnostics) {
    const Value::Entry* entry = document.find_entry("include");
    if (entry == nullptr) return true;
    const auto is_bad = [](const Value& value) { return !value.is_scalar(); };
    const std::vector<Value>& items = entry->value.items();
    const bool is_list = entry->value.is_list() && std::none_of(items.begin(), items.end(), is_bad);
    if (!is_list && !entry->value.is_scalar()) {
        diagnostics.error("E005", entry->value.location(), "'include' takes a list of files",
                          "include: [conf.d/*.yaml]");
        return true;
    }
    if (was_looked_up) return true;
    diagnostics.error("E001", entry->key.location(), "the included files were not sent along");
    return false;
}

void check_included(const Value& document, Diagnostics& diagnostics) {
    if (const Value::Entry* entry = document.find_entry("include")) {
        diagnostics.error("E016", entry->key.location(), "an included file cannot include others",
                          "name all files in the first one");
    }
    const Section top(&document, "", "the configuration", diagnostics);
    if (const Value* version = top.find("version")) check_version_word(*version, diagnostics);
}

// Nothing: no document at all, and it was said why.
std::optional<Value> read_documents(SourceTexts sources, Diagnostics& diagnostics) {
    size_t bytes = sources.main.text.size();
    if (sources.included) {
        for (const SourceText& source : *sources.included)
            bytes += source.text.size();
    }
    if (bytes > kMaxFileBytes) {
        const uint32_t file = diagnostics.add_source(std::move(sources.main.path), {});
        diagnostics.error("E001", {.file = file},
                          fmt::format("larger than {} MiB", kMaxFileBytes >> 20));
        return std::nullopt;
    }
    const bool was_looked_up = sources.included.has_value();
    auto main =
        read_document(std::move(sources.main.path), std::move(sources.main.text), diagnostics);
    if (!main) return std::nullopt;
    const Section top(&*main, "", "the configuration", diagnostics);
    if (!main->is_map()) return std::nullopt;
    check_version(*main, top, diagnostics);
    if (!check_include(*main, was_looked_up, diagnostics)) return std::nullopt;
    std::vector<Value> documents;
    documents.push_back(std::move(*main));
    if (!was_looked_up) return std::move(documents.front());
    for (SourceText& source : *sources.included) {
        auto document = read_document(std::move(source.path), std::move(source.text), diagnostics,
                                      Emptiness::Allowed);
        if (!document || document->is_null()) continue;
        check_included(*document, diagnostics);
        if (document->is_map()) documents.push_back(std::move(*document));
    }
    return merge_documents(std::move(documents), diagnostics);
}

}  // namespace

std::optional<Configuration> load_configuration(SourceTexts sources, Diagnostics& diagnostics) {
    const auto read = read_documents(std::move(sources), diagnostics);
    if (!read) return std::nullopt;
    Value document = expand_definitions(*read, diagnostics);

    Configuration configuration;
    configuration.snapshot = std::make_unique<Snapshot>();
    Snapshot& snapshot = *configuration.snapshot;
    build_system(document, configuration.system, diagnostics);
    build_monitoring(document, configuration.system.monitoring, diagnostics);
    build_interfaces(document, configuration.system, snapshot.ruleset.names, diagnostics);
    build_link(document, snapshot.link, snapshot.ruleset, diagnostics);
    build_conntrack(document, snapshot.ruleset.names, snapshot.conntrack, diagnostics);
    configuration.system.key_index = snapshot.conntrack.index;
    configuration.system.has_counters = snapshot.conntrack.counters;
    configuration.system.tracks_ipv6 = snapshot.conntrack.ipv6;
    build_ipfix(document, snapshot.conntrack.accounting, configuration.system.ipfix, diagnostics);
    build_logging(document, snapshot.logging, diagnostics);
    build_reload(document, snapshot.reload, diagnostics);
    build_sets(document, snapshot.ruleset.names, diagnostics);
    build_chains(document, snapshot.ruleset, diagnostics);
    warn_of_unused_sets(snapshot.ruleset.names, diagnostics);
    check_rule_states(document, snapshot.ruleset, diagnostics);
    snapshot.conntrack.has_essential_rules = has_essential_rules(snapshot.ruleset);
    if (diagnostics.has_errors()) return std::nullopt;
    snapshot.ruleset.compile();
    configuration.document = std::move(document);
    return configuration;
}

std::optional<Configuration> load_configuration(std::string path, std::string text,
                                                Diagnostics& diagnostics) {
    return load_configuration({{std::move(path), std::move(text)}, std::nullopt}, diagnostics);
}

std::optional<Configuration> load_configuration_file(const std::string& path,
                                                     Diagnostics& diagnostics) {
    auto sources = read_source_texts(path, diagnostics);
    if (!sources) return std::nullopt;
    return load_configuration(std::move(*sources), diagnostics);
}

}  // namespace rampart
