// The parser never reads past what it is given, and what it reads is right.
#include "packet/parser.h"

#include <cstring>
#include <memory>

#include <catch2/catch.hpp>

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
        FlowKey4 key;
        const KeyOrder order = make_key(tuple_of(packet), key);
        CHECK(std::memcmp(&key, &packet.key4, sizeof(key)) == 0);
        CHECK(order.self_inverse == packet.self_inverse);
        CHECK(order.swapped == packet.swapped);
    }
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
