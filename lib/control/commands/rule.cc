// `rule`: single rules added to and removed from the running configuration, as with iptables -I and
// -D. They act on the next packet and end with the next change of the configuration.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/join.h"
#include "base/scalar.h"
#include "control/commands/arguments.h"
#include "control/commands/verbs.h"
#include "control/controller.h"

namespace rampart {
namespace {

constexpr const char* kUntil = "until the next apply, reload or start";

CommandOutput report(const std::optional<RuleEditor::Done>& done, const Diagnostics& diagnostics,
                     std::string_view verb) {
    CommandOutput output;
    output.err = diagnostics.to_text();
    if (!done) {
        output.exit = exit_code::kConfiguration;
        output.err += diagnostics.summary() + "; the rules are not changed\n";
        return output;
    }
    spdlog::info("rule {} {} chain {}, number {}: {}", done->id, verb, done->chain, done->number,
                 done->text);
    output.out =
        fmt::format("rule {} {} chain {}, number {}, in {:.1f} ms; {}\n", done->id, verb,
                    done->chain, done->number, static_cast<double>(done->took_us) / 1e3, kUntil);
    output.result = {{"id", done->id},
                     {"chain", done->chain},
                     {"number", done->number},
                     {"rule", done->text},
                     {"generation", done->published.generation},
                     {"took_us", done->took_us},
                     {"active", done->published.is_active}};
    if (!done->published.is_active) {
        output.exit = exit_code::kFailure;
        output.err += "not every worker took it up in time; `rampartctl status` tells\n";
    }
    return output;
}

CommandOutput rule_add(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Adds a rule to a chain, at its end or where the options say.");
    std::string chain, before, after, number;
    std::vector<std::string> words;
    parser.required("chain", chain, "the chain");
    parser.words("rule", words, "as in the file: '{ src: 192.0.2.1, action: drop }'");
    parser.option("-b,--before", before, "the id of the rule that comes next");
    parser.option("-a,--after", after, "the id of the rule before it");
    parser.option("-n,--at", number, "the number that it gets in its chain; 1: the first");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    if (!before.empty() + !after.empty() + !number.empty() > 1)
        return CommandOutput::failed(exit_code::kUsage,
                                     "only one of --before, --after and --at is possible\n");
    RulePosition position;
    if (!before.empty()) position = {RulePosition::Kind::Before, before, 0};
    if (!after.empty()) position = {RulePosition::Kind::After, after, 0};
    if (!number.empty()) {
        const auto value = parse_decimal(number, UINT32_MAX);
        if (!value)
            return CommandOutput::failed(exit_code::kUsage, "--at takes a number, 1 or more\n");
        position = {RulePosition::Kind::At, {}, *value};
    }
    Diagnostics diagnostics;
    const auto done = controller.rules().add(chain, join(words, " "), position, diagnostics);
    return report(done, diagnostics, "added to");
}

CommandOutput rule_delete(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Removes a rule.");
    std::string id;
    parser.required("id", id, "its id; `list -a` shows them");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    Diagnostics diagnostics;
    const auto done = controller.rules().remove(id, diagnostics);
    return report(done, diagnostics, "removed from");
}

constexpr CommandVerb kVerbs[] = {
    {"add", rule_add, "add CHAIN RULE [--at N | --before ID | --after ID]"},
    {"delete", rule_delete, "delete ID"},
};

}  // namespace

CommandOutput run_rule(const ApiRequest& request, Controller& controller) {
    return run_verb(request, controller, kVerbs,
                    fmt::format("Single rules of the running configuration, {}.", kUntil));
}

}  // namespace rampart
