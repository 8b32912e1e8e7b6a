#include "control/event_feed.h"

#include <catch2/catch.hpp>

using namespace rampart;

namespace {

JournalRecord record_of(const char* src, const char* dst, uint8_t protocol) {
    JournalRecord record;
    record.kind = JournalKind::Invalid;
    record.reason = InvalidReason::TcpWindow;
    record.tuple.src = IpAddress::parse(src)->bytes;
    record.tuple.dst = IpAddress::parse(dst)->bytes;
    record.tuple.family = IpAddress::parse(src)->family;
    record.tuple.protocol = protocol;
    record.bytes[0] = 52;
    return record;
}

}  // namespace

TEST_CASE("an INVALID packet is described with its reason, place and addresses") {
    JournalRecord record = record_of("10.0.0.2", "192.0.2.1", 6);
    record.tuple.src_port = be16::from_host(4000);
    record.tuple.dst_port = be16::from_host(80);
    CHECK(describe_invalid(record, "lan") ==
          "invalid tcp_window in=lan tcp 10.0.0.2:4000 > 192.0.2.1:80 len 52");
    record.packets[0] = 7;
    CHECK(describe_invalid(record, "lan").ends_with(" len 52 (7 more before it)"));
}

TEST_CASE("IPv6 with ports, ICMP with type and code, others by number") {
    JournalRecord record = record_of("fd00::1", "fd00::2", 17);
    record.tuple.dst_port = be16::from_host(53);
    CHECK(describe_invalid(record, "wan") ==
          "invalid tcp_window in=wan udp [fd00::1]:0 > [fd00::2]:53 len 52");
    record = record_of("10.0.0.2", "192.0.2.1", 1);
    record.tuple.dst_port = be16::from_host(8 << 8 | 1);
    CHECK(describe_invalid(record, "wan") ==
          "invalid tcp_window in=wan icmp 10.0.0.2 > 192.0.2.1 type 8 code 1 len 52");
    CHECK(describe_invalid(record_of("10.0.0.2", "192.0.2.1", 253), "wan") ==
          "invalid tcp_window in=wan proto 253 10.0.0.2 > 192.0.2.1 len 52");
}
