// The expected lines are what Linux 6.1 writes for the same packets (nf_log_syslog.c), followed by
// the rule.
#include "control/packet_log_format.h"

#include <algorithm>
#include <vector>

#include <catch2/catch.hpp>

#include "control/packet_builder.h"
#include "packet/packet.h"

using namespace rampart;

namespace {

PacketLogRecord record_of(const PacketFields& fields, size_t most = 200) {
    const BuiltPacket built = build_packet(fields);
    PacketLogRecord record;
    record.in = 0;
    record.out = 1;
    record.vlan_tci = fields.vlan;
    record.l3_offset = fields.vlan == 0 ? 14 : 18;
    record.captured = static_cast<uint16_t>(std::min(built.frame.size(), most));
    std::copy_n(built.frame.begin(), record.captured, record.frame);
    return record;
}

PacketFields fields_of(const char* src, const char* dst, uint8_t protocol) {
    PacketFields fields;
    fields.src = *IpAddress::parse(src);
    fields.dst = *IpAddress::parse(dst);
    fields.protocol = protocol;
    return fields;
}

PacketLogNames names() {
    return {.prefix = "DROP: ",
            .in = "lan",
            .out = "wan",
            .chain = "forward",
            .rule = "r1",
            .place = "a.yaml:7",
            .action = "drop"};
}

constexpr const char* kMac4 = "MAC=02:00:00:00:00:02:02:00:00:00:00:01:08:00 ";
constexpr const char* kMac6 = "MAC=02:00:00:00:00:02:02:00:00:00:00:01:86:dd ";

std::string text_of(const PacketLogRecord& record) {
    return packet_log_text(record, names());
}

std::string line(const char* mac, const std::string& middle) {
    return std::string("DROP: IN=lan OUT=wan ") + mac + middle + " rule=r1 action=drop";
}

}  // namespace

TEST_CASE("TCP over IPv4 is logged as the LOG target does") {
    PacketFields fields = fields_of("10.0.0.2", "192.0.2.1", 6);
    fields.sport = 4000;
    fields.dport = 22;
    fields.tcp_flags = tcp_flag::kSyn | tcp_flag::kEce;
    fields.dscp = 46;
    CHECK(text_of(record_of(fields)) ==
          line(kMac4,
               "SRC=10.0.0.2 DST=192.0.2.1 LEN=40 TOS=0x18 PREC=0xA0 TTL=64 ID=0 PROTO=TCP "
               "SPT=4000 DPT=22 WINDOW=65535 RES=0x00 ECE SYN URGP=0"));
}

TEST_CASE("UDP, a VLAN tag and a mark") {
    PacketFields fields = fields_of("10.0.0.2", "192.0.2.1", 17);
    fields.dport = 53;
    fields.ip_length = 60;
    fields.vlan = 5;
    PacketLogRecord record = record_of(fields);
    record.mark = 0x10;
    record.frame[20 + 2] = 0x40;  // don't fragment
    CHECK(text_of(record) ==
          "DROP: IN=lan OUT=wan VPROTO=8100 VID=5 " + std::string(kMac4) +
              "SRC=10.0.0.2 DST=192.0.2.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=16384 PROTO=UDP "
              "SPT=40000 DPT=53 LEN=40 MARK=0x10 rule=r1 action=drop");
}

TEST_CASE("an ICMP error shows the packet that it quotes") {
    PacketFields fields = fields_of("192.0.2.1", "10.0.0.2", 1);
    fields.icmp_type = 3;
    fields.icmp_code = 4;
    CHECK(text_of(record_of(fields)) ==
          line(kMac4,
               "SRC=192.0.2.1 DST=10.0.0.2 LEN=56 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=ICMP TYPE=3 "
               "CODE=4 [SRC=10.0.0.2 DST=192.0.2.1 LEN=28 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=UDP "
               "SPT=40000 DPT=33434 LEN=8 ] MTU=0"));
}

