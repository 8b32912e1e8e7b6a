#include "config/reference.h"

#include <fmt/format.h>

#include "base/scalar.h"
#include "config/schema.h"
#include "conntrack/settings.h"
#include "packet/drop_reason.h"
#include "packet/invalid_reason.h"
#include "rules/statement.h"
#include "rules/target.h"

namespace rampart {

namespace {

constexpr CodeInfo kCodes[] = {
    {"E001", "the file cannot be read as YAML"},
    {"E002", "an unknown key"},
    {"E003", "a duplicate key"},
    {"E004", "a YAML tag, anchor, alias or merge key"},
    {"E005", "a value of the wrong kind or out of range"},
    {"E006", "a required key is missing"},
    {"E007", "an unknown action, state, protocol or ICMP type"},
    {"E008", "a bad address, prefix or range of addresses"},
    {"E009", "a bad port or range of ports"},
    {"E010", "a bad duration or rate"},
    {"E011", "an unknown interface or zone"},
    {"E012", "an unknown set"},
    {"E013", "an unknown chain, or one that cannot be jumped to"},
    {"E014", "chains that jump in a loop"},
    {"E015", "a match that needs a protocol in the same rule"},
    {"E016", "a key that is not valid in this place"},
    {"E017", "more than one verdict in a rule"},
    {"E018", "a rule whose address families exclude each other"},
    {"E019", "a set of a type that does not fit the key, or that rules cannot change"},
    {"E020", "a $name that is not defined, or a bad definition"},
    {"E021", "one name for two things"},
    {"E022", "a duplicate rule id"},
    {"E023", "a translation in the wrong hook"},
    {"E024", "a policy on a user chain"},
    {"E025", "jumps that are too deep"},
    {"E026", "a set with more elements than its max"},
    {"E027",
     "a device that is claimed twice, or, for rampartd, one that the machine does not have"},
    {"E028", "more memory than there are hugepages, when there have to be; only rampartd says so"},
    {"E030", "a word of the language that is not built yet in this release"},
    {"E031", "a setting that a running daemon cannot change; only `apply` and `reload` say so"},
    {"E032", "a log that cannot be written; only a running daemon says so"},
    {"E033", "no memory for what it asks for in addition; only a running daemon says so"},
    {"W101", "host bits in a prefix"},
    {"W102", "a rule that no packet reaches; names the rules that decide all of its packets"},
    {"W103", "a part of a rule that an earlier rule with the opposite verdict takes away"},
    {"W104", "a policy of drop that takes away the answers to what a rule accepts"},
    {"W105", "related connections accepted on their own, without saying of which protocol"},
    {"W106", "a chain, set or definition that is never used"},
    {"W107",
     "the new rules would cut the caller's own connection; only `apply` and its kin say so"},
    {"W108", "a value that other YAML tools read as a number"},
    {"W109", "neighbour discovery that strict_nd blocks"},
    {"W110", "a masquerade that says neither for whom nor where"},
    {"W111", "a helper, and no rule that accepts what it expects"},
    {"W112", "a limit without a burst on an accept rule of the raw chain"},
    {"W120", "a chain that has no effect because no interface is routed"},
    {"W122", "rules that were changed at run time end with this configuration"},
    {"W130", "an export of flows whose packets and bytes are not counted"},
};

constexpr ReferenceSection kSections[] = {
    {"", "Top level"},
    {"interfaces.*", "interfaces: one port"},
    {"bridge", "bridge"},
    {"conntrack", "conntrack"},
    {"conntrack.adaptive", "conntrack.adaptive"},
    {"conntrack.limits", "conntrack.limits"},
    {"logging", "logging"},
    {"logging.rules", "logging.rules"},
    {"ipfix", "ipfix"},
    {"reload", "reload"},
    {"cores", "cores"},
    {"memory", "memory"},
    {"control", "control"},
    {"monitoring", "monitoring"},
    {"sets.*", "sets: one set"},
    {"chains.*", "chains: one chain"},
    {"nat", "nat"},
    {"rule", "Rules: keys besides matches and targets"},
};

// "a|b|c" as "a, b or c".
std::string choices(std::string_view words) {
    std::string text(words);
    for (size_t at = 0; (at = text.find('|', at)) != text.npos;)
        text.replace(at, 1, text.find('|', at + 1) == text.npos ? " or " : ", ");
    return text;
}

std::string render_not_built(std::string_view section) {
    std::string names;
    for (const SchemaKey& key : schema_keys()) {
        if (key.section != section || key.built) continue;
        if (!names.empty()) names += ", ";
        names += fmt::format("`{}`", key.name);
    }
    return names.empty() ? names : fmt::format("\nNot built yet: {}.\n", names);
}

std::string render_section(const ReferenceSection& title) {
    std::string text = fmt::format(
        "\n## {}\n\n| key | value | default | meaning |\n|---|---|---|---|\n", title.title);
    for (const SchemaKey& key : schema_keys()) {
        if (key.section != title.section || !key.built) continue;
        text += fmt::format("| `{}` | {} | {} | {} |\n", key.name, value_of(key), key.default_text,
                            key.help);
    }
    return text + render_not_built(title.section);
}

std::string render_timeouts() {
    std::string text =
        "\n## conntrack.timeouts\n\n| key | default | sysctl net.netfilter.nf_conntrack_... |\n"
        "|---|---|---|\n";
    for (const TimeoutInfo& timeout : kTimeouts) {
        text += fmt::format("| `{}` | {} | {} |\n", timeout.name,
                            format_duration(timeout.default_s), timeout.sysctl);
    }
    return text + render_not_built("conntrack.timeouts");
}

std::string render_help(std::string_view name, const Help& help) {
    return fmt::format("| {} | {} | {} | `{}` | {} | {} |\n", name, help.summary, help.values,
                       help.example, help.iptables, help.nft);
}

std::string render_rules() {
    constexpr std::string_view kHead =
        "| key | meaning | values | example | iptables | nft |\n|---|---|---|---|---|---|\n";
    std::string text =
        "\n## Rules: matches\n\nAll keys of a rule must hold; within a list one is "
        "enough. Each may stand under `not:` as well.\n\n";
    text += kHead;
    for (const MatchType* type : match_types()) {
        text += render_help(fmt::format("`{}`", type->key), type->help);
    }
    text +=
        "\n## Rules: statements\n\nCarried out when all matches hold, in this order; none ends the "
        "chain.\n\n";
    text += kHead;
    for (const StatementType* type : statement_types())
        text += render_help(fmt::format("`{}`", type->key), type->help);
    text +=
        "\n## Rules: verdicts\n\nAt most one; without one the packet is counted and the next "
        "rule is tried.\n\n";
    text += kHead;
    for (const TargetType* type : target_types()) {
        const bool is_translation = (type->hooks & kFilterHooks) == 0;
        const char* form = is_translation ? "`{}`" : type->own_key ? "`{}: CHAIN`" : "`action: {}`";
        text += render_help(fmt::format(fmt::runtime(form), type->name), type->help);
    }
    return text;
}

std::string render_reasons() {
    std::string text =
        "\n## Drop reasons\n\nEvery packet that is not forwarded is counted under exactly one of "
        "these. `rampartctl drops` shows the counts.\n\n| reason | what happened |\n|---|---|\n";
    for (const DropReasonInfo& reason : kDropReasons)
        text += fmt::format("| `{}` | {} |\n", reason.name, reason.text);
    text +=
        "\n## Reasons for INVALID\n\nINVALID is a state that rules match, not a drop. "
        "`rampartctl drops --invalid` shows the counts.\n\n| reason | what is wrong "
        "|\n|---|---|\n";
    for (const InvalidReasonInfo& reason : kInvalidReasons) {
        if (reason.name != to_string(InvalidReason::None))
            text += fmt::format("| `{}` | {} |\n", reason.name, reason.text);
    }
    return text;
}

}  // namespace

std::string value_of(const SchemaKey& key) {
    switch (key.type) {
        case KeyType::Text:
            if (!key.words.empty()) return choices(key.words);
            break;
        case KeyType::Number:
            return fmt::format("a number, {}-{}", key.min, key.max);
        case KeyType::Size:
            return fmt::format("a size, {}M-{}M", key.min >> 20, key.max >> 20);
        case KeyType::Map:
        case KeyType::List:
        case KeyType::Switch:
        case KeyType::Duration:
            break;
    }
    return std::string(to_string(key.type));
}

std::span<const ReferenceSection> reference_sections() noexcept {
    return kSections;
}

std::span<const CodeInfo> diagnostic_codes() noexcept {
    return kCodes;
}

std::string render_reference() {
    std::string text =
        "# Reference\n\nEvery key of the configuration file and every name in the counters. This "
        "page is the output of `rampartctl reference`; `scripts/gen-docs.sh` writes it. Its source "
        "are the tables that the programs themselves use.\n";
    for (const ReferenceSection& title : kSections)
        text += render_section(title);
    text += render_timeouts();
    text += render_rules();
    text += render_reasons();
    text += "\n## Codes\n\n| code | meaning |\n|---|---|\n";
    for (const CodeInfo& code : kCodes) {
        text += fmt::format("| RP-{} | {} |\n", code.code, code.meaning);
    }
    return text;
}

}  // namespace rampart
