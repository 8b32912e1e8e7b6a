#include "control/capture_format.h"

#include <algorithm>
#include <cstring>
#include <openssl/evp.h>
#include <vector>

#include <fmt/format.h>

#include "control/trace_format.h"
#include "packet/parser.h"

namespace rampart {
namespace {

std::string_view to_string(CapturePoint point) {
    switch (point) {
        case CapturePoint::Received:
            return "received";
        case CapturePoint::Sent:
            return "sent";
        case CapturePoint::Dropped:
            return "dropped";
        case CapturePoint::Local:
            return "local";
    }
    return "";
}

std::string interface_name(const Names& names, InterfaceIndex index) {
    return index < names.interfaces.size() ? names.interfaces[index].name : "none";
}

// Empty: there is none, or it is not known by name any more.
std::string rule_name(RuleIndex index, const Ruleset* ruleset) {
    if (ruleset == nullptr || index >= ruleset->rules.size()) return {};
    if (const Rule* rule = ruleset->rules[index]) return rule->id;
    for (const Chain& chain : ruleset->chains)
        if (chain.policy != Policy::None && chain.policy_index == index)
            return "policy of " + chain.name;
    return {};
}

// What the parser makes of the bytes; headers that were not copied are zero.
std::string describe(const CaptureHead& head, std::span<const std::byte> bytes) {
    std::vector<uint8_t> frame(
        std::max<size_t>(bytes.size(), std::min(head.length, kMaxHeaderBytes)));
    if (!bytes.empty()) std::memcpy(frame.data(), bytes.data(), bytes.size());
    Packet packet;
    TraceRecord record;
    record.frame_length = head.length;
    const ParseOutcome outcome =
        parse_frame(packet, frame.data(), static_cast<uint32_t>(frame.size()), head.length,
                    {.verify_ip_checksum = false});
    if (outcome.kind == FrameKind::Drop)
        return fmt::format("{} bytes, malformed: {}", head.length,
                           rampart::to_string(outcome.reason));
    record.ether_type = packet.ether_type;
    record.vlan_tci = packet.vlan_tci;
    if (outcome.kind == FrameKind::Other) return frame_line(record);
    record.facts = TraceRecord::kIsIp;
    record.tuple = tuple_of(packet);
    record.ip_length = packet.ip_length;
    record.hop_limit = packet.hop_limit;
    if (outcome.kind == FrameKind::Fragment) {
        record.tuple.src_port = record.tuple.dst_port = be16{};
        return frame_line(record) + ", a fragment";
    }
    if (packet.protocol == ip_protocol::kTcp) record.tcp_flags = packet.tcp_flags;
    return frame_line(record);
}

std::string base64(std::span<const std::byte> bytes) {
    // With the zero that the library writes behind it.
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()));
    text.resize(static_cast<size_t>(length));
    return text;
}

}  // namespace

std::string capture_text(const CaptureHead& head, std::span<const std::byte> bytes,
                         const Ruleset* ruleset, const Names& names) {
    std::string text =
        fmt::format("{} {} {} {}", time_text(head.wall_ns), interface_name(names, head.interface),
                    to_string(head.point), describe(head, bytes));
    if (head.point == CapturePoint::Dropped)
        text += fmt::format(", {}", rampart::to_string(head.reason));
    if (const std::string rule = rule_name(head.rule, ruleset); !rule.empty())
        text += ", rule " + rule;
    return text + '\n';
}

Json capture_json(const CaptureHead& head, std::span<const std::byte> bytes, const Ruleset* ruleset,
                  const Names& names) {
    Json json{{"time_ns", head.wall_ns},
              {"interface", interface_name(names, head.interface)},
              {"point", to_string(head.point)}};
    if (head.point == CapturePoint::Dropped) json["reason"] = rampart::to_string(head.reason);
    if (std::string rule = rule_name(head.rule, ruleset); !rule.empty())
        json["rule"] = std::move(rule);
    json["worker"] = head.worker;
    json["length"] = head.length;
    json["bytes"] = base64(bytes);
    return json;
}

}  // namespace rampart
