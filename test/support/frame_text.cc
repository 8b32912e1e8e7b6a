#include "support/frame_text.h"

#include <algorithm>

#include "support/packet_line.h"

namespace rampart::test {
namespace {

unsigned get16(const Bytes& bytes, size_t at) {
    return bytes.at(at) << 8u | bytes.at(at + 1);
}

uint32_t get32(const Bytes& bytes, size_t at) {
    return uint32_t{get16(bytes, at)} << 16 | get16(bytes, at + 2);
}

std::string endpoint(const IpAddress& address, unsigned port) {
    const std::string text = address.to_string();
    const bool is_ipv6 = address.family == Family::Ipv6;
    return (is_ipv6 ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

std::string icmp_text(Family family, unsigned type, unsigned code) {
    for (const IcmpName& name : kIcmpNames)
        if (code == 0 && type == (family == Family::Ipv4 ? name.type4 : name.type6))
            return std::string(name.name);
    return std::to_string(type) + "/" + std::to_string(code);
}

std::string flags_text(uint8_t flags) {
    constexpr std::pair<char, uint8_t> kOrder[] = {{'F', 0x01}, {'S', 0x02}, {'R', 0x04},
                                                   {'P', 0x08}, {'A', 0x10}, {'U', 0x20},
                                                   {'E', 0x40}, {'C', 0x80}};
    if (flags == 0x10) return ".";
    std::string text;
    for (const auto& [letter, bit] : kOrder)
        if (flags & bit) text += letter;
    return text.empty() ? "none" : text;
}

std::string name_of(uint8_t protocol) {
    switch (protocol) {
        case 6:
            return "tcp";
        case 17:
            return "udp";
        case 132:
            return "sctp";
        default:
            return "udplite";
    }
}

struct IpView {
    IpAddress src, dst;
    uint8_t protocol = 0;
    uint8_t ttl = 0;
    Bytes transport;
    std::string faults;
};

IpAddress address_at(const Bytes& bytes, size_t at, Family family) {
    IpAddress address;
    address.family = family;
    const size_t size = family == Family::Ipv4 ? 4 : 16;
    std::copy_n(bytes.begin() + static_cast<long>(at), size, address.bytes.begin());
    return address;
}

Bytes part(const Bytes& bytes, size_t first, size_t last) {
    return {bytes.begin() + static_cast<long>(first), bytes.begin() + static_cast<long>(last)};
}

IpView view_of(const Bytes& packet) {
    IpView view;
    const bool is_ipv4 = packet.at(0) >> 4 == 4;
    const Family family = is_ipv4 ? Family::Ipv4 : Family::Ipv6;
    const size_t header = is_ipv4 ? (packet[0] & 0x0fu) * 4u : 40u;
    const size_t length = is_ipv4 ? get16(packet, 2) : get16(packet, 4) + 40;
    if (length > packet.size() || header > length) view.faults += " bad-length";
    if (is_ipv4 && plain_checksum(part(packet, 0, header)) != 0) view.faults += " bad-ip-checksum";
    view.src = address_at(packet, is_ipv4 ? 12 : 8, family);
    view.dst = address_at(packet, is_ipv4 ? 16 : 24, family);
    view.protocol = packet.at(is_ipv4 ? 9 : 6);
    view.ttl = packet.at(is_ipv4 ? 8 : 7);
    view.transport = part(packet, header, std::min(length, packet.size()));
    return view;
}

bool is_checksum_wrong(const IpView& view) {
    Bytes summed;
    if (view.protocol != 1) {
        const size_t size = view.src.family == Family::Ipv4 ? 4 : 16;
        for (const IpAddress* address : {&view.src, &view.dst})
            summed.insert(summed.end(), address->bytes.begin(),
                          address->bytes.begin() + static_cast<long>(size));
        const size_t length = view.transport.size();
        summed.insert(summed.end(), {0, view.protocol, static_cast<uint8_t>(length >> 8),
                                     static_cast<uint8_t>(length)});
    }
    summed.insert(summed.end(), view.transport.begin(), view.transport.end());
    return plain_checksum(summed) != 0;
}

// The head of a quoted packet: what an error says it is about.
std::string quoted_text(const Bytes& quoted) {
    if (quoted.size() < 28) return " about " + std::to_string(quoted.size()) + " bytes";
    const bool is_ipv4 = quoted[0] >> 4 == 4;
    const Family family = is_ipv4 ? Family::Ipv4 : Family::Ipv6;
    const size_t transport = is_ipv4 ? (quoted[0] & 0x0fu) * 4u : 40u;
    if (transport + 8 > quoted.size()) return " about " + std::to_string(quoted.size()) + " bytes";
    Tuple tuple;
    tuple.family = family;
    tuple.protocol = quoted.at(is_ipv4 ? 9 : 6);
    tuple.src = address_at(quoted, is_ipv4 ? 12 : 8, family).bytes;
    tuple.dst = address_at(quoted, is_ipv4 ? 16 : 24, family).bytes;
    tuple.src_port = be16::from_host(static_cast<uint16_t>(get16(quoted, transport)));
    tuple.dst_port = be16::from_host(static_cast<uint16_t>(get16(quoted, transport + 2)));
    if (tuple.protocol == 1 || tuple.protocol == 58) {
        tuple.dst_port = tuple.src_port;
        tuple.src_port = be16::from_host(static_cast<uint16_t>(get16(quoted, transport + 4)));
    }
    return " about " + tuple_text(tuple) + " quoting " + std::to_string(quoted.size());
}

std::string transport_text(const IpView& view) {
    const Bytes& l4 = view.transport;
    const std::string src = view.src.to_string(), dst = view.dst.to_string();
    if (view.protocol == 6 && l4.size() >= 20) {
        const size_t header = (l4[12] >> 4) * 4u;
        return "tcp " + endpoint(view.src, get16(l4, 0)) + " > " +
               endpoint(view.dst, get16(l4, 2)) + " " + flags_text(l4[13]) + " seq " +
               std::to_string(get32(l4, 4)) + " ack " + std::to_string(get32(l4, 8)) + " win " +
               std::to_string(get16(l4, 14)) + " len " + std::to_string(l4.size() - header);
    }
    if (view.protocol == 17 && l4.size() >= 8)
        return "udp " + endpoint(view.src, get16(l4, 0)) + " > " +
               endpoint(view.dst, get16(l4, 2)) + " len " + std::to_string(l4.size() - 8);
    if ((view.protocol == 1 || view.protocol == 58) && l4.size() >= 8) {
        const bool is_error = view.protocol == 1
                                  ? l4[0] == 3 || l4[0] == 4 || l4[0] == 5 || l4[0] == 11
                                  : l4[0] < 128;
        return "icmp " + src + " > " + dst + " " + (is_error ? "error " : "") +
               icmp_text(view.src.family, l4[0], l4[1]) +
               (is_error ? quoted_text(part(l4, 8, l4.size()))
                         : " id " + std::to_string(get16(l4, 4)));
    }
    return "ip " + src + " > " + dst + " proto " + std::to_string(view.protocol) + " len " +
           std::to_string(l4.size());
}

}  // namespace

std::string frame_text(const Bytes& frame) {
    if (frame.size() < 14) return "runt of " + std::to_string(frame.size()) + " bytes";
    std::string tags;
    size_t offset = 12;
    while (frame.size() >= offset + 6 && get16(frame, offset) == 0x8100) {
        tags += " vlan " + std::to_string(get16(frame, offset + 2));
        offset += 4;
    }
    const unsigned type = get16(frame, offset);
    const Bytes packet = part(frame, offset + 2, frame.size());
    const bool is_ip =
        (type == 0x0800 && packet.size() >= 20) || (type == 0x86dd && packet.size() >= 40);
    if (!is_ip) return "ether " + std::to_string(type) + tags;
    const IpView view = view_of(packet);
    const bool has_checksum =
        view.protocol == 6 || view.protocol == 17 || view.protocol == 1 || view.protocol == 58;
    return transport_text(view) + " ttl " + std::to_string(view.ttl) + tags + view.faults +
           (has_checksum && is_checksum_wrong(view) ? " bad-checksum" : "");
}

std::string tuple_text(const Tuple& tuple) {
    const std::string src = tuple.src_address().to_string();
    const std::string dst = tuple.dst_address().to_string();
    switch (tuple.protocol) {
        case 6:
        case 17:
        case 132:
        case 136:
            return name_of(tuple.protocol) + " " +
                   endpoint(tuple.src_address(), tuple.src_port.host()) + " > " +
                   endpoint(tuple.dst_address(), tuple.dst_port.host());
        case 1:
        case 58:
            return "icmp " + src + " > " + dst + " " +
                   icmp_text(tuple.family, tuple.icmp_type(), tuple.icmp_code()) + " id " +
                   std::to_string(tuple.src_port.host());
        case 47:
            return "gre " + src + " > " + dst +
                   (tuple.dst_port == be16{} && tuple.src_port == be16{}
                        ? ""
                        : " call " + std::to_string(tuple.dst_port.host()));
        default:
            return "ip " + src + " > " + dst + " proto " + std::to_string(tuple.protocol);
    }
}

}  // namespace rampart::test
