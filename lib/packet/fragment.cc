#include "packet/fragment.h"

#include <algorithm>
#include <cstring>

#include "packet/checksum.h"
#include "packet/parse_ip.h"

namespace rampart {
namespace {

constexpr uint16_t kIpv4Bytes = 20, kIpv6Bytes = 40;

uint16_t header_bytes4(const uint8_t* ip) noexcept {
    return static_cast<uint16_t>((ip[0] & 0x0f) * 4);
}

void write_checksum4(uint8_t* ip) noexcept {
    store<uint16_t>(ip + 10, 0);
    store(ip + 10, checksum_of(ip, header_bytes4(ip)));
}

// RFC 791, 3.1: an option is repeated in later fragments only when its first bit says so.
void blank_first_only_options(uint8_t* ip) noexcept {
    constexpr uint8_t kEnd = 0, kNop = 1, kCopied = 0x80;
    uint8_t* option = ip + 20;
    uint8_t* end = ip + header_bytes4(ip);
    while (option < end && *option != kEnd) {
        if (*option == kNop) {
            ++option;
            continue;
        }
        if (end - option < 2 || option[1] < 2 || option[1] > end - option) return;
        const uint8_t size = option[1];
        if (!(*option & kCopied)) std::memset(option, kNop, size);
        option += size;
    }
}

// The byte of the header chain that announces the header at `target`.
uint8_t* announcing_byte(uint8_t* ip, uint16_t target) noexcept {
    uint8_t* byte = ip + 6;
    uint16_t at = kIpv6Bytes;
    while (at < target) {
        const uint8_t type = *byte;
        byte = ip + at;
        const uint32_t size =
            type == ip_protocol::kAh ? (ip[at + 1] + 2u) * 4u : (ip[at + 1] + 1u) * 8u;
        at = static_cast<uint16_t>(at + size);
    }
    return byte;
}

}  // namespace

bool has_whole_header_chain(const Packet& packet) noexcept {
    if (packet.family == Family::Ipv4) return true;
    const uint32_t end =
        std::min<uint32_t>(packet.l4_offset + packet.l4_length, packet.frame_contiguous);
    const ExtensionWalk walk =
        walk_extensions(packet.frame, end, packet.protocol, packet.l4_offset);
    if (walk.result == ExtensionWalk::Result::Malformed) return false;
    if (walk.result != ExtensionWalk::Result::Transport) return true;
    uint32_t wanted = 1;
    if (walk.protocol == ip_protocol::kTcp) wanted = 20;
    if (walk.protocol == ip_protocol::kUdp || walk.protocol == ip_protocol::kIcmpv6) wanted = 8;
    return walk.offset + wanted <= end;
}

uint16_t remove_fragment_header(const Packet& packet) noexcept {
    const uint16_t header =
        static_cast<uint16_t>(packet.l4_offset - kFragmentHeaderBytes - packet.l3_offset);
    uint8_t* ip = packet.frame + packet.l3_offset;
    *announcing_byte(ip, header) = ip[header];
    std::memmove(packet.frame + kFragmentHeaderBytes, packet.frame,
                 size_t{packet.l3_offset} + header);
    return header;
}

void write_datagram_header(uint8_t* ip, Family family, uint32_t ip_length,
                           uint8_t congestion) noexcept {
    using namespace fragment_bits4;
    if (family == Family::Ipv4) {
        // What changes in the words of the first eight bytes, at once (RFC 1624, equation 3).
        const uint16_t service = load<uint16_t>(ip), length = load<uint16_t>(ip + 2);
        const uint16_t place = load<uint16_t>(ip + 6);
        const uint16_t new_service =
            be16::from_host(static_cast<uint16_t>(ip[0] << 8 | ip[1] | congestion)).raw;
        const uint16_t new_length = be16::from_host(static_cast<uint16_t>(ip_length)).raw;
        const uint16_t new_place = place & be16::from_host(kDontFragment).raw;
        const auto inverse = [](uint16_t word) { return uint32_t{static_cast<uint16_t>(~word)}; };
        const uint32_t sum = inverse(load<uint16_t>(ip + 10)) + inverse(service) + new_service +
                             inverse(length) + new_length + inverse(place) + new_place;
        store(ip, new_service);
        store(ip + 2, new_length);
        store(ip + 6, new_place);
        store(ip + 10, static_cast<uint16_t>(~checksum_fold_short(sum)));
    } else {
        ip[1] |= static_cast<uint8_t>(congestion << 4);
        store_host16(ip + 4, static_cast<uint16_t>(ip_length - kIpv6Bytes));
    }
}

uint32_t fragment_header_bytes(const uint8_t* ip, Family family,
                               const FragmentShape& shape) noexcept {
    return family == Family::Ipv4 ? header_bytes4(ip)
                                  : shape.unfragmentable + uint32_t{kFragmentHeaderBytes};
}

void write_fragment_header(uint8_t* out, const uint8_t* ip, Family family,
                           const FragmentShape& shape, const Fragment& piece) noexcept {
    if (family == Family::Ipv4) {
        const uint16_t bytes = header_bytes4(ip);
        std::memcpy(out, ip, bytes);
        FragmentHeader4(ip, shape).write(out, piece);
        if (piece.offset != 0 && bytes != kIpv4Bytes) {
            blank_first_only_options(out);
            write_checksum4(out);
        }
        return;
    }
    std::memcpy(out, ip, shape.unfragmentable);
    uint8_t* announced = announcing_byte(out, shape.unfragmentable);
    uint8_t* header = out + shape.unfragmentable;
    header[0] = *announced;
    header[1] = 0;
    store_host16(header + 2, static_cast<uint16_t>(piece.offset | unsigned{piece.more}));
    store_host32(header + 4, shape.id);
    *announced = ip_protocol::kFragment;
    store_host16(out + 4, static_cast<uint16_t>(shape.unfragmentable - kIpv6Bytes +
                                                kFragmentHeaderBytes + piece.length));
}

int join_congestion(uint8_t seen) noexcept {
    constexpr uint8_t kNotCapable = 1 << 0, kExperienced = 1 << 3;
    if ((seen & kNotCapable) && seen != kNotCapable) return -1;
    return seen & kExperienced ? 3 : 0;
}

}  // namespace rampart
