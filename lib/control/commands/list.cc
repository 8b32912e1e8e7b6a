// `list`: the active rules with their counters.
#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"
#include "control/iptables_export.h"
#include "control/rule_listing.h"

namespace rampart {
namespace {

struct IptablesOptions {
    bool is_wanted = false;
    bool counters = false;
    bool ipv6 = false;
};

CommandOutput list_iptables(const Snapshot& snapshot, std::vector<RuleCount> counts,
                            const IptablesOptions& options) {
    if (!options.counters) counts.clear();
    const IptablesExport exported =
        export_iptables(snapshot.ruleset, counts, options.ipv6 ? Family::Ipv6 : Family::Ipv4);
    CommandOutput output;
    output.out = exported.text;
    if (exported.left_out != 0)
        output.err = fmt::format("{} rules have no counterpart in iptables; they are comments\n",
                                 exported.left_out);
    return output;
}

}  // namespace

CommandOutput run_list(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("The active rules with their counters.");
    ListingOptions options;
    parser.option("chain", options.chain, "only this chain");
    parser.flag("-v,--verbose", options.verbose, "packets, bytes and interfaces");
    parser.flag("-n,--numeric", options.numeric, "numbers instead of names");
    parser.flag("-x,--exact", options.exact, "counters in full, not as 12K");
    parser.flag("--ids,-a", options.ids, "the id of each rule and where it is written");
    parser.flag("--implicit", options.implicit, "also the rules that nobody wrote");
    IptablesOptions iptables;
    parser.flag("--iptables", iptables.is_wanted, "as iptables-save prints rules");
    parser.flag("-c,--counters", iptables.counters, "with --iptables: and their counters");
    parser.flag("--ipv6", iptables.ipv6, "with --iptables: as ip6tables-save prints them");
    bool line_numbers = true;
    parser.flag("--line-numbers", line_numbers, "always on");
    if (auto answer = parser.parse(request)) return std::move(*answer);

    const Snapshot& snapshot = controller.publisher().current();
    if (!options.chain.empty() && snapshot.ruleset.names.find_chain(options.chain) < 0)
        return CommandOutput::failed(exit_code::kFailure,
                                     "no chain " + rampart::quoted(options.chain) + "; chains: " +
                                         listed(snapshot.ruleset.names.chain_names()) + "\n");
    const std::vector<RuleCount> counts = controller.publisher().counts();
    if (iptables.is_wanted) return list_iptables(snapshot, counts, iptables);
    CommandOutput output;
    if (request.json)
        output.result = rules_to_json(snapshot.ruleset, counts, snapshot.generation);
    else
        output.out = list_rules(snapshot.ruleset, counts, options);
    return output;
}

}  // namespace rampart
