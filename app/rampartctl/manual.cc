#include "manual.h"

#include <fmt/format.h>

#include "base/scalar.h"
#include "config/reference.h"
#include "config/schema.h"
#include "conntrack/settings.h"
#include "manual/program_page.h"
#include "rules/statement.h"
#include "rules/target.h"

namespace rampart {
namespace {

constexpr std::string_view kExample =
    "version: 1\n"
    "\n"
    "interfaces:\n"
    "  inside: { device: \"0000:01:00.0\", bridge: outside }\n"
    "  outside: { device: \"0000:01:00.1\" }\n"
    "\n"
    "chains:\n"
    "  forward:\n"
    "    policy: drop\n"
    "    rules:\n"
    "      - { state: [established, related], action: accept }\n"
    "      - { in: inside, state: new, action: accept }\n";

void add_section(Page& page, const ReferenceSection& section) {
    page.heading(section.title);
    for (const SchemaKey& key : schema_keys()) {
        if (key.section != section.section || !key.built) continue;
        page.item(key.name, value_of(key), key.help);
        if (!key.default_text.empty()) page.line(fmt::format("Default: {}", key.default_text));
    }
}

void add_help(Page& page, std::string_view term, std::string_view value, const Help& help) {
    page.item(term, value, help.summary);
    if (!help.values.empty()) page.line(fmt::format("Values: {}", help.values));
    page.line(help.example);
    if (!help.iptables.empty()) page.line(fmt::format("iptables: {}", help.iptables));
    if (!help.nft.empty()) page.line(fmt::format("nft: {}", help.nft));
}

void add_rules(Page& page) {
    page.heading("Rules: matches");
    page.paragraph(
        "All keys of a rule must hold; within a list one is enough. Each may stand under 'not' as "
        "well.");
    for (const MatchType* type : match_types())
        add_help(page, type->key, "", type->help);
    page.heading("Rules: statements");
    page.paragraph("Carried out when all matches hold; none of them ends the chain.");
    for (const StatementType* type : statement_types())
        add_help(page, type->key, "", type->help);
    page.heading("Rules: verdicts");
    page.paragraph("At most one; without one the packet is counted and the next rule is tried.");
    for (const TargetType* type : target_types()) {
        if (type->own_key)
            add_help(page, fmt::format("{}:", type->name),
                     (type->hooks & kFilterHooks) != 0 ? "CHAIN" : "", type->help);
        else
            add_help(page, fmt::format("action: {}", type->name), "", type->help);
    }
}

void add_timeouts(Page& page) {
    page.heading("conntrack.timeouts");
    for (const TimeoutInfo& timeout : kTimeouts)
        page.item(timeout.name, "", fmt::format("Default: {}", format_duration(timeout.default_s)));
}

}  // namespace

std::string render_file_page() {
    Page page("rampart.yaml", 5, "configuration of the Rampart firewall");
    page.heading("Description");
    page.paragraph(
        "The file is YAML, read strictly: mappings, lists and words; no anchors, tags or duplicate "
        "keys. Unknown keys are errors. `rampartctl check FILE` says what is wrong with a file and "
        "where. Nothing of a file with errors is used.");
    page.example(kExample);
    for (const ReferenceSection& section : reference_sections())
        add_section(page, section);
    add_timeouts(page);
    add_rules(page);
    page.heading("Diagnostics");
    for (const CodeInfo& code : diagnostic_codes())
        page.item(fmt::format("RP-{}", code.code), "", code.meaning);
    page.heading("Files");
    page.item("/etc/rampart/rampart.yaml", "", "What rampartd reads unless it is told otherwise.");
    page.heading("See also");
    page.paragraph("rampartd(8), rampartctl(8)");
    return page.text();
}

std::string render_client_page(const CLI::App& app, std::span<const CommandHelp> commands) {
    Page page("rampartctl", 8, "ask and direct the Rampart firewall");
    page.heading("Synopsis");
    page.item("rampartctl", "[OPTIONS] COMMAND [ARGUMENTS]",
              "Called as conntrack, it is rampartctl conntrack.");
    page.heading("Description");
    page.paragraph(
        "Commands are carried out by the daemon, except where they say that they need none. "
        "`rampartctl help COMMAND` shows the options of one.");
    add_options(page, app);
    page.heading("Commands");
    for (const CommandHelp& command : commands)
        page.item(command.name, "", command.summary);
    page.heading("Exit status");
    page.item("0", "", "Done; status: ready.");
    page.item("1", "", "The command failed; status: not ready.");
    page.item("2", "", "Wrong usage.");
    page.item("3", "", "The daemon cannot be reached.");
    page.item("4", "", "The configuration has errors.");
    page.heading("Environment");
    page.item("RAMPART_SOCKET", "", "The daemon's control socket, unless --socket names it.");
    page.heading("See also");
    page.paragraph("rampartd(8), rampart.yaml(5)");
    return page.text();
}

}  // namespace rampart
