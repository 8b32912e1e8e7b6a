#include "support/rule_bench.h"

#include <stdexcept>

#include "config/document.h"
#include "rules/protocols.h"

namespace rampart::test {

Sample packet_between(std::string_view src, std::string_view dst, uint8_t protocol,
                      uint16_t src_port, uint16_t dst_port) {
    const auto from = IpAddress::parse(src);
    const auto to = IpAddress::parse(dst);
    if (!from || !to) throw std::invalid_argument("bad address in a test");
    Sample sample;
    sample.tuple = {.src = from->bytes,
                    .dst = to->bytes,
                    .src_port = be16::from_host(src_port),
                    .dst_port = be16::from_host(dst_port),
                    .protocol = protocol,
                    .family = from->family};
    sample.packet.protocol = protocol;
    sample.packet.family = from->family;
    sample.packet.hop_limit = 64;
    sample.packet.mark = 0;
    sample.packet.is_datagram = false;
    sample.packet.is_icmp_error = false;
    return sample;
}

Sample icmp(std::string_view src, std::string_view dst, uint8_t type, uint8_t code) {
    const bool is_v6 = src.find(':') != src.npos;
    return packet_between(src, dst, is_v6 ? ip_protocol::kIcmpv6 : ip_protocol::kIcmp, 1,
                          static_cast<uint16_t>(type << 8 | code));
}

Names sample_names() {
    Names names;
    for (const char* name : {"lan", "wan", "eth0", "eth1"})
        names.interfaces.push_back({.name = name, .is_routed = true});
    Zone inside{.name = "inside", .interfaces = {}};
    inside.interfaces.set(0);
    names.zones.push_back(inside);
    names.chains = {"forward", "web"};
    return names;
}

Value yaml(const std::string& text) {
    Diagnostics diagnostics;
    const auto value = read_document("test.yaml", text, diagnostics);
    if (!value || diagnostics.has_errors()) throw std::invalid_argument(diagnostics.to_text());
    return *value;
}

RuleScope scope_of(const Value& rule, HookMask hooks) {
    RuleScope scope;
    scope.hooks = hooks;
    scope.protocol = rule.find("proto");
    if (scope.protocol == nullptr) return scope;
    const auto add = [&scope](const Value& word) {
        if (const auto number = parse_protocol(word.text())) scope.protocols.push_back(*number);
    };
    if (scope.protocol->is_scalar()) add(*scope.protocol);
    for (const Value& word : scope.protocol->items())
        add(word);
    return scope;
}

std::string problem_of(const Diagnostics& diagnostics) {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics.all()) {
        if (!text.empty()) text += "; ";
        text += diagnostic.code + " " + diagnostic.message;
        if (!diagnostic.hint.empty()) text += " | " + diagnostic.hint;
    }
    return text;
}

RuleBench::RuleBench(const std::string& rule, std::string_view key, HookMask hooks)
    : rule_(yaml(rule)) {
    const RuleScope scope = scope_of(rule_, hooks);
    const Value::Entry* entry = rule_.find_entry(key);
    match_.type = find_match_type(key);
    if (entry == nullptr || match_.type == nullptr) throw std::invalid_argument("no such match");
    ParseContext context{diagnostics_, names_, scope, key, entry->key.location()};
    match_.arguments = match_.type->parse(entry->value, context);
}

std::string RuleBench::problem() const {
    return problem_of(diagnostics_);
}

TargetBench::TargetBench(const std::string& text) {
    const Value rule = yaml(text);
    const Names names = sample_names();
    const RuleScope scope = scope_of(rule);
    ParseContext context{diagnostics, names, scope};
    const Value* action = rule.find("action");
    const TargetType* type = action != nullptr ? find_action(action->text()) : nullptr;
    for (const Value::Entry& entry : rule.entries()) {
        if (type == nullptr) type = find_target_key(entry.key.text());
    }
    if (type == nullptr) throw std::invalid_argument("no target");
    is_good = type->parse(rule, context, decision);
    if (!is_good) return;
    printed = type->print(decision, names);
    short_form = type->print_short(decision, names);
}

}  // namespace rampart::test