TEST_CASE("IPv6 is written in full") {
    PacketFields fields = fields_of("2001:db8::2", "2001:db8::9", 58);
    fields.icmp_type = 128;
    CHECK(text_of(record_of(fields)) ==
          line(kMac6,
               "SRC=2001:0db8:0000:0000:0000:0000:0000:0002 "
               "DST=2001:0db8:0000:0000:0000:0000:0000:0009 LEN=48 TC=0 HOPLIMIT=64 "
               "FLOWLBL=0 PROTO=ICMPv6 TYPE=128 CODE=0 ID=0 SEQ=0"));
}

TEST_CASE("what was cut off is incomplete, and nothing behind it is read") {
    PacketFields fields = fields_of("10.0.0.2", "192.0.2.1", 6);
    const std::string whole = text_of(record_of(fields));
    for (size_t most = 0; most <= 54; ++most) {
        const std::string text = text_of(record_of(fields, most));
        CAPTURE(most, text);
        CHECK(text.ends_with("rule=r1 action=drop"));
        CHECK((text.find("INCOMPLETE") != text.npos) == (most < 54));
    }
    CHECK(text_of(record_of(fields, 40)) ==
          line(kMac4,
               "SRC=10.0.0.2 DST=192.0.2.1 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=TCP "
               "INCOMPLETE [6 bytes]"));
}

TEST_CASE("JSON names the same facts") {
    PacketFields fields = fields_of("10.0.0.2", "192.0.2.1", 6);
    fields.dport = 22;
    fields.tcp_flags = tcp_flag::kSyn;
    const Json json = packet_log_json(record_of(fields), names());
    CHECK(json["src"] == "10.0.0.2");
    CHECK(json["dport"] == 22);
    CHECK(json["proto"] == "tcp");
    CHECK(json["tcp_flags"] == 2);
    CHECK(json["rule"] == "r1");
    CHECK(json["action"] == "drop");
    CHECK(json["place"] == "a.yaml:7");
    CHECK(json["mac_src"] == "02:00:00:00:00:01");
    CHECK_FALSE(json.contains("mark"));
}

TEST_CASE("an ICMP error too short to quote a header is incomplete") {
    PacketFields fields = fields_of("192.0.2.1", "10.0.0.2", 1);
    fields.icmp_type = 3;
    fields.icmp_code = 1;
    const std::string header =
        "SRC=192.0.2.1 DST=10.0.0.2 LEN=56 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=ICMP TYPE=3 "
        "CODE=1 ";
    constexpr size_t kIcmpAt = 14 + 20;
    CHECK(text_of(record_of(fields, kIcmpAt + 27)) ==
          line(kMac4, header + "INCOMPLETE [27 bytes]"));
    CHECK(text_of(record_of(fields, kIcmpAt + 28)).find("[SRC=10.0.0.2") != std::string::npos);
}

TEST_CASE("an IPv6 header that is quoted in part is truncated") {
    PacketFields fields = fields_of("2001:db8::2", "2001:db8::9", 58);
    fields.icmp_type = 1;
    constexpr size_t kQuoteAt = 14 + 40 + 8;
    CHECK(text_of(record_of(fields, kQuoteAt + 39)).ends_with(" [TRUNCATED] rule=r1 action=drop"));
}

TEST_CASE("what stands behind an IPv6 authentication header is logged") {
    PacketFields fields = fields_of("2001:db8::2", "2001:db8::9", 17);
    PacketLogRecord record = record_of(fields);
    record.captured = static_cast<uint16_t>(record.captured + 12);
    constexpr size_t kIpv6At = 14, kHeaderAt = kIpv6At + 40;
    std::copy_n(record.frame + kHeaderAt, 8, record.frame + kHeaderAt + 12);
    record.frame[kIpv6At + 6] = ip_protocol::kAh;
    record.frame[kHeaderAt] = ip_protocol::kUdp;
    record.frame[kHeaderAt + 1] = 1;  // in words, less two
    CHECK_THAT(text_of(record), Catch::Contains("FLOWLBL=0 PROTO=UDP SPT=40000 DPT="));
}
