#include "control/packet_tracer_report.h"

#include <fmt/format.h>

#include "control/rule_action.h"
#include "rules/protocols.h"

namespace rampart {
namespace {

std::string_view interface_name(const Ruleset& ruleset, InterfaceIndex index) {
    const std::vector<Interface>& interfaces = ruleset.names.interfaces;
    return index < interfaces.size() ? std::string_view(interfaces[index].name) : "none";
}

std::string_view policy_word(const Chain& base) {
    return base.policy == Policy::Accept ? "accept" : "drop";
}

std::string verdict_word(const TracedPacket& packet) {
    if (packet.verdict == Verdict::Forward) return "accept";
    return packet.reason == DropReason::Reject ? "reject" : "drop";
}

std::string match_text(const Match& match, const Names& names) {
    const std::string text =
        fmt::format("{}: {}", match.type->key, match.type->print(match.arguments, names));
    return match.negated ? fmt::format("not: {{ {} }}", text) : text;
}

class Report {
  public:
    Report(const TracedPacket& packet, const Ruleset& ruleset)
        : packet_(packet), ruleset_(ruleset) {}

    std::string text() {
        line("packet", fmt::format("{}, {} bytes, in={}", tuple_line(packet_.tuple),
                                   packet_.ip_length, interface_name(ruleset_, packet_.in)));
        // raw comes before the class is known.
        bool is_class_told = !packet_.has_class;
        for (const TracedWalk& walk : packet_.walks) {
            if (walk.base->hook != Hook::Raw && !is_class_told) tell_class(is_class_told);
            for (const MatchedRule& matched : walk.rules)
                tell_rule(walk, matched);
        }
        if (!is_class_told) tell_class(is_class_told);
        line("verdict", verdict());
        return std::move(text_);
    }

  private:
    void line(std::string_view stage, const std::string& what) {
        text_ += fmt::format("{:<9} {}\n", stage, what);
    }

    void tell_class(bool& is_told) {
        is_told = true;
        std::string state(to_string(packet_.ct_class));
        if (packet_.ct_class == CtClass::Invalid && packet_.invalid != InvalidReason::None)
            state += fmt::format(" {}: {}", to_string(packet_.invalid),
                                 kInvalidReasons[static_cast<size_t>(packet_.invalid)].text);
        line("state", state);
    }

    void tell_rule(const TracedWalk& walk, const MatchedRule& matched) {
        for (const PassedRule& passed : matched.passed)
            line(passed.chain->name,
                 fmt::format("  not {} ({}){}", passed.rule->id, passed.rule->place,
                             passed.failed == nullptr
                                 ? std::string()
                                 : ": " + match_text(*passed.failed, ruleset_.names)));
        if (matched.rule != nullptr) {
            const Rule& rule = *matched.rule;
            line(matched.chain->name,
                 fmt::format("{} {} ({}) {}", rule_action(rule, ruleset_.names), rule.id,
                             rule.place, rule.text));
        } else if (matched.is_implicit) {
            line(walk.base->name, "accept neighbour-discovery, an implicit rule");
        } else {
            line(walk.base->name, fmt::format("{} by policy", policy_word(*walk.base)));
        }
    }

    std::string verdict() const {
        if (packet_.verdict == Verdict::Forward)
            return fmt::format("accept, out={}", interface_name(ruleset_, packet_.out));
        return fmt::format("{}, {}: {}", verdict_word(packet_), to_string(packet_.reason),
                           kDropReasons[static_cast<size_t>(packet_.reason)].text);
    }

    const TracedPacket& packet_;
    const Ruleset& ruleset_;
    std::string text_;
};

Json rule_json(const TracedWalk& walk, const MatchedRule& matched, const Names& names) {
    Json json{{"chain", matched.chain->name}};
    if (matched.rule != nullptr) {
        json["id"] = matched.rule->id;
        json["place"] = matched.rule->place;
        json["text"] = matched.rule->text;
        json["action"] = rule_action(*matched.rule, names);
    } else if (matched.is_implicit) {
        json["id"] = "neighbour-discovery";
        json["action"] = "accept";
    } else {
        json["policy"] = policy_word(*walk.base);
    }
    for (const PassedRule& passed : matched.passed) {
        Json item{
            {"chain", passed.chain->name}, {"id", passed.rule->id}, {"place", passed.rule->place}};
        if (passed.failed != nullptr) item["failed"] = match_text(*passed.failed, names);
        json["passed"].push_back(std::move(item));
    }
    return json;
}

std::string endpoint(const IpAddress& address, be16 port, bool has_port) {
    if (!has_port) return address.to_string();
    const bool is_ipv6 = address.family == Family::Ipv6;
    return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", address.to_string(), is_ipv6 ? "]" : "",
                       port.host());
}

}  // namespace

std::string tuple_line(const Tuple& tuple) {
    const bool ports = has_ports(tuple.protocol);
    std::string text = fmt::format("{} {} > {}", print_protocol(tuple.protocol),
                                   endpoint(tuple.src_address(), tuple.src_port, ports),
                                   endpoint(tuple.dst_address(), tuple.dst_port, ports));
    if (is_icmp(tuple.protocol))
        text += fmt::format(" type {} code {}", tuple.icmp_type(), tuple.icmp_code());
    return text;
}

std::string traced_packet_text(const TracedPacket& packet, const Ruleset& ruleset) {
    return Report(packet, ruleset).text();
}

Json traced_packet_json(const TracedPacket& packet, const Ruleset& ruleset) {
    Json json{{"packet", tuple_line(packet.tuple)},
              {"in", interface_name(ruleset, packet.in)},
              {"verdict", verdict_word(packet)},
              {"rules", Json::array()}};
    if (packet.verdict == Verdict::Forward)
        json["out"] = interface_name(ruleset, packet.out);
    else
        json["reason"] = to_string(packet.reason);
    if (packet.has_class) json["state"] = to_string(packet.ct_class);
    if (packet.has_class && packet.invalid != InvalidReason::None)
        json["invalid"] = to_string(packet.invalid);
    for (const TracedWalk& walk : packet.walks)
        for (const MatchedRule& matched : walk.rules)
            json["rules"].push_back(rule_json(walk, matched, ruleset.names));
    return json;
}

PacketTestOutput test_packet(const Snapshot& snapshot, const std::vector<std::string>& words,
                             uint64_t wall_ns, bool explain) {
    PacketTestOutput output;
    auto question = parse_question(words, snapshot.ruleset.names);
    if (!question) {
        output.text = "test: " + question.error().message + '\n';
        if (!question.error().hint.empty())
            output.text += "    hint: " + question.error().hint + '\n';
        return output;
    }
    const TracedPacket packet = trace_packet(snapshot, std::move(*question), wall_ns, explain);
    output.is_good = true;
    output.text = traced_packet_text(packet, snapshot.ruleset);
    output.json = traced_packet_json(packet, snapshot.ruleset);
    return output;
}

std::string packet_test_help() {
    std::string text =
        "What would become of a packet, and which rules say so. Nothing is sent or changed.\n"
        "Usage: rampartctl test KEY=VALUE... [--explain] [--config FILE] [--json]\n\n"
        "  --explain      also the rules that did not match, and the key that does not hold\n"
        "  --config FILE  the rules of this file, without a daemon; otherwise the running ones\n\n";
    for (const QuestionKey& key : question_keys())
        text += fmt::format("  {:<13}  {}\n", std::string(key.name) + "=", key.help);
    return text;
}

}  // namespace rampart
