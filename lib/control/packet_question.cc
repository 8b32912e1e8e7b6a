#include "control/packet_question.h"

#include <algorithm>
#include <ctime>
#include <map>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "base/mac_address.h"
#include "base/scalar.h"
#include "conntrack/flow.h"
#include "control/packet_builder.h"
#include "packet/packet.h"
#include "rules/dscp.h"
#include "rules/icmp_patterns.h"
#include "rules/match.h"
#include "rules/protocols.h"

namespace rampart {
namespace {

constexpr QuestionKey kKeys[] = {
    {"in", "the port it comes in by; required"},
    {"out", "the port it leaves by; otherwise the other one of the pair"},
    {"proto", "a protocol; required"},
    {"src", "its source address; required"},
    {"dst", "its destination address; required"},
    {"sport", "its source port; otherwise 40000"},
    {"dport", "its destination port; required for tcp, udp, udplite and sctp"},
    {"icmp", "a message of ICMP or ICMPv6: a name, a type, or type/code; otherwise echo-request"},
    {"flags",
     "of TCP, such as syn or syn,ack; otherwise syn, or ack when the state is established"},
    {"state", "new, established, related, invalid or untracked; otherwise that of a first packet"},
    {"dir", "original or reply"},
    {"ct_mark", "the mark of its flow"},
    {"ct_status", "assured, seen_reply or expected, of its flow"},
    {"mark", "its mark"},
    {"ttl", "its TTL or hop limit; otherwise 64"},
    {"length", "of the IP packet, in bytes"},
    {"dscp", "its code point: a name or a number"},
    {"vlan", "the id of its VLAN tag"},
    {"mac_src", "its source MAC address"},
    {"mac_dst", "its destination MAC address"},
    {"frag", "true: it came in fragments and was put together"},
    {"time", "when: seconds since 1970, or YYYY-MM-DDTHH:MM[:SS] in UTC; otherwise now"},
};

// Seconds since 1970, or a date and a time of day in UTC.
std::optional<uint64_t> parse_instant_ns(const std::string& text) {
    constexpr uint64_t kSecond_ns = 1'000'000'000, kLast_s = UINT64_MAX / kSecond_ns;
    if (const auto seconds = parse_decimal(text, kLast_s)) return *seconds * kSecond_ns;
    for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"}) {
        tm parts{};
        const char* end = strptime(text.c_str(), format, &parts);
        if (end == nullptr || *end != '\0') continue;
        const time_t seconds = timegm(&parts);
        if (seconds >= 0) return static_cast<uint64_t>(seconds) * kSecond_ns;
    }
    return std::nullopt;
}

tl::unexpected<Error> bad(std::string_view key, const std::string& word, std::string hint) {
    return failure(fmt::format("{}={}: not understood", key, word), std::move(hint));
}

class QuestionReader {
  public:
    QuestionReader(const std::map<std::string_view, std::string>& words, const Names& names)
        : words_(words), names_(names) {}

    Result<PacketQuestion> read();

  private:
    const std::string* find(std::string_view key) const {
        const auto word = words_.find(key);
        return word == words_.end() ? nullptr : &word->second;
    }
    template <typename Parse, typename T>
    Result<void> take(std::string_view key, Parse parse, T& into, std::string_view wanted) const;
    template <typename T>
    Result<void> take_number(std::string_view key, uint64_t max, T& into) const;
    Result<void> take_interface(std::string_view key, InterfaceIndex& into) const;
    Result<void> take_word(std::string_view key, const std::vector<std::string_view>& known,
                           std::optional<size_t>& into) const;
    Result<void> check_required() const;
    Result<void> read_headers();
    Result<void> read_transport();
    Result<void> read_icmp();
    Result<void> read_tcp_flags();
    Result<void> read_tracking();
    Result<void> read_status();

