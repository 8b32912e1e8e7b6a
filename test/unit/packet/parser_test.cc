// The parser never reads past what it is given, and what it reads is right.
#include "packet/parser.h"

#include <cstring>
#include <memory>

#include <catch2/catch.hpp>

#include "packet/fragment.h"
#include "packet/parse_common.h"
#include "packet/parse_fragment.h"
#include "packet/reply.h"
#include "support/frame_text.h"
#include "support/packet_line.h"
#include "support/samples.h"

namespace rampart::test {
namespace {

// Everything that looks at a frame, on a buffer of exactly its size, so that the sanitizer sees a
// byte too much.
ParseOutcome visit(const Bytes& frame, uint32_t length, Packet& packet) {
    std::unique_ptr<uint8_t[]> exact(new uint8_t[frame.size()]);
    std::copy(frame.begin(), frame.end(), exact.get());
    const ParseOutcome outcome =
        parse_frame(packet, exact.get(), static_cast<uint32_t>(frame.size()), length, {});
    if (outcome.kind != FrameKind::Ip) return outcome;
    static_cast<void>(tuple_of(packet));
    if (packet.is_icmp_error) static_cast<void>(embedded_tuple_of(packet));
    if (must_not_answer(packet)) return outcome;
    uint8_t reply[kMaxReplyBytes];
    for (const RejectWith with : {RejectWith::Default, RejectWith::AdminProhibited}) {
        const uint32_t size = build_reject(packet, with, nullptr, reply);
        const std::string text = frame_text({reply, reply + size});
        CHECK(text.find("bad-") == std::string::npos);
    }
    return outcome;
}

ParseOutcome parsed(std::string_view line, Packet& packet, Bytes& frame) {
    frame = frame_of(line);
    const uint32_t size = static_cast<uint32_t>(frame.size());
    return parse_frame(packet, frame.data(), size, size, {});
}

// Everything that the parser sets for a fragment.
void check_equal_fields(const Packet& a, const Packet& b) {
    CHECK(a.frame == b.frame);
    CHECK(a.frame_contiguous == b.frame_contiguous);
    CHECK(a.l3_offset == b.l3_offset);
    CHECK(a.l4_offset == b.l4_offset);
    CHECK(a.ip_length == b.ip_length);
    CHECK(a.l4_length == b.l4_length);
    CHECK(a.ether_type == b.ether_type);
    CHECK(a.vlan_tci == b.vlan_tci);
    CHECK(a.protocol == b.protocol);
    CHECK(a.family == b.family);
    CHECK(a.tcp_flags == b.tcp_flags);
    CHECK(a.hop_limit == b.hop_limit);
    CHECK(a.invalid == b.invalid);
    CHECK(a.is_icmp_error == b.is_icmp_error);
    CHECK(a.is_untracked_icmpv6 == b.is_untracked_icmpv6);
    CHECK(a.is_datagram == b.is_datagram);
    CHECK(a.mark == b.mark);
}

// Everything that the parser sets for an IP packet.
void check_equal(const Packet& a, const Packet& b) {
    check_equal_fields(a, b);
    CHECK(a.swapped == b.swapped);
    CHECK(a.self_inverse == b.self_inverse);
    CHECK(std::memcmp(&a.key4, &b.key4,
                      a.family == Family::Ipv4 ? sizeof(FlowKey4) : sizeof(FlowKey6)) == 0);
}

template <typename Key>
void check_key(const Packet& packet, const Key& taken) {
    Key key;
    const KeyOrder order = make_key(tuple_of(packet), key);
    CHECK(std::memcmp(&key, &taken, sizeof(key)) == 0);
    CHECK(order.self_inverse == packet.self_inverse);
    CHECK(order.swapped == packet.swapped);
}

}  // namespace

TEST_CASE("every truncation of every kind of frame is parsed within its bytes") {
    for (const std::string_view line : kSampleLines) {
        const Bytes whole = frame_of(line);
        for (size_t size = 0; size < whole.size(); ++size) {
            Packet packet;
            const ParseOutcome outcome =
                visit({whole.begin(), whole.begin() + static_cast<long>(size)},
                      static_cast<uint32_t>(size), packet);
            INFO(line << " cut to " << size);
            CHECK(outcome.kind != FrameKind::Ip);
            if (size < 14) CHECK(outcome.reason == DropReason::Truncated);
        }
    }
}

TEST_CASE("a long frame is parsed within its first contiguous bytes") {
    for (const std::string_view line : kSampleLines) {
        FrameSpec spec = parse_packet_line(line);
        if (!spec.payload_type) spec.payload.resize(spec.payload.size() + 600);
        const Bytes whole = build_frame(spec);
        if (whole.size() < kMaxHeaderBytes) continue;
        Packet packet;
        visit({whole.begin(), whole.begin() + kMaxHeaderBytes}, static_cast<uint32_t>(whole.size()),
              packet);
    }
}

TEST_CASE("mutated frames are parsed within their bytes") {
    std::mt19937_64 random(7);
    for (unsigned round = 0; round < 60000; ++round) {
        Bytes frame = frame_of(kSampleLines[round % std::size(kSampleLines)]);
        mutate(frame, random);
        Packet packet;
        visit(frame, static_cast<uint32_t>(frame.size()), packet);
    }
}

TEST_CASE("the packet's own tuple is that of its headers") {
    for (const std::string_view line :
         {"tcp 10.0.0.2:4000 > 192.0.2.1:80 S", "udp [2001:db8:1::2]:4000 > [2001:db8:2::1]:53",
          "icmp 10.0.0.2 > 192.0.2.1 echo-request id 7", "ip 10.0.0.2 > 192.0.2.1 proto 50",
          "gre 10.0.0.2 > 192.0.2.1", "gre 10.0.0.2 > 192.0.2.1 call 7",
          "sctp 10.0.0.2:1 > 192.0.2.1:2 init", "udplite 10.0.0.2:1 > 192.0.2.1:2"}) {
        Packet packet;
        Bytes frame;
        REQUIRE(parsed(line, packet, frame).kind == FrameKind::Ip);
        CHECK(std::string(line).starts_with(tuple_text(tuple_of(packet))));
    }
}

TEST_CASE("the key taken from the wire is the key of the tuple") {
    std::mt19937_64 random(3);
    for (unsigned round = 0; round < 2000; ++round) {
        const auto part = [&random] { return std::to_string(1 + random() % 3); };
        Packet packet;
        Bytes frame;
        REQUIRE(parsed("udp 10.0.0." + part() + ":" + part() + " > 10.0.0." + part() + ":" + part(),
                       packet, frame)
                    .kind == FrameKind::Ip);
        check_key(packet, packet.key4);
        const auto host = [&] { return "[2001:db8:" + part() + "::" + part() + "]:" + part(); };
        const std::string ends = host() + " > " + host();
        REQUIRE(parsed("udp " + ends, packet, frame).kind == FrameKind::Ip);
        check_key(packet, packet.key6);
    }
}

TEST_CASE("frequent packets are parsed without detours as the general parser does") {
    constexpr std::string_view kLines[] = {
        "tcp 10.0.0.2:4000 > 192.0.2.1:80 P. seq 1001 ack 5001 len 10 opt nop,nop,sack=5100-5200",
        "udp 10.0.0.2:4000 > 192.0.2.1:53 len 3",
        "tcp [2001:db8:1::2]:4000 > [2001:db8:2::1]:443 S seq 7 opt mss",
        "tcp [2001:db8:3::2]:4000 > [2001:db8:2::1]:443 . seq 7 ack 1 len 9",
        "udp [2001:db8:1::2]:4000 > [2001:db8:2::1]:53 len 9",
        "udp [2001:db8:3::2]:53 > [2001:db8:2::1]:53",
    };
    std::mt19937_64 random(11);
    unsigned taken4 = 0, taken6 = 0, left = 0;
    for (unsigned round = 0; round < 200000; ++round) {
        Bytes frame = frame_of(kLines[round % std::size(kLines)]);
        if (round % 16 >= 6) mutate(frame, random);
        const auto size = static_cast<uint32_t>(frame.size());
        const uint32_t contiguous =
            round % 5 == 0 ? size - std::min(size, static_cast<uint32_t>(random() % 24)) : size;
        const std::unique_ptr<uint8_t[]> exact(new uint8_t[contiguous]);
        std::copy_n(frame.begin(), contiguous, exact.get());
        const bool verifies = round % 3 != 0;
        Packet quick, general;
        const bool is_4 = parse_common4(quick, exact.get(), contiguous, size, verifies);
        const bool is_6 = !is_4 && parse_common6(quick, exact.get(), contiguous, size);
        taken4 += is_4;
        taken6 += is_6;
        if (!is_4 && !is_6) {
            ++left;
            continue;
        }
        const ParseOutcome outcome =
            parse_any(general, exact.get(), contiguous, size, {.verify_ip_checksum = verifies});
        INFO(frame_text(frame));
        REQUIRE(outcome.kind == FrameKind::Ip);
        check_equal(quick, general);
    }
    CHECK(taken4 > 15000);
    CHECK(taken6 > 40000);
    CHECK(left > 20000);
}

TEST_CASE("frequent fragments are parsed without detours as the general parser does") {
    constexpr std::string_view kLines[] = {
        "udp 10.0.0.2:4000 > 192.0.2.1:53 len 40 piece 0+24 id 7 more",
        "udp 10.0.0.2:4000 > 192.0.2.1:53 len 40 df tos 3 piece 24+24 id 7 last",
        "tcp 10.0.0.2:4000 > 192.0.2.1:80 P. len 40 piece 8+16 id 1 more",
        "ip 10.0.0.2 > 192.0.2.1 proto 50 len 40 pad 6 piece 16+1 id 9",
        "udp 10.0.0.2:4000 > 192.0.2.1:53 len 40 ip-options 01010100 piece 0+24 more",
        "udp [2001:db8:1::2]:4000 > [2001:db8:2::1]:53 len 40 piece 0+24 more",
    };
    std::mt19937_64 random(12);
    unsigned taken = 0, left = 0;
    for (unsigned round = 0; round < 100000; ++round) {
        Bytes frame = frame_of(kLines[round % std::size(kLines)]);
        if (round % 4 != 0) mutate(frame, random);
        const auto size = static_cast<uint32_t>(frame.size());
        const std::unique_ptr<uint8_t[]> exact(new uint8_t[size]);
        std::copy_n(frame.begin(), size, exact.get());
        const bool verifies = round % 3 != 0;
        Packet quick, general;
        const bool is_taken = parse_common_fragment4(quick, exact.get(), size, size, verifies);
        ++(is_taken ? taken : left);
        if (!is_taken) continue;
        const ParseOutcome outcome =
            parse_any(general, exact.get(), size, size, {.verify_ip_checksum = verifies});
        INFO(frame_text(frame));
        REQUIRE(outcome.kind == FrameKind::Fragment);
        check_equal_fields(quick, general);
    }
    CHECK(taken > 25000);
    CHECK(left > 25000);
}

TEST_CASE("a datagram is parsed behind its first fragment as the general parser does") {
    std::mt19937_64 random(13);
    unsigned taken = 0, left = 0;
    for (unsigned round = 0; round < 100000; ++round) {
        const std::string kind = round % 8 == 0 ? "tcp" : "udp";
        Bytes frame =
            frame_of(kind + " 10.0.0.2:4000 > 192.0.2.1:53" + (kind == "tcp" ? " S" : "") +
                     " len 40 piece 0+" + std::to_string(8 * (1 + random() % 5)) + " id 7 more");
        if (round % 4 == 0) mutate(frame, random);
        const auto size = static_cast<uint32_t>(frame.size());
        Packet first, quick, general;
        if (parse_any(first, frame.data(), size, size, {}).kind != FrameKind::Fragment ||
            first.family != Family::Ipv4 || read_fragment(first).offset != 0)
            continue;
        // What follows is in other segments; the first ends with its piece.
        const uint32_t contiguous = first.l3_offset + uint32_t{first.ip_length};
        const uint32_t ip_length = first.ip_length + static_cast<uint32_t>(random() % 60);
        const uint32_t length = first.l3_offset + ip_length;
        if (round % 2) store_host16(first.l4() + 4, static_cast<uint16_t>(random() % 100));
        write_datagram_header(first.l3(), Family::Ipv4, ip_length, round % 3 == 0 ? 3 : 0);
        const bool is_taken = parse_common_datagram4(quick, frame.data(), contiguous, length);
        ++(is_taken ? taken : left);
        const ParseOutcome outcome = parse_any(general, frame.data(), contiguous, length, {});
        INFO(frame_text(frame));
        REQUIRE(outcome.kind == FrameKind::Ip);
        if (is_taken) check_equal(quick, general);
    }
    CHECK(taken > 30000);
    CHECK(left > 10000);
}

TEST_CASE("an error carries the key of the packet it quotes") {
    Packet cause, error;
    Bytes cause_frame, error_frame;
    REQUIRE(parsed(kSampleLines[6], cause, cause_frame).kind == FrameKind::Ip);
    REQUIRE(parsed(kSampleLines[13], error, error_frame).kind == FrameKind::Ip);
    CHECK(error.is_icmp_error);
    CHECK(std::memcmp(&cause.key4, &error.key4, sizeof(FlowKey4)) == 0);
    CHECK(embedded_tuple_of(error) == tuple_of(cause));
}

}  // namespace rampart::test
