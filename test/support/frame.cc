#include "support/frame.h"

#include <stdexcept>

namespace rampart::test {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17, kIcmp = 1, kGre = 47, kIcmpv6 = 58, kSctp = 132,
                  kUdpLite = 136;

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
        case Transport::UdpLite:
            return kUdpLite;
        case Transport::Icmp:
            return is_ipv4(spec) ? kIcmp : kIcmpv6;
        case Transport::Sctp:
            return kSctp;
        case Transport::Gre:
            return kGre;
        case Transport::Other:
            break;
    }
    return spec.protocol;
}

// RFC 2784 and 2890, or RFC 2637 with a call id.
void put_gre(Bytes& out, const FrameSpec& spec) {
    const bool has_key = spec.gre_key || spec.call_id;
    put16(out, (has_key ? 0x2000u : 0u) | spec.gre_version);
    put16(out, spec.gre_payload);
    if (spec.call_id) {
        put16(out, static_cast<unsigned>(spec.payload.size()));
        put16(out, *spec.call_id);
    } else if (spec.gre_key) {
        put32(out, *spec.gre_key);
    }
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
        case Transport::UdpLite:
            put16(out, spec.src_port);
            put16(out, spec.dst_port);
            put16(out, spec.coverage);
            put16(out, 0);
            checksum_at = 6;
            break;
        case Transport::Sctp:
            put16(out, spec.src_port);
            put16(out, spec.dst_port);
            put32(out, spec.verification_tag);
            put32(out, 0);
            checksum_at = 8;
            break;
        case Transport::Gre:
            put_gre(out, spec);
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

void set_internet_checksum(const FrameSpec& spec, Bytes& transport, size_t checksum_at) {
    const uint8_t protocol = protocol_of(spec);
    Bytes summed;
    if (protocol != kIcmp)
        summed = pseudo_header(spec, spec.sum_as.value_or(protocol), transport.size());
    append(summed, transport);
    if (spec.transport == Transport::UdpLite && spec.coverage != 0 &&
        spec.coverage < transport.size())
        summed.resize(summed.size() - transport.size() + spec.coverage);
    uint16_t checksum = plain_checksum(summed);
    const bool zero_means_none =
        spec.transport == Transport::Udp || spec.transport == Transport::UdpLite;  // RFC 768, 3828
    if (zero_means_none && checksum == 0) checksum = 0xffff;
    if (spec.checksum == ChecksumAs::Wrong) checksum ^= 0x5555;
    set16(transport, checksum_at, checksum);
}

void set_sctp_checksum(const FrameSpec& spec, Bytes& transport, size_t checksum_at) {
    uint32_t crc = plain_crc32c(transport);
    if (spec.checksum == ChecksumAs::Wrong) crc ^= 0x5555;
    for (unsigned i = 0; i < 4; ++i)
        transport.at(checksum_at + i) = static_cast<uint8_t>(crc >> (i * 8));
}

Bytes finished_transport(const FrameSpec& spec) {
    size_t checksum_at = 0;
    Bytes transport = transport_bytes(spec, checksum_at);
    if (checksum_at != 0 && spec.checksum != ChecksumAs::Zero) {
        if (spec.transport == Transport::Sctp)
            set_sctp_checksum(spec, transport, checksum_at);
        else
            set_internet_checksum(spec, transport, checksum_at);
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

uint32_t plain_crc32c(const Bytes& bytes) {
    uint32_t crc = 0xffffffff;
    for (const uint8_t byte : bytes) {
        crc ^= byte;
        for (unsigned bit = 0; bit < 8; ++bit)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0u);
    }
    return ~crc;
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
