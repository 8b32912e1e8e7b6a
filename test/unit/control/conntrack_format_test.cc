#include "control/conntrack_format.h"

#include <catch2/catch.hpp>

#include "control/flow_filter.h"

using namespace rampart;

namespace {

AddressBytes bytes(const char* text) {
    return IpAddress::parse(text)->bytes;
}

FlowEntry entry_of(uint8_t protocol, const char* src, const char* dst, uint16_t sport,
                   uint16_t dport, uint16_t status, uint32_t timeout_s) {
    FlowEntry entry;
    entry.original.src = bytes(src);
    entry.original.dst = bytes(dst);
    entry.original.family = IpAddress::parse(src)->family;
    entry.original.src_port = be16::from_host(sport);
    entry.original.dst_port = be16::from_host(dport);
    entry.original.protocol = protocol;
    entry.reply = invert(entry.original);
    entry.status = status;
    entry.timeout_s = timeout_s;
    entry.id = 3156654058;
    return entry;
}

constexpr uint16_t kAssured = flow_status::kSeenReply | flow_status::kAssured;

FlowEntry tcp_entry() {
    FlowEntry entry = entry_of(6, "10.0.1.2", "10.0.2.2", 40000, 80, kAssured, 431999);
    entry.state = 3;
    return entry;
}

}  // namespace

TEST_CASE("an established TCP connection is listed as conntrack-tools does") {
    CHECK(format_flow(tcp_entry(), {}) ==
          "tcp      6 431999 ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=40000 dport=80 "
          "src=10.0.2.2 dst=10.0.1.2 sport=80 dport=40000 [ASSURED] mark=0 use=1");
}

TEST_CASE("a flow without a reply says so between its tuples") {
    FlowEntry entry = entry_of(6, "10.0.1.2", "10.0.2.2", 40000, 80, 0, 119);
    entry.state = 1;
    CHECK(format_flow(entry, {}) ==
          "tcp      6 119 SYN_SENT src=10.0.1.2 dst=10.0.2.2 sport=40000 dport=80 [UNREPLIED] "
          "src=10.0.2.2 dst=10.0.1.2 sport=80 dport=40000 mark=0 use=1");
}

TEST_CASE("accounting puts packets and bytes after each tuple") {
    FlowEntry entry = entry_of(17, "10.0.1.2", "10.0.2.2", 1111, 2222, kAssured, 119);
    entry.packets[0] = 2;
    entry.bytes[0] = 58;
    entry.packets[1] = 1;
    entry.bytes[1] = 29;
    CHECK(format_flow(entry, {.accounting = true}) ==
          "udp      17 119 src=10.0.1.2 dst=10.0.2.2 sport=1111 dport=2222 packets=2 bytes=58 "
          "src=10.0.2.2 dst=10.0.1.2 sport=2222 dport=1111 packets=1 bytes=29 [ASSURED] mark=0 "
          "use=1");
}

TEST_CASE("a ping is listed with type, code and id, inverted for the reply") {
    const FlowEntry v4 =
        entry_of(1, "10.0.1.2", "10.0.2.2", 7, 8 << 8, flow_status::kSeenReply, 29);
    CHECK(format_flow(v4, {}) ==
          "icmp     1 29 src=10.0.1.2 dst=10.0.2.2 type=8 code=0 id=7 src=10.0.2.2 dst=10.0.1.2 "
          "type=0 code=0 id=7 mark=0 use=1");
    const FlowEntry v6 = entry_of(58, "fd00:1::2", "fd00:2::2", 9, 128 << 8, 0, 29);
    CHECK(format_flow(v6, {.extended = true}) ==
          "ipv6     10 icmpv6   58 29 src=fd00:1::2 dst=fd00:2::2 type=128 code=0 id=9 "
          "[UNREPLIED] src=fd00:2::2 dst=fd00:1::2 type=129 code=0 id=9 mark=0 use=1");
}

TEST_CASE("a protocol without a name is unknown and has no ports") {
    const FlowEntry entry = entry_of(253, "10.0.1.2", "10.0.2.2", 0, 0, 0, 599);
    CHECK(format_flow(entry, {.extended = true}) ==
          "ipv4     2 unknown  253 599 src=10.0.1.2 dst=10.0.2.2 [UNREPLIED] src=10.0.2.2 "
          "dst=10.0.1.2 mark=0 use=1");
}

