// What build_reject makes is a valid packet back to the sender, read by the parser itself.
#include "packet/reply.h"

#include <catch2/catch.hpp>

#include "packet/checksum.h"
#include "packet/parser.h"
#include "support/packet_line.h"
#include "support/samples.h"

namespace rampart::test {
namespace {

bool is_transport_sum_right(const Packet& packet) {
    const uint64_t pseudo =
        packet.family == Family::Ipv6
            ? pseudo_header_sum6(packet.l3(), packet.protocol, packet.l4_length)
        : packet.protocol == ip_protocol::kIcmp
            ? 0
            : pseudo_header_sum4(packet.l3(), packet.protocol, packet.l4_length);
    return checksum_fold(checksum_add(pseudo, packet.l4(), packet.l4_length)) == 0xffff;
}

}  // namespace

TEST_CASE("a reply parses, sums up, goes back and belongs to the flow of its cause") {
    for (const std::string_view line : kSampleLines) {
        Bytes frame = frame_of(line);
        const uint32_t size = static_cast<uint32_t>(frame.size());
        Packet cause;
        if (parse_frame(cause, frame.data(), size, size, {}).kind != FrameKind::Ip) continue;
        if (cause.invalid != InvalidReason::None || must_not_answer(cause)) continue;
        for (const RejectWith with :
             {RejectWith::Default, RejectWith::TcpReset, RejectWith::PortUnreachable,
              RejectWith::HostUnreachable, RejectWith::NetUnreachable, RejectWith::AdminProhibited,
              RejectWith::ProtoUnreachable, RejectWith::NetProhibited, RejectWith::HostProhibited,
              RejectWith::PolicyFail, RejectWith::RejectRoute}) {
            INFO(line);
            Bytes out(kMaxReplyBytes);
            const uint32_t length = build_reject(cause, with, nullptr, out);
            if (length == 0) {
                CHECK(with == RejectWith::TcpReset);
                CHECK(cause.protocol != ip_protocol::kTcp);
                continue;
            }
            Packet reply;
            REQUIRE(parse_frame(reply, out.data(), length, length, {}).kind == FrameKind::Ip);
            CHECK(reply.invalid == InvalidReason::None);
            CHECK(is_transport_sum_right(reply));
            CHECK(reply.vlan_tci == cause.vlan_tci);
            CHECK(tuple_of(reply).dst == tuple_of(cause).src);
            if (reply.is_icmp_error)
                CHECK(embedded_tuple_of(reply) == tuple_of(cause));
            else
                CHECK(tuple_of(reply) == invert(tuple_of(cause)));
            CHECK(must_not_answer(reply));  // no war of replies
        }
    }
}

TEST_CASE("no reply is made into too small a room") {
    Bytes frame = frame_of(kSampleLines[0]);
    const uint32_t size = static_cast<uint32_t>(frame.size());
    Packet packet;
    parse_frame(packet, frame.data(), size, size, {});
    Bytes out(kMaxReplyBytes - 1);
    CHECK(build_reject(packet, RejectWith::Default, nullptr, out) == 0);
}

}  // namespace rampart::test
