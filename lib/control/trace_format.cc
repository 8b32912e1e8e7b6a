#include "control/trace_format.h"

#include <ctime>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "control/conntrack_names.h"
#include "control/packet_tracer_report.h"
#include "control/rule_action.h"

namespace rampart {
namespace {

struct StageLine {
    std::string_view stage;
    std::string what;
};

std::string interface_name(const Names& names, InterfaceIndex index) {
    return index < names.interfaces.size() ? names.interfaces[index].name : "none";
}

std::string rule_word(RuleIndex index, const Ruleset* ruleset) {
    if (ruleset == nullptr || index >= ruleset->rules.size())
        return fmt::format("rule {} of other rules", index);
    const Rule* rule = ruleset->rules[index];
    if (rule != nullptr)
        return fmt::format("{} {} ({})", rule_action(*rule, ruleset->names), rule->id, rule->place);
    for (const Chain& chain : ruleset->chains)
        if (chain.hook != Hook::None && chain.policy_index == index)
            return chain.policy == Policy::Accept ? "accept by policy" : "drop by policy";
    return "accept neighbour-discovery";
}

std::string rules_line(const RuleIndex* rules, unsigned count, bool is_cut,
                       const Ruleset* ruleset) {
    std::string text;
    for (unsigned i = 0; i < count; ++i)
        text += (i == 0 ? "" : ", ") + rule_word(rules[i], ruleset);
    return is_cut ? text + ", and more" : text;
}

std::string flags_of(uint8_t flags) {
    constexpr std::string_view kLetters = "FSRPAUEC";
    std::string text;
    for (size_t i = 0; i < kLetters.size(); ++i)
        if (flags >> i & 1) text += kLetters[i];
    return text;
}

std::string flow_state(const TraceRecord& record, uint8_t state, uint16_t status) {
    std::string text(state_name(record.tuple.protocol, state));
    if (!(status & flow_status::kSeenReply)) text += text.empty() ? "unreplied" : " unreplied";
    if (status & flow_status::kAssured) text += text.empty() ? "assured" : " assured";
    return text;
}

std::string track_line(const TraceRecord& record) {
    std::string text(to_string(record.ct_class));
    if (record.ct_class == CtClass::Invalid)
        return text + fmt::format(" {}", to_string(record.invalid));
    if (!record.has(TraceRecord::kHasFlow)) return text;
    text += record.direction == Direction::Original ? ", original" : ", reply";
    const std::string after = flow_state(record, record.state_after, record.status_after);
    if (record.has(TraceRecord::kNewFlow)) return text + ", flow begins: " + after;
    const std::string before = flow_state(record, record.state_before, record.status_before);
    if (!record.has(TraceRecord::kHit) || before == after) return text + ", " + after;
    return text + ", " + before + " -> " + after;
}

std::string verdict_line(const TraceRecord& record, const Names& names) {
    switch (record.verdict) {
        case Verdict::Forward:
            return "accept, out=" + interface_name(names, record.out);
        case Verdict::Drop:
            return fmt::format(
                "{}, {}: {}", record.reason == DropReason::Reject ? "reject" : "drop",
                to_string(record.reason), kDropReasons[static_cast<size_t>(record.reason)].text);
        case Verdict::Consumed:
            return fmt::format("handed to worker {}", record.owner);
        case Verdict::Deliver:
            return "accept, to the box";
        case Verdict::Held:
            return "held: a fragment that waits for the others, or a packet for its neighbour";
        case Verdict::Pending:
            break;
    }
    return "pending";
}

std::vector<StageLine> stages_of(const TraceRecord& record, const Ruleset* ruleset,
                                 const Names& names) {
    std::vector<StageLine> lines{{"parse", frame_line(record)}};
    if (record.has(TraceRecord::kDatagram))
        lines.push_back({"reassemble", "the last fragment: the datagram is whole"});
    else if (record.has(TraceRecord::kFragment))
        lines.push_back({"reassemble", "a fragment"});
    if (record.has(TraceRecord::kRaw))
        lines.push_back({"raw", rules_line(record.raw_rule, record.raw_rules,
                                           record.has(TraceRecord::kRawCut), ruleset)});
    if (record.has(TraceRecord::kLookedUp))
        lines.push_back({"lookup", record.has(TraceRecord::kHit) ? "a known flow" : "no flow"});
    if (record.has(TraceRecord::kHasClass)) lines.push_back({"track", track_line(record)});
    if (record.has(TraceRecord::kJudged))
        lines.push_back({"rules", (record.has(TraceRecord::kCached) ? "as before: " : "") +
                                      rules_line(record.rule, record.rules,
                                                 record.has(TraceRecord::kRulesCut), ruleset)});
    lines.push_back({"verdict", verdict_line(record, names)});
    return lines;
}

Json rules_json(const RuleIndex* rules, unsigned count, const Ruleset* ruleset) {
    Json list = Json::array();
    for (unsigned i = 0; i < count; ++i) {
        const Rule* rule = ruleset != nullptr && rules[i] < ruleset->rules.size()
                               ? ruleset->rules[rules[i]]
                               : nullptr;
        Json item{{"text", rule_word(rules[i], ruleset)}};
        if (rule != nullptr) {
            item["id"] = rule->id;
            item["place"] = rule->place;
            item["action"] = rule_action(*rule, ruleset->names);
        }
        list.push_back(std::move(item));
    }
    return list;
}

}  // namespace

std::string frame_line(const TraceRecord& record) {
    if (!record.has(TraceRecord::kIsIp))
        return record.ether_type == 0 ? fmt::format("{} bytes", record.frame_length)
                                      : fmt::format("ethertype 0x{:04x}, {} bytes",
                                                    record.ether_type, record.frame_length);
    std::string text = tuple_line(record.tuple);
    if (record.tcp_flags != 0) text += ' ' + flags_of(record.tcp_flags);
    text += fmt::format(", {} bytes, ttl {}", record.ip_length, record.hop_limit);
    if (record.vlan_tci != 0) text += fmt::format(", vlan {}", record.vlan_tci & 0x0fff);
    return text;
}

std::string time_text(uint64_t wall_ns) {
    const time_t seconds = static_cast<time_t>(wall_ns / 1'000'000'000);
    return fmt::format("{:%H:%M:%S}.{:06}", fmt::localtime(seconds), wall_ns / 1000 % 1'000'000);
}

std::string trace_text(const TraceRecord& record, const Ruleset* ruleset, const Names& names) {
    std::string text = fmt::format("{} worker {} in={}\n", time_text(record.wall_ns), record.worker,
                                   interface_name(names, record.in));
    for (const StageLine& line : stages_of(record, ruleset, names))
        text += fmt::format("  {:<10} {}\n", line.stage, line.what);
    return text;
}

Json trace_json(const TraceRecord& record, const Ruleset* ruleset, const Names& names) {
    Json json{{"time_ns", record.wall_ns},
              {"worker", record.worker},
              {"in", interface_name(names, record.in)},
              {"packet", frame_line(record)},
              {"stages", Json::array()}};
    for (const StageLine& line : stages_of(record, ruleset, names))
        json["stages"].push_back({{"stage", line.stage}, {"what", line.what}});
    switch (record.verdict) {
        case Verdict::Forward:
            json["verdict"] = "accept";
            json["out"] = interface_name(names, record.out);
            break;
        case Verdict::Drop:
            json["verdict"] = record.reason == DropReason::Reject ? "reject" : "drop";
            json["reason"] = to_string(record.reason);
            break;
        case Verdict::Consumed:
            json["verdict"] = "handed over";
            break;
        case Verdict::Deliver:
            json["verdict"] = "accept";
            json["out"] = "local";
            break;
        case Verdict::Held:
        case Verdict::Pending:
            json["verdict"] = "held";
            break;
    }
    if (record.has(TraceRecord::kHasClass)) json["state"] = to_string(record.ct_class);
    if (record.invalid != InvalidReason::None) json["invalid"] = to_string(record.invalid);
    if (record.has(TraceRecord::kRaw))
        json["raw"] = rules_json(record.raw_rule, record.raw_rules, ruleset);
    if (record.has(TraceRecord::kJudged)) {
        json["rules"] = rules_json(record.rule, record.rules, ruleset);
        json["cached"] = record.has(TraceRecord::kCached);
    }
    return json;
}

}  // namespace rampart
