// Translated packets against packets that were built with the other addresses in the first place:
// every checksum is made there from all of its bytes.
#include "nat/translation.h"

#include <random>

#include <catch2/catch.hpp>

#include "packet/parser.h"
#include "support/frame.h"
#include "support/frame_text.h"

namespace rampart::test {
namespace {

class Generator {
  public:
    FrameSpec packet(Family family, Transport transport) {
        FrameSpec spec;
        spec.transport = transport;
        spec.protocol = 99;
        spec.ttl = static_cast<uint8_t>(64 + number(100));
        spec.seq = number();
        spec.ack = number();
        spec.tcp_flags = 0x10;
        spec.icmp_type = family == Family::Ipv4 ? 8 : 128;
        spec.icmp_seq = static_cast<uint16_t>(number());
        spec.payload.resize(number(64));
        for (uint8_t& byte : spec.payload)
            byte = static_cast<uint8_t>(number());
        if (transport == Transport::Udp && family == Family::Ipv4 && number(8) == 0)
            spec.checksum = ChecksumAs::Zero;
        set_ends(spec, family);
        return spec;
    }
    void set_ends(FrameSpec& spec, Family family) {
        spec.src = address(family);
        spec.dst = address(family);
        spec.src_port = port();
        spec.dst_port = port();
        spec.icmp_id = port();
    }
    IpAddress address(Family family) {
        IpAddress address{.bytes = {}, .family = family};
        const size_t size = family == Family::Ipv4 ? 4 : 16;
        // Often extreme: that is where sums of ones' complement differ.
        for (size_t at = 0; at < size; ++at)
            address.bytes[at] = number(4) == 0 ? uint8_t{0xff} : static_cast<uint8_t>(number());
        address.bytes[0] = family == Family::Ipv4 ? 20 : 0x20;
        return address;
    }
    uint32_t number(uint32_t below = 0) {
        const auto value = static_cast<uint32_t>(random_());
        return below == 0 ? value : value % below;
    }

  private:
    uint16_t port() { return number(4) == 0 ? uint16_t{0xffff} : static_cast<uint16_t>(number()); }

