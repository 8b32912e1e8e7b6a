// `limits`: what the rules with `limit` and `connlimit` remember.
#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"
#include "rules/matches/connlimit.h"
#include "rules/matches/limit.h"
#include "rules/matches/registry.h"

namespace rampart {
namespace {

struct LimitRow {
    std::string_view chain, rule, kind;
    std::string value;
    uint64_t keys = 0;
    uint64_t max_keys = 0;  // 0: one bucket for all
    uint64_t flows = 0;     // of connlimit
    uint64_t without_room = 0;
};

// False: the match remembers nothing.
bool read_row(const Match& match, const Names& names, uint64_t now_ns, LimitRow& row) {
    if (match.type == &kMatchLimit) {
        const TokenBuckets* buckets = match.arguments.as<LimitArguments>().buckets;
        if (buckets == nullptr) return false;
        row.keys = buckets->used_keys(now_ns);
        row.max_keys = buckets->max_keys();
        row.without_room = buckets->without_room();
    } else if (match.type == &kMatchConnlimit) {
        const FlowCounts* counts = match.arguments.as<ConnlimitArguments>().rule.counts;
        if (counts == nullptr) return false;
        row.keys = counts->used_keys();
        row.max_keys = counts->max_keys();
        row.flows = counts->flows();
        row.without_room = counts->without_room();
    } else {
        return false;
    }
    row.kind = match.type->key;
    row.value = match.type->print(match.arguments, names);
    return true;
}

std::vector<LimitRow> read_rows(const Ruleset& ruleset, const std::string& id, uint64_t now_ns) {
    std::vector<LimitRow> rows;
    for (const Chain& chain : ruleset.chains) {
        for (const Rule& rule : chain.rules) {
            if (!id.empty() && rule.id != id) continue;
            for (const Match& match : rule.matches) {
                LimitRow row{.chain = chain.name, .rule = rule.id};
                if (read_row(match, ruleset.names, now_ns, row)) rows.push_back(std::move(row));
            }
        }
    }
    return rows;
}

std::string to_text(const std::vector<LimitRow>& rows) {
    std::string text = fmt::format("{:<10} {:<18} {:>9} {:>9} {:>9} {:>9}  {}\n", "chain", "rule",
                                   "keys", "max", "flows", "no room", "limit");
    for (const LimitRow& row : rows)
        text += fmt::format("{:<10} {:<18} {:>9} {:>9} {:>9} {:>9}  {}: {}\n", row.chain, row.rule,
                            row.max_keys == 0 ? "-" : std::to_string(row.keys),
                            row.max_keys == 0 ? "-" : std::to_string(row.max_keys),
                            row.kind == "limit" ? "-" : std::to_string(row.flows), row.without_room,
                            row.kind, row.value);
    return text;
}

Json to_json(const std::vector<LimitRow>& rows) {
    Json limits = Json::array();
    for (const LimitRow& row : rows) {
        Json json{{"chain", row.chain},
                  {"rule", row.rule},
                  {"kind", row.kind},
                  {"limit", row.value},
                  {"without_room", row.without_room}};
        if (row.max_keys != 0) {
            json["keys"] = row.keys;
            json["max_keys"] = row.max_keys;
        }
        if (row.kind != "limit") json["flows"] = row.flows;
        limits.push_back(std::move(json));
    }
    return {{"limits", std::move(limits)}};
}

}  // namespace

CommandOutput run_limits(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("What the rules with limit and connlimit remember.");
    std::string id;
    parser.option("rule", id, "only the rule with this id");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    const std::vector<LimitRow> rows =
        read_rows(controller.publisher().current().ruleset, id, controller.now().ns);
    if (!id.empty() && rows.empty())
        return CommandOutput::failed(exit_code::kFailure,
                                     fmt::format("no rule {} with a limit\n", rampart::quoted(id)));
    CommandOutput output;
    if (request.json)
        output.result = to_json(rows);
    else
        output.out = to_text(rows);
    return output;
}

}  // namespace rampart
