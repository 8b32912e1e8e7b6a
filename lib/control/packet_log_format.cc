#include "control/packet_log_format.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/endian.h"
#include "control/conntrack_names.h"
#include "packet/parser.h"
#include "rules/protocols.h"

namespace rampart {
namespace {

constexpr size_t kEthernetBytes = 14;
constexpr size_t kIpv4Bytes = 20, kIpv6Bytes = 40, kTcpBytes = 20, kPortsBytes = 8, kIcmpBytes = 8;
constexpr size_t kFragmentBytes = 8;
constexpr uint8_t kIcmpErrorTypes[] = {3, 4, 5, 11};

// An ICMP message that is shorter is not printed any further.
constexpr size_t least_icmp_bytes(uint8_t type) {
    switch (type) {
        case 3:
        case 4:
        case 5:
        case 11:
        case 12:
            return kIcmpBytes + kIpv4Bytes;
        case 13:
        case 14:
            return kIcmpBytes + 12;
        case 17:
        case 18:
            return kIcmpBytes + 4;
        default:
            return 0;
    }
}

// The headers from one offset on, as far as they were recorded and the packet reaches.
class Layout {
  public:
    Layout(const uint8_t* frame, size_t captured, std::string& text)
        : frame_(frame), end_(captured), text_(text) {}

    void packet(size_t at) {
        if (at >= end_) return incomplete(at);
        if (frame_[at] >> 4 == 6)
            ipv6(at, false);
        else
            ipv4(at, false);
    }

  private:
    template <typename... T>
    void add(fmt::format_string<T...> format, T&&... values) {
        fmt::format_to(std::back_inserter(text_), format, std::forward<T>(values)...);
    }
    bool has(size_t at, size_t bytes) const { return at + bytes <= end_; }
    void incomplete(size_t at) { add("INCOMPLETE [{} bytes] ", end_ > at ? end_ - at : 0); }
    uint8_t byte(size_t at) const { return frame_[at]; }
    uint16_t word(size_t at) const { return load_host16(frame_ + at); }
    uint32_t long_word(size_t at) const { return load_host32(frame_ + at); }
    std::string address4(size_t at) const {
        return fmt::format("{}.{}.{}.{}", byte(at), byte(at + 1), byte(at + 2), byte(at + 3));
    }
    // In full, as the kernel's %pI6 prints it.
    std::string address6(size_t at) const {
        std::string result;
        for (size_t i = 0; i < 16; i += 2)
            result += fmt::format("{}{:04x}", i == 0 ? "" : ":", word(at + i));
        return result;
    }

    void ipv4(size_t at, bool is_quoted);
    void ipv6(size_t at, bool is_quoted);
    // The next header and where it is; false when nothing more is to be printed.
    bool extensions(size_t& at, uint8_t& protocol, bool& is_later_fragment);
    bool fragment(size_t at, bool& is_later_fragment);
    bool tcp(size_t at, bool is_later_fragment);
    void tcp_flags(uint8_t flags);
    bool udp(size_t at, uint8_t protocol, bool is_later_fragment);
    void icmp4(size_t at, bool is_later_fragment, bool is_quoted);
    void icmp6(size_t at, bool is_later_fragment, bool is_quoted);
    bool security(size_t at, std::string_view name, size_t spi_offset, bool is_later_fragment);