TEST_CASE("the zone comes after the mark and the id last") {
    FlowEntry entry = entry_of(47, "10.0.1.2", "10.0.2.2", 0, 0, kAssured, 179);
    entry.original.zone = 7;
    CHECK(format_flow(entry, {.id = true}) ==
          "gre      47 179 src=10.0.1.2 dst=10.0.2.2 srckey=0x0 dstkey=0x0 src=10.0.2.2 "
          "dst=10.0.1.2 srckey=0x0 dstkey=0x0 [ASSURED] mark=0 zone=7 use=1 id=3156654058");
}

TEST_CASE("a flow as JSON has the keys that scripts rely on") {
    const Json json = flow_to_json(tcp_entry(), {});
    CHECK(json["family"] == "ipv4");
    CHECK(json["proto"] == "tcp");
    CHECK(json["orig"] == Json({{"proto", "tcp"},
                                {"src", "10.0.1.2"},
                                {"dst", "10.0.2.2"},
                                {"sport", 40000},
                                {"dport", 80}}));
    CHECK(json["reply"]["sport"] == 80);
    CHECK(json["status"] == Json::array({"SEEN_REPLY", "ASSURED"}));
    CHECK(json["state"] == "ESTABLISHED");
    CHECK(json["timeout"] == 431999);
    CHECK_FALSE(json.contains("mark"));  // absent: 0
    CHECK_FALSE(json.contains("zone"));
    CHECK_FALSE(json.contains("helper"));

    const Json ping = flow_to_json(entry_of(1, "10.0.1.2", "10.0.2.2", 7, 8 << 8, 0, 29), {});
    CHECK(ping["orig"] == Json({{"proto", "icmp"},
                                {"src", "10.0.1.2"},
                                {"dst", "10.0.2.2"},
                                {"type", 8},
                                {"code", 0},
                                {"id", 7}}));
    CHECK(ping["status"] == Json::array());
    CHECK(flow_to_json(entry_of(253, "10.0.1.2", "10.0.2.2", 0, 0, 0, 599), {})["orig"]["proto"] ==
          253);
    CHECK(flow_to_json(entry_of(47, "10.0.1.2", "10.0.2.2", 0, 42, 0, 29), {})["reply"]["sport"] ==
          42);
    CHECK_FALSE(ping.contains("state"));
}

TEST_CASE("filters combine with and") {
    const FlowEntry entry = tcp_entry();
    CHECK(make_filter({})->is_empty);
    CHECK(make_filter({.protocol = "tcp", .src = "10.0.1.0/24", .dport = "80"})->matches(entry));
    CHECK(make_filter({.protocol = "6", .state = "ESTABLISHED", .status = "ASSURED"})
              ->matches(entry));
    CHECK_FALSE(make_filter({.protocol = "udp"})->matches(entry));
    CHECK_FALSE(make_filter({.dst = "10.0.1.2"})->matches(entry));
    CHECK_FALSE(make_filter({.protocol = "tcp", .dport = "81"})->matches(entry));
    CHECK_FALSE(make_filter({.family = "ipv6"})->matches(entry));
    CHECK_FALSE(make_filter({.status = "UNREPLIED"})->matches(entry));
    CHECK(make_filter({.status = "!UNREPLIED,SEEN_REPLY"})->matches(entry));
    CHECK(make_filter({.id = "3156654058"})->matches(entry));
}

TEST_CASE("filters that mean nothing are refused") {
    CHECK_FALSE(make_filter({.protocol = "quux"}));
    CHECK_FALSE(make_filter({.src = "10.0.0.300"}));
    CHECK_FALSE(make_filter({.dport = "80"}));
    CHECK_FALSE(make_filter({.protocol = "icmp", .dport = "80"}));
    CHECK_FALSE(make_filter({.protocol = "tcp", .dport = "65536"}));
    CHECK_FALSE(make_filter({.protocol = "tcp", .state = "WORKING"}));
    CHECK_FALSE(make_filter({.status = "HAPPY"}));
    CHECK_FALSE(make_filter({.family = "ipv5"}));
}

TEST_CASE("ids differ between incarnations and are never zero") {
    CHECK(flow_id(0, 1, 1) != flow_id(0, 1, 2));
    CHECK(flow_id(0, 1, 1) != flow_id(1, 1, 1));
    CHECK(flow_id(0, 0, 0) != 0);
}