    std::mt19937 random_{31};
};

struct Parsed {
    explicit Parsed(const FrameSpec& spec) : frame(build_frame(spec)) {
        const auto size = static_cast<uint32_t>(frame.size());
        REQUIRE(parse_frame(packet, frame.data(), size, size, {}).kind == FrameKind::Ip);
    }
    Bytes frame;
    Packet packet;
};

// Zero has two forms in ones' complement; the printer takes both and finds every other fault.
void check_same(const Bytes& frame, const Bytes& wanted) {
    if (frame == wanted) return;
    const std::string text = frame_text(frame);
    REQUIRE(text == frame_text(wanted));
    REQUIRE(text.find("bad-") == std::string::npos);
    size_t different = 0;
    for (size_t at = 0; at < frame.size(); ++at)
        different += frame[at] != wanted[at];
    REQUIRE(frame.size() == wanted.size());
    REQUIRE(different <= 4);
}

constexpr Transport kTransports[] = {Transport::Other,   Transport::Tcp,  Transport::Udp,
                                     Transport::UdpLite, Transport::Icmp, Transport::Gre};

}  // namespace

TEST_CASE("a translated packet is what it would be had it been sent so") {
    const Family family = GENERATE(Family::Ipv4, Family::Ipv6);
    Generator random;
    for (int round = 0; round < 2000; ++round) {
        for (const Transport transport : kTransports) {
            const FrameSpec before = random.packet(family, transport);
            FrameSpec after = before;
            random.set_ends(after, family);
            const Parsed wanted(after);
            Parsed slow(before), quick(before);
            const Tuple from = tuple_of(slow.packet), to = tuple_of(wanted.packet);
            translate(slow.packet, from, to);
            check_same(slow.frame, wanted.frame);
            if (family != Family::Ipv4) continue;
            translate4(quick.packet, rewrite_of(from, to));
            check_same(quick.frame, wanted.frame);
            if (transport != Transport::Tcp && transport != Transport::Udp) continue;
            Parsed at_once(before);
            translate4_inline(at_once.packet, rewrite_of(from, to));
            CHECK(at_once.frame == quick.frame);
        }
    }
}

TEST_CASE("what was wrong before a translation stays wrong") {
    Generator random;
    for (const Transport transport : {Transport::Tcp, Transport::Udp, Transport::UdpLite}) {
        FrameSpec before = random.packet(Family::Ipv4, transport);
        before.checksum = ChecksumAs::Wrong;
        FrameSpec after = before;
        random.set_ends(after, Family::Ipv4);
        Parsed packet(before);
        const Parsed wanted(after);
        translate(packet.packet, tuple_of(packet.packet), tuple_of(wanted.packet));
        after.checksum = ChecksumAs::Right;
        CHECK(packet.frame != build_frame(after));
    }
}

TEST_CASE("an ICMP error is translated with the packet that it quotes") {
    const Family family = GENERATE(Family::Ipv4, Family::Ipv6);
    const bool is_whole = GENERATE(true, false);
    const size_t header = family == Family::Ipv4 ? 20 : 40;
    Generator random;
    for (int round = 0; round < 1000; ++round) {
        for (const Transport transport :
             {Transport::Tcp, Transport::Udp, Transport::UdpLite, Transport::Icmp}) {
            const FrameSpec quoted_before = random.packet(family, transport);
            FrameSpec quoted_after = quoted_before;
            random.set_ends(quoted_after, family);
            FrameSpec before = random.packet(family, Transport::Icmp);
            before.icmp_type = family == Family::Ipv4 ? 3 : 1;
            before.icmp_code = 1;
            before.icmp_id = before.icmp_seq = 0;
            before.payload = build_ip_packet(quoted_before);
            before.dst = quoted_before.src;  // the error goes to who sent the packet
            FrameSpec after = before;
            after.src = random.address(family);
            after.dst = quoted_after.src;
            after.payload = build_ip_packet(quoted_after);
            if (!is_whole) {
                before.payload.resize(header + 8);
                after.payload.resize(header + 8);
            }
            const Parsed wanted(after);
            Parsed packet(before);
            REQUIRE(packet.packet.is_icmp_error);
            translate_error(packet.packet, quoted_packet_of(wanted.packet).tuple,
                            tuple_of(wanted.packet));
            check_same(packet.frame, wanted.frame);
        }
    }
}

TEST_CASE("a checksum-neutral prefix keeps the sum, and the way back leads back") {
    Generator random;
    const auto sum = [](const AddressBytes& address) {
        return plain_checksum(Bytes(address.begin(), address.end()));
    };
    const auto with_prefix = [](AddressBytes host, const AddressBytes& prefix, unsigned length) {
        for (unsigned bit = 0; bit < length; ++bit) {
            const auto mask = static_cast<uint8_t>(0x80 >> bit % 8);
            host[bit / 8] =
                static_cast<uint8_t>((host[bit / 8] & ~mask) | (prefix[bit / 8] & mask));
        }
        return host;
    };
    for (int round = 0; round < 20'000; ++round) {
        const unsigned length = random.number(2) == 0 ? 48 : 64;
        const AddressBytes inside = random.address(Family::Ipv6).bytes;
        const AddressBytes prefix = random.address(Family::Ipv6).bytes;
        const AddressBytes mapped = with_prefix(inside, prefix, length);
        const AddressBytes outside = checksum_neutral(inside, mapped, length);
        REQUIRE(with_prefix(outside, prefix, length) == outside);
        const bool has_room = length == 48 || outside != mapped;
        // 0 and 0xffff are the same number.
        if (has_room) REQUIRE(sum(outside) % 0xffff == sum(inside) % 0xffff);
        const AddressBytes back =
            checksum_neutral(outside, with_prefix(outside, inside, length), length);
        const size_t word = length == 48 ? 6 : 8;
        const bool is_all_ones = inside[word] == 0xff && inside[word + 1] == 0xff;
        const bool was_zero = outside[word] == 0 && outside[word + 1] == 0;
        if (!is_all_ones && !was_zero) REQUIRE(back == inside);
    }
    // The example of RFC 6296, 2.2.
    const auto inside = IpAddress::parse("fd01:203:405:1::1234");
    const auto mapped = IpAddress::parse("2001:db8:1:1::1234");
    const IpAddress outside{checksum_neutral(inside->bytes, mapped->bytes, 48), Family::Ipv6};
    CHECK(outside.to_string() == "2001:db8:1:d550::1234");
}

}  // namespace rampart::test