    const uint8_t* frame_;
    size_t end_;
    std::string& text_;
};

void Layout::ipv4(size_t at, bool is_quoted) {
    if (!has(at, kIpv4Bytes)) return incomplete(at);
    const uint8_t tos = byte(at + 1);
    const uint16_t fragment = word(at + 6);
    add("SRC={} DST={} LEN={} TOS=0x{:02X} PREC=0x{:02X} TTL={} ID={} ", address4(at + 12),
        address4(at + 16), word(at + 2), tos & 0x1e, tos & 0xe0, byte(at + 8), word(at + 4));
    if (fragment & 0x8000) add("CE ");
    if (fragment & 0x4000) add("DF ");
    if (fragment & 0x2000) add("MF ");
    const bool is_later = (fragment & 0x1fff) != 0;
    if (is_later) add("FRAG:{} ", fragment & 0x1fff);
    const uint8_t protocol = byte(at + 9);
    const size_t next = at + (byte(at) & 0x0fu) * 4;
    switch (protocol) {
        case ip_protocol::kTcp:
            tcp(next, is_later);
            break;
        case ip_protocol::kUdp:
        case ip_protocol::kUdpLite:
            udp(next, protocol, is_later);
            break;
        case ip_protocol::kIcmp:
            icmp4(next, is_later, is_quoted);
            break;
        case ip_protocol::kAh:
            security(next, "AH", 4, is_later);
            break;
        case ip_protocol::kEsp:
            security(next, "ESP", 0, is_later);
            break;
        default:
            add("PROTO={} ", protocol);
    }
}

// Authentication headers are passed over, as those of options are.
bool Layout::extensions(size_t& at, uint8_t& protocol, bool& is_later_fragment) {
    for (unsigned count = 0; count <= kMaxExtensionHeaders; ++count) {
        const bool has_length = protocol == ip_protocol::kHopByHop ||
                                protocol == ip_protocol::kRouting ||
                                protocol == ip_protocol::kDestination;
        const bool is_ah = protocol == ip_protocol::kAh;
        if (!has_length && !is_ah && protocol != ip_protocol::kFragment) return true;
        if (!has(at, 2)) return add("TRUNCATED"), false;
        if (has_length && is_later_fragment) return false;
        if (protocol == ip_protocol::kFragment && !fragment(at, is_later_fragment)) return false;
        const size_t bytes = has_length ? (byte(at + 1) + 1u) * 8u
                             : is_ah    ? (byte(at + 1) + 2u) * 4u
                                        : kFragmentBytes;
        protocol = byte(at);
        at += bytes;
    }
    return false;
}

bool Layout::fragment(size_t at, bool& is_later_fragment) {
    add("FRAG:");
    if (!has(at, kFragmentBytes)) return add("TRUNCATED "), false;
    const uint16_t offset = word(at + 2) & 0xfff8;
    add("{} ", offset);
    if (word(at + 2) & 1) add("INCOMPLETE ");
    add("ID:{:08x} ", long_word(at + 4));
    is_later_fragment |= offset != 0;
    return true;
}

void Layout::ipv6(size_t at, bool is_quoted) {
    if (!has(at, kIpv6Bytes)) return add("TRUNCATED");
    const uint32_t flow = long_word(at);
    add("SRC={} DST={} LEN={} TC={} HOPLIMIT={} FLOWLBL={} ", address6(at + 8), address6(at + 24),
        word(at + 4) + kIpv6Bytes, (flow & 0x0ff00000) >> 20, byte(at + 7), flow & 0x000fffff);
    uint8_t protocol = byte(at + 6);
    size_t next = at + kIpv6Bytes;
    bool is_later = false;
    if (!extensions(next, protocol, is_later)) return;
    switch (protocol) {
        case ip_protocol::kTcp:
            tcp(next, is_later);
            break;
        case ip_protocol::kUdp:
        case ip_protocol::kUdpLite:
            udp(next, protocol, is_later);
            break;
        case ip_protocol::kIcmpv6:
            icmp6(next, is_later, is_quoted);
            break;
        case ip_protocol::kEsp:
            // Linux prints nothing of it here; IPv4's words say more.
            security(next, "ESP", 0, is_later);
            break;
        default:
            add("PROTO={} ", protocol);
    }
}

bool Layout::security(size_t at, std::string_view name, size_t spi_offset, bool is_later_fragment) {
    add("PROTO={} ", name);
    if (is_later_fragment) return false;
    if (!has(at, spi_offset + 4)) return incomplete(at), false;
    add("SPI=0x{:x} ", long_word(at + spi_offset));
    return true;
}

bool Layout::tcp(size_t at, bool is_later_fragment) {
    add("PROTO=TCP ");
    if (is_later_fragment) return false;
    if (!has(at, kTcpBytes)) return incomplete(at), false;
    add("SPT={} DPT={} WINDOW={} RES=0x{:02x} ", word(at), word(at + 2), word(at + 14),
        (byte(at + 12) & 0x0fu) << 2);
    tcp_flags(byte(at + 13));
    add("URGP={} ", word(at + 18));
    return true;
}

void Layout::tcp_flags(uint8_t flags) {
    constexpr std::pair<uint8_t, std::string_view> kFlags[] = {
        {tcp_flag::kCwr, "CWR "}, {tcp_flag::kEce, "ECE "}, {tcp_flag::kUrg, "URG "},
        {tcp_flag::kAck, "ACK "}, {tcp_flag::kPsh, "PSH "}, {tcp_flag::kRst, "RST "},
        {tcp_flag::kSyn, "SYN "}, {tcp_flag::kFin, "FIN "}};
    for (const auto& [flag, name] : kFlags)
        if (flags & flag) text_ += name;
}

bool Layout::udp(size_t at, uint8_t protocol, bool is_later_fragment) {
    add("PROTO={} ", protocol == ip_protocol::kUdp ? "UDP" : "UDPLITE");
    if (is_later_fragment) return false;
    if (!has(at, kPortsBytes)) return incomplete(at), false;
    add("SPT={} DPT={} LEN={} ", word(at), word(at + 2), word(at + 4));
    return true;
}

void Layout::icmp4(size_t at, bool is_later_fragment, bool is_quoted) {
    add("PROTO=ICMP ");
    if (is_later_fragment) return;
    if (!has(at, kIcmpBytes)) return incomplete(at);
    const uint8_t type = byte(at), code = byte(at + 1);
    add("TYPE={} CODE={} ", type, code);
    if (!has(at, least_icmp_bytes(type))) return incomplete(at);
    if (type == 8 || type == 0) add("ID={} SEQ={} ", word(at + 4), word(at + 6));
    if (type == 12) add("PARAMETER={} ", byte(at + 4));
    if (type == 5) add("GATEWAY={} ", address4(at + 4));
    if (std::find(std::begin(kIcmpErrorTypes), std::end(kIcmpErrorTypes), type) ==
        std::end(kIcmpErrorTypes))
        return;
    if (!is_quoted) {
        add("[");
        ipv4(at + kIcmpBytes, true);
        add("] ");
    }
    if (type == 3 && code == 4) add("MTU={} ", word(at + 6));
}

void Layout::icmp6(size_t at, bool is_later_fragment, bool is_quoted) {
    add("PROTO=ICMPv6 ");
    if (is_later_fragment) return;
    if (!has(at, kIcmpBytes)) return incomplete(at);
    const uint8_t type = byte(at);
    add("TYPE={} CODE={} ", type, byte(at + 1));
    if (type == 128 || type == 129) add("ID={} SEQ={} ", word(at + 4), word(at + 6));
    if (type == 4) add("POINTER={:08x} ", long_word(at + 4));
    if (type < 1 || type > 4) return;
    if (!is_quoted) {
        add("[");
        ipv6(at + kIcmpBytes, true);
        add("] ");
    }
    if (type == 2) add("MTU={} ", long_word(at + 4));
}

std::string mac_bytes(const uint8_t* bytes, size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i)
        text += fmt::format("{}{:02x}", i == 0 ? "" : ":", bytes[i]);
    return text;
}

// The frame's header as it is without its VLAN tag, which the kernel keeps apart as well.
std::string mac_header(const PacketLogRecord& record) {
    if (record.l3_offset < kEthernetBytes || record.captured < record.l3_offset) return {};
    return mac_bytes(record.frame, 12) + ':' + mac_bytes(record.frame + record.l3_offset - 2, 2);
}

// The same facts by name, for those who read JSON.
void add_addresses(Json& json, const PacketLogRecord& record) {
    uint8_t frame[PacketLogRecord::kFrameBytes];
    std::memcpy(frame, record.frame, record.captured);
    const size_t l3 = record.l3_offset;
    if (record.captured < l3 + kIpv4Bytes) return;
    const bool is_ipv6 = frame[l3] >> 4 == 6;
    const size_t ip_bytes =
        is_ipv6 ? load_host16(frame + l3 + 4) + kIpv6Bytes : size_t{load_host16(frame + l3 + 2)};
    Packet packet;
    const ParseOutcome outcome =
        parse_frame(packet, frame, record.captured, static_cast<uint32_t>(l3 + ip_bytes),
                    {.verify_ip_checksum = false});
    if (outcome.kind != FrameKind::Ip && outcome.kind != FrameKind::Fragment) return;
    const Tuple tuple = tuple_of(packet);
    json["family"] = is_ipv6 ? "ipv6" : "ipv4";
    json["src"] = tuple.src_address().to_string();
    json["dst"] = tuple.dst_address().to_string();
    json["length"] = ip_bytes;
    json["ttl"] = packet.hop_limit;
    json["proto"] = print_protocol(packet.protocol);
    if (is_icmp(packet.protocol)) {
        json["icmp_type"] = tuple.icmp_type();
        json["icmp_code"] = tuple.icmp_code();
    } else if (tuple.src_port.host() != 0 || tuple.dst_port.host() != 0) {
        json["sport"] = tuple.src_port.host();
        json["dport"] = tuple.dst_port.host();
    }
    if (packet.protocol == ip_protocol::kTcp) json["tcp_flags"] = packet.tcp_flags;
}

}  // namespace