    const std::map<std::string_view, std::string>& words_;
    const Names& names_;
    PacketQuestion question_;
    PacketFields fields_;
};

template <typename Parse, typename T>
Result<void> QuestionReader::take(std::string_view key, Parse parse, T& into,
                                  std::string_view wanted) const {
    const std::string* word = find(key);
    if (word == nullptr) return {};
    const auto value = parse(*word);
    if (!value) return bad(key, *word, std::string(wanted));
    into = static_cast<T>(*value);
    return {};
}

template <typename T>
Result<void> QuestionReader::take_number(std::string_view key, uint64_t max, T& into) const {
    return take(
        key, [max](const std::string& word) { return parse_decimal(word, max); }, into,
        fmt::format("a number, 0-{}", max));
}

Result<void> QuestionReader::take_interface(std::string_view key, InterfaceIndex& into) const {
    const std::string* word = find(key);
    if (word == nullptr) return {};
    std::vector<std::string_view> known;
    for (size_t i = 0; i < names_.interfaces.size(); ++i) {
        if (names_.interfaces[i].name == *word) into = static_cast<InterfaceIndex>(i);
        known.push_back(names_.interfaces[i].name);
    }
    if (into != kNoInterface) return {};
    return failure(fmt::format("{}={}: no such interface", key, *word),
                   "interfaces: " + listed(known));
}

Result<void> QuestionReader::take_word(std::string_view key,
                                       const std::vector<std::string_view>& known,
                                       std::optional<size_t>& into) const {
    const std::string* word = find(key);
    if (word == nullptr) return {};
    const auto found = std::find(known.begin(), known.end(), *word);
    if (found == known.end()) return bad(key, *word, "one of: " + listed(known));
    into = static_cast<size_t>(found - known.begin());
    return {};
}

Result<void> QuestionReader::check_required() const {
    for (const std::string_view key : {"in", "proto", "src", "dst"})
        if (find(key) == nullptr)
            return failure(fmt::format("{}= is missing", key),
                           "in=lan proto=tcp src=10.0.0.2 dst=192.0.2.1 dport=22");
    return {};
}

#define RAMPART_TRY(step) \
    if (auto result = (step); !result) return tl::unexpected<Error>(result.error())

Result<void> QuestionReader::read_headers() {
    RAMPART_TRY(take("proto", parse_protocol, fields_.protocol, "a name such as tcp, or 0-255"));
    RAMPART_TRY(take("src", IpAddress::parse, fields_.src, "an IP address"));
    RAMPART_TRY(take("dst", IpAddress::parse, fields_.dst, "an IP address"));
    if (fields_.src.family != fields_.dst.family)
        return failure("src and dst are of different families");
    RAMPART_TRY(take_number("ttl", 255, fields_.hop_limit));
    RAMPART_TRY(take_number("length", 65535, fields_.ip_length));
    RAMPART_TRY(take_number("vlan", 4094, fields_.vlan));
    RAMPART_TRY(take("mac_src", parse_mac_address, fields_.mac_src, "00:11:22:33:44:55"));
    RAMPART_TRY(take("mac_dst", parse_mac_address, fields_.mac_dst, "00:11:22:33:44:55"));
    return take(
        "dscp",
        [](const std::string& word) -> std::optional<uint8_t> {
            const auto range = parse_number_range(word, kDscpSyntax);
            if (!range || range->first != range->last) return std::nullopt;
            return static_cast<uint8_t>(range->first);
        },
        fields_.dscp, "a name such as ef or cs3, or 0-63");
}

Result<void> QuestionReader::read_transport() {
    RAMPART_TRY(take_number("sport", 65535, fields_.sport));
    RAMPART_TRY(take_number("dport", 65535, fields_.dport));
    const bool names_ports = find("sport") != nullptr || find("dport") != nullptr;
    if (names_ports && !has_ports(fields_.protocol)) return failure("this protocol has no ports");
    if (has_ports(fields_.protocol) && find("dport") == nullptr)
        return failure("dport= is missing", "this protocol has ports");
    RAMPART_TRY(read_icmp());
    return read_tcp_flags();
}

// The words of the matches `icmp` and `icmpv6`.
Result<void> QuestionReader::read_icmp() {
    const bool is_ipv6 = fields_.src.family == Family::Ipv6;
    const uint8_t wanted = is_ipv6 ? ip_protocol::kIcmpv6 : ip_protocol::kIcmp;
    const std::string* word = find("icmp");
    if (fields_.protocol != wanted) {
        if (word != nullptr || fields_.protocol == ip_protocol::kIcmp ||
            fields_.protocol == ip_protocol::kIcmpv6)
            return failure(fmt::format("proto is not that of these addresses; theirs is {}",
                                       print_protocol(wanted)));
        return {};
    }
    fields_.icmp_type = is_ipv6 ? 128 : 8;
    if (word == nullptr) return {};
    Diagnostics diagnostics;
    RuleScope scope;
    scope.protocols = {wanted};
    const Value protocol = Value::scalar(print_protocol(wanted), false, {});
    scope.protocol = &protocol;
    const MatchType* type = find_match_type(is_ipv6 ? "icmpv6" : "icmp");
    ParseContext context{diagnostics, names_, scope, type->key, {}};
    const Arguments arguments = type->parse(Value::scalar(*word, false, {}), context);
    if (!arguments || diagnostics.has_errors())
        return bad("icmp", *word, "echo-request, 8, or 3/4");
    const IcmpPattern& pattern = arguments.as<IcmpPatterns>().patterns.front();
    fields_.icmp_type = pattern.first_type;
    fields_.icmp_code =
        pattern.code == IcmpPattern::kAnyCode ? uint8_t{0} : static_cast<uint8_t>(pattern.code);
    if (pattern.hop_limit_255 && find("ttl") == nullptr) fields_.hop_limit = 255;
    return {};
}

Result<void> QuestionReader::read_tcp_flags() {
    const std::string* word = find("flags");
    if (word != nullptr && fields_.protocol != ip_protocol::kTcp)
        return failure("flags= needs proto=tcp");
    const bool is_later = find("state") != nullptr && *find("state") == "established";
    fields_.tcp_flags = is_later ? tcp_flag::kAck : tcp_flag::kSyn;
    if (word == nullptr) return {};
    constexpr std::string_view kFlags[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"};
    fields_.tcp_flags = 0;
    for (size_t at = 0; at <= word->size() && *word != "none";) {
        const size_t end = std::min(word->find(',', at), word->size());
        const auto flag = std::find(std::begin(kFlags), std::end(kFlags),
                                    std::string_view(*word).substr(at, end - at));
        if (flag == std::end(kFlags))
            return bad("flags", *word, "none, or of fin,syn,rst,psh,ack,urg,ece,cwr");
        fields_.tcp_flags |= static_cast<uint8_t>(1u << (flag - std::begin(kFlags)));
        at = end + 1;
    }
    return {};
}

Result<void> QuestionReader::read_tracking() {
    std::optional<size_t> state, direction, is_datagram;
    RAMPART_TRY(take_word("state", {std::begin(kCtClassNames), std::end(kCtClassNames)}, state));
    RAMPART_TRY(take_word("dir", {"original", "reply"}, direction));
    RAMPART_TRY(take_word("frag", {"false", "true"}, is_datagram));
    if (state) question_.state = static_cast<CtClass>(*state);
    question_.direction = static_cast<Direction>(direction.value_or(0));
    if (question_.direction == Direction::Reply && !state) question_.state = CtClass::Established;
    if (question_.direction == Direction::Reply && question_.state == CtClass::New)
        return failure("a reply is never new", "state=established");
    question_.is_datagram = is_datagram.value_or(0) == 1;
    RAMPART_TRY(take("mark", parse_hex_or_decimal, question_.mark, "a number such as 0x10"));
    RAMPART_TRY(take("ct_mark", parse_hex_or_decimal, question_.ct_mark, "a number such as 0x10"));
    return read_status();
}

Result<void> QuestionReader::read_status() {
    std::optional<size_t> status;
    RAMPART_TRY(take_word("ct_status", {"assured", "seen_reply", "expected"}, status));
    constexpr uint16_t kStatus[] = {flow_status::kAssured, flow_status::kSeenReply,
                                    flow_status::kExpected};
    if (status) question_.ct_status = kStatus[*status];
    return {};
}

Result<PacketQuestion> QuestionReader::read() {
    RAMPART_TRY(check_required());
    RAMPART_TRY(take_interface("in", question_.in));
    RAMPART_TRY(take_interface("out", question_.out));
    RAMPART_TRY(read_headers());
    RAMPART_TRY(read_transport());
    RAMPART_TRY(read_tracking());
    uint64_t wall_ns = 0;
    RAMPART_TRY(take("time", parse_instant_ns, wall_ns, "1700000000, or 2026-01-31T12:00"));
    if (find("time") != nullptr) question_.wall_ns = wall_ns;
    const BuiltPacket built = build_packet(fields_);
    if (find("length") != nullptr && built.headers_length > fields_.ip_length)
        return failure(fmt::format("length={}: the headers alone have {} bytes", fields_.ip_length,
                                   built.headers_length));
    question_.frame = built.frame;
    question_.frame_length = built.frame_length;
    return std::move(question_);
}

#undef RAMPART_TRY

}  // namespace

std::vector<QuestionKey> question_keys() {
    return {std::begin(kKeys), std::end(kKeys)};
}

Result<PacketQuestion> parse_question(const std::vector<std::string>& words, const Names& names) {
    std::map<std::string_view, std::string> values;
    std::vector<std::string_view> known;
    for (const QuestionKey& key : kKeys)
        known.push_back(key.name);
    for (const std::string& word : words) {
        const size_t equals = word.find('=');
        const std::string_view key = std::string_view(word).substr(0, equals);
        const auto found = std::find(known.begin(), known.end(), key);
        if (equals == word.npos || found == known.end()) {
            std::string hint = did_you_mean(key, known);
            return failure(fmt::format("{} is no KEY=VALUE of a packet", rampart::quoted(word)),
                           hint.empty() ? "keys: " + listed(known) : std::move(hint));
        }
        if (!values.emplace(*found, word.substr(equals + 1)).second)
            return failure(fmt::format("{}= stands twice", *found));
    }
    return QuestionReader(values, names).read();
}

}  // namespace rampart
