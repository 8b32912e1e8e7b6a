#include "support/frame.h"

#include <stdexcept>

namespace rampart::test {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17, kIcmp = 1, kIcmpv6 = 58;

void put8(Bytes& out, unsigned value) {
    out.push_back(static_cast<uint8_t>(value));
}

void put16(Bytes& out, unsigned value) {
    put8(out, value >> 8);
    put8(out, value);
}

void put32(Bytes& out, uint32_t value) {
    put16(out, value >> 16);
    put16(out, value);
}

template <typename Range>
void append(Bytes& out, const Range& bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void set16(Bytes& out, size_t at, unsigned value) {
    out.at(at) = static_cast<uint8_t>(value >> 8);
    out.at(at + 1) = static_cast<uint8_t>(value);
}

bool is_ipv4(const FrameSpec& spec) {
    return spec.src.family == Family::Ipv4;
}

void append_address(Bytes& out, const IpAddress& address) {
    const size_t size = address.family == Family::Ipv4 ? 4 : 16;
    out.insert(out.end(), address.bytes.begin(), address.bytes.begin() + static_cast<long>(size));
}

uint8_t protocol_of(const FrameSpec& spec) {
    switch (spec.transport) {
        case Transport::Tcp:
            return kTcp;
        case Transport::Udp:
            return kUdp;
        case Transport::Icmp:
            return is_ipv4(spec) ? kIcmp : kIcmpv6;
        case Transport::Other:
            break;
    }
    return spec.protocol;
}

// Returns the transport bytes with a zero checksum; `checksum_at` is where it belongs.
Bytes transport_bytes(const FrameSpec& spec, size_t& checksum_at) {
    Bytes out;
    switch (spec.transport) {
        case Transport::Tcp: {
            Bytes options = spec.tcp_options;
            while (options.size() % 4 != 0)
                options.push_back(0);
            put16(out, spec.src_port);
            put16(out, spec.dst_port);
            put32(out, spec.seq);
            put32(out, spec.ack);
            put8(out, spec.data_offset.value_or(static_cast<uint8_t>(5 + options.size() / 4))
                          << 4u);
            put8(out, spec.tcp_flags);
            put16(out, spec.window);
            put32(out, 0);
            append(out, options);
            checksum_at = 16;
            break;
        }
        case Transport::Udp:
            put16(out, spec.src_port);
            put16(out, spec.dst_port);
            put16(out, spec.udp_length.value_or(static_cast<uint16_t>(8 + spec.payload.size())));
            put16(out, 0);
            checksum_at = 6;
            break;
        case Transport::Icmp:
            put8(out, spec.icmp_type);
            put8(out, spec.icmp_code);
            put16(out, 0);
            put16(out, spec.icmp_id);
            put16(out, spec.icmp_seq);
            checksum_at = 2;
            break;
        case Transport::Other:
            break;
    }
    append(out, spec.payload);
    return out;
}

Bytes pseudo_header(const FrameSpec& spec, uint8_t protocol, size_t size) {
    Bytes out;
    append_address(out, spec.src);
    append_address(out, spec.dst);
    put16(out, 0);
    put16(out, static_cast<unsigned>(size));
    put16(out, protocol);
    return out;
}

Bytes finished_transport(const FrameSpec& spec) {
    size_t checksum_at = 0;
    Bytes transport = transport_bytes(spec, checksum_at);
    if (checksum_at != 0 && spec.checksum != ChecksumAs::Zero) {
        const uint8_t protocol = protocol_of(spec);
        Bytes summed;
        if (protocol != kIcmp) summed = pseudo_header(spec, protocol, transport.size());
        append(summed, transport);
        uint16_t checksum = plain_checksum(summed);
        if (spec.transport == Transport::Udp && checksum == 0) checksum = 0xffff;  // RFC 768
        if (spec.checksum == ChecksumAs::Wrong) checksum ^= 0x5555;
        set16(transport, checksum_at, checksum);
    }
    if (spec.transport_cut && *spec.transport_cut < transport.size())
        transport.resize(*spec.transport_cut);
    return transport;
}

Bytes ipv4_packet(const FrameSpec& spec, const Bytes& transport) {
    Bytes out;
    const size_t header = 20 + spec.ip_options.size();
    put8(out, spec.version.value_or(4) << 4u |
                  spec.header_words.value_or(static_cast<uint8_t>(header / 4)));
    put8(out, spec.tos);
    put16(out, spec.ip_length.value_or(static_cast<uint16_t>(header + transport.size())));
    put16(out, 0x1234);
    put16(out, (spec.dont_fragment ? 0x4000u : 0u) | (spec.more_fragments ? 0x2000u : 0u) |
                   spec.fragment_offset);
    put8(out, spec.ttl);
    put8(out, protocol_of(spec));
    put16(out, 0);
    append_address(out, spec.src);
    append_address(out, spec.dst);
    append(out, spec.ip_options);
    uint16_t checksum = plain_checksum(out);
    if (spec.bad_ip_checksum) ++checksum;
    set16(out, 10, checksum);
    append(out, transport);
    return out;
}

Bytes ipv6_packet(const FrameSpec& spec, const Bytes& transport) {
    Bytes body;
    uint8_t next = spec.next_header.value_or(protocol_of(spec));
    for (auto extension = spec.extensions.rbegin(); extension != spec.extensions.rend();
         ++extension) {
        Bytes header = extension->bytes;
        if (header.empty()) throw std::invalid_argument("an extension header without bytes");
        header[0] = next;
        next = extension->type;
        append(header, body);
        body = header;
    }
    append(body, transport);
    Bytes out;
    put32(out, uint32_t{spec.version.value_or(6)} << 28 | uint32_t{spec.tos} << 20);
    put16(out, spec.ip_length.value_or(static_cast<uint16_t>(body.size())));
    put8(out, next);
    put8(out, spec.ttl);
    append_address(out, spec.src);
    append_address(out, spec.dst);
    append(out, body);
    return out;
}

}  // namespace

uint16_t plain_checksum(const Bytes& bytes) {
    uint32_t sum = 0;
    for (size_t i = 0; i < bytes.size(); i += 2) {
        const uint32_t low = i + 1 < bytes.size() ? bytes[i + 1] : 0;
        sum += uint32_t{bytes[i]} << 8 | low;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<uint16_t>(~sum);
}

Bytes build_ip_packet(const FrameSpec& spec) {
    const Bytes transport = finished_transport(spec);
    return is_ipv4(spec) ? ipv4_packet(spec, transport) : ipv6_packet(spec, transport);
}

Bytes build_frame(const FrameSpec& spec) {
    Bytes out = spec.raw;
    if (out.empty()) {
        append(out, spec.dst_mac);
        append(out, spec.src_mac);
        for (const FrameSpec::Tag& tag : spec.tags) {
            put16(out, tag.type);
            put16(out, tag.tci);
        }
        if (spec.payload_type) {
            put16(out, *spec.payload_type);
            append(out, spec.payload);
        } else {
            put16(out, spec.ether_type.value_or(is_ipv4(spec) ? 0x0800 : 0x86dd));
            append(out, build_ip_packet(spec));
        }
        out.insert(out.end(), spec.pad, 0xee);
    }
    if (spec.cut && *spec.cut < out.size()) out.resize(*spec.cut);
    return out;
}

}  // namespace rampart::test