std::string packet_log_text(const PacketLogRecord& record, const PacketLogNames& names) {
    std::string text = fmt::format("{}IN={} OUT={} ", names.prefix, names.in, names.out);
    if (record.vlan_tci != 0) text += fmt::format("VPROTO=8100 VID={} ", record.vlan_tci & 0x0fff);
    text += fmt::format("MAC={} ", mac_header(record));
    Layout(record.frame, record.captured, text).packet(record.l3_offset);
    if (record.mark != 0) text += fmt::format("MARK=0x{:x} ", record.mark);
    return text + fmt::format("rule={} action={}", names.rule, names.action);
}

Json packet_log_json(const PacketLogRecord& record, const PacketLogNames& names) {
    Json json{{"time_ns", record.wall_ns},
              {"prefix", names.prefix},
              {"chain", names.chain},
              {"rule", names.rule},
              {"place", names.place},
              {"action", names.action},
              {"in", names.in},
              {"out", names.out},
              {"state", nullptr}};
    json["state"] = to_string(record.ct_class);
    if (record.l3_offset >= kEthernetBytes && record.captured >= kEthernetBytes) {
        json["mac_dst"] = mac_bytes(record.frame, 6);
        json["mac_src"] = mac_bytes(record.frame + 6, 6);
    }
    if (record.vlan_tci != 0) json["vlan"] = record.vlan_tci & 0x0fff;
    if (record.mark != 0) json["mark"] = record.mark;
    add_addresses(json, record);
    return json;
}

}  // namespace rampart
