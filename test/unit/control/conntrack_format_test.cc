#include "control/conntrack_format.h"

#include <catch2/catch.hpp>

#include "control/conntrack_names.h"

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

std::string text_of(const FlowEntry& entry, const ConntrackFormat& format = {}) {
    return format_flow({.flow = entry}, format);
}

std::string event_of(FlowMessage message, const FlowEntry& entry,
                     const ConntrackFormat& format = {}) {
    return format_flow({.flow = entry, .message = message, .time_ns = 1795227879'494439000},
                       format);
}

constexpr uint16_t kAssured = flow_status::kSeenReply | flow_status::kAssured;

FlowEntry tcp_entry() {
    FlowEntry entry = entry_of(6, "10.0.1.2", "10.0.2.2", 40000, 80, kAssured, 431999);
    entry.state = 3;
    return entry;
}

}  // namespace

TEST_CASE("an established TCP connection is listed as conntrack-tools does") {
    CHECK(text_of(tcp_entry()) ==
          "tcp      6 431999 ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=40000 dport=80 "
          "src=10.0.2.2 dst=10.0.1.2 sport=80 dport=40000 [ASSURED] mark=0 use=1");
}

TEST_CASE("a flow without a reply says so between its tuples") {
    FlowEntry entry = entry_of(6, "10.0.1.2", "10.0.2.2", 40000, 80, 0, 119);
    entry.state = 1;
    CHECK(text_of(entry) ==
          "tcp      6 119 SYN_SENT src=10.0.1.2 dst=10.0.2.2 sport=40000 dport=80 [UNREPLIED] "
          "src=10.0.2.2 dst=10.0.1.2 sport=80 dport=40000 mark=0 use=1");
}

TEST_CASE("accounting puts packets and bytes after each tuple") {
    FlowEntry entry = entry_of(17, "10.0.1.2", "10.0.2.2", 1111, 2222, kAssured, 119);
    entry.packets[0] = 2;
    entry.bytes[0] = 58;
    entry.packets[1] = 1;
    entry.bytes[1] = 29;
    CHECK(text_of(entry, {.accounting = true}) ==
          "udp      17 119 src=10.0.1.2 dst=10.0.2.2 sport=1111 dport=2222 packets=2 bytes=58 "
          "src=10.0.2.2 dst=10.0.1.2 sport=2222 dport=1111 packets=1 bytes=29 [ASSURED] mark=0 "
          "use=1");
}

TEST_CASE("a ping is listed with type, code and id, inverted for the reply") {
    const FlowEntry v4 =
        entry_of(1, "10.0.1.2", "10.0.2.2", 7, 8 << 8, flow_status::kSeenReply, 29);
    CHECK(text_of(v4) ==
          "icmp     1 29 src=10.0.1.2 dst=10.0.2.2 type=8 code=0 id=7 src=10.0.2.2 dst=10.0.1.2 "
          "type=0 code=0 id=7 mark=0 use=1");
    const FlowEntry v6 = entry_of(58, "fd00:1::2", "fd00:2::2", 9, 128 << 8, 0, 29);
    CHECK(text_of(v6, {.extended = true}) ==
          "ipv6     10 icmpv6   58 29 src=fd00:1::2 dst=fd00:2::2 type=128 code=0 id=9 "
          "[UNREPLIED] src=fd00:2::2 dst=fd00:1::2 type=129 code=0 id=9 mark=0 use=1");
}

TEST_CASE("a protocol without a name is unknown and has no ports") {
    const FlowEntry entry = entry_of(253, "10.0.1.2", "10.0.2.2", 0, 0, 0, 599);
    CHECK(text_of(entry, {.extended = true}) ==
          "ipv4     2 unknown  253 599 src=10.0.1.2 dst=10.0.2.2 [UNREPLIED] src=10.0.2.2 "
          "dst=10.0.1.2 mark=0 use=1");
}

TEST_CASE("the zone comes after the mark and the id last") {
    FlowEntry entry = entry_of(47, "10.0.1.2", "10.0.2.2", 0, 0, kAssured, 179);
    entry.original.zone = entry.reply.zone = 7;
    CHECK(text_of(entry, {.id = true}) ==
          "gre      47 179 src=10.0.1.2 dst=10.0.2.2 srckey=0x0 dstkey=0x0 src=10.0.2.2 "
          "dst=10.0.1.2 srckey=0x0 dstkey=0x0 [ASSURED] mark=0 zone=7 use=1 id=3156654058");
}

TEST_CASE("a flow as JSON has the keys that scripts rely on") {
    const FlowEntry tcp = tcp_entry();
    const Json json = flow_to_json({.flow = tcp}, {});
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

    const FlowEntry echo = entry_of(1, "10.0.1.2", "10.0.2.2", 7, 8 << 8, 0, 29);
    const Json ping = flow_to_json({.flow = echo}, {});
    CHECK(ping["orig"] == Json({{"proto", "icmp"},
                                {"src", "10.0.1.2"},
                                {"dst", "10.0.2.2"},
                                {"type", 8},
                                {"code", 0},
                                {"id", 7}}));
    CHECK(ping["status"] == Json::array());
    const FlowEntry unnamed = entry_of(253, "10.0.1.2", "10.0.2.2", 0, 0, 0, 599);
    CHECK(flow_to_json({.flow = unnamed}, {})["orig"]["proto"] == 253);
    const FlowEntry gre = entry_of(47, "10.0.1.2", "10.0.2.2", 0, 42, 0, 29);
    CHECK(flow_to_json({.flow = gre}, {})["reply"]["sport"] == 42);
    CHECK_FALSE(ping.contains("state"));
}

TEST_CASE("the zone of one direction stands with its tuple, that of both behind the mark") {
    FlowEntry entry = entry_of(17, "1.1.1.1", "2.2.2.2", 11, 20, 0, 99);
    entry.original.zone = 5;
    CHECK(text_of(entry) ==
          "udp      17 99 src=1.1.1.1 dst=2.2.2.2 sport=11 dport=20 zone-orig=5 [UNREPLIED] "
          "src=2.2.2.2 dst=1.1.1.1 sport=20 dport=11 mark=0 use=1");
    entry.original.zone = 0;
    entry.reply.zone = 6;
    CHECK(text_of(entry) ==
          "udp      17 99 src=1.1.1.1 dst=2.2.2.2 sport=11 dport=20 [UNREPLIED] src=2.2.2.2 "
          "dst=1.1.1.1 sport=20 dport=11 zone-reply=6 mark=0 use=1");
}

TEST_CASE("protocols without a tracker of their own are listed as upstream does") {
    CHECK(text_of(entry_of(33, "1.1.1.1", "2.2.2.2", 0, 0, 0, 99)) ==
          "dccp     33 99 src=1.1.1.1 dst=2.2.2.2 sport=0 dport=0 [UNREPLIED] src=2.2.2.2 "
          "dst=1.1.1.1 sport=0 dport=0 mark=0 use=1");
    CHECK(text_of(entry_of(47, "1.1.1.1", "2.2.2.2", 16, 20, 0, 99)) ==
          "gre      47 99 src=1.1.1.1 dst=2.2.2.2 srckey=0x10 dstkey=0x14 [UNREPLIED] src=2.2.2.2 "
          "dst=1.1.1.1 srckey=0x14 dstkey=0x10 mark=0 use=1");
    CHECK(text_of(entry_of(136, "1.1.1.1", "2.2.2.2", 16, 20, 0, 99)) ==
          "udplite  136 99 src=1.1.1.1 dst=2.2.2.2 sport=16 dport=20 [UNREPLIED] src=2.2.2.2 "
          "dst=1.1.1.1 sport=20 dport=16 mark=0 use=1");
}

TEST_CASE("a translated flow shows the addresses that its replies have") {
    FlowEntry entry = entry_of(17, "1.1.1.1", "2.2.2.2", 14, 20, flow_status::kSrcNat, 99);
    entry.reply.dst = bytes("9.9.9.9");
    CHECK(text_of(entry) ==
          "udp      17 99 src=1.1.1.1 dst=2.2.2.2 sport=14 dport=20 [UNREPLIED] src=2.2.2.2 "
          "dst=9.9.9.9 sport=20 dport=14 mark=0 use=1");
    CHECK(text_of(entry, {.form = FlowForm::Save}) ==
          "-A -t 99 -u UNSET -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -n 9.9.9.9 -p udp --sport 14 "
          "--dport 20 --reply-port-src 20 --reply-port-dst 14");
}

TEST_CASE("times: whole seconds since the start, and the calendar when asked for") {
    FlowEntry entry = tcp_entry();
    entry.start_ns = 1795227877'999000000;
    const FlowReport report{.flow = entry, .time_ns = 1795227879'001000000};
    ConntrackFormat format{.has_start = true};
    CHECK(format_flow(report, format).ends_with("[ASSURED] mark=0 delta-time=2 use=1"));
    format.ktimestamp = true;
    const std::string line = format_flow(report, format);
    CHECK(line.find("delta-time=2 [start=") != std::string::npos);
    CHECK(line.find(" 2026] use=1") != std::string::npos);
}

TEST_CASE("save gives the arguments that would make the flow") {
    const ConntrackFormat save{.form = FlowForm::Save};
    CHECK(text_of(tcp_entry(), save) ==
          "-A -t 431999 -u SEEN_REPLY,ASSURED -s 10.0.1.2 -d 10.0.2.2 -r 10.0.2.2 -q 10.0.1.2 -p "
          "tcp --sport 40000 --dport 80 --reply-port-src 80 --reply-port-dst 40000 --state "
          "ESTABLISHED");
    CHECK(text_of(entry_of(58, "fd00::1", "fd00::2", 55, 128 << 8, 0, 99), save) ==
          "-A -t 99 -u UNSET -s fd00::1 -d fd00::2 -r fd00::2 -q fd00::1 -p icmpv6 --icmpv6-type "
          "128 --icmpv6-code 0 --icmpv6-id 55");
    CHECK(text_of(entry_of(47, "1.1.1.1", "2.2.2.2", 16, 20, 0, 99), save) ==
          "-A -t 99 -u UNSET -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p gre --srckey 16 "
          "--dstkey 20 --reply-key-src 20 --reply-key-dst 16");
    CHECK(text_of(entry_of(33, "1.1.1.1", "2.2.2.2", 0, 0, 0, 99), save) ==
          "-A -t 99 -u UNSET -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p dccp");
    FlowEntry zoned = entry_of(253, "1.1.1.1", "2.2.2.2", 0, 0, flow_status::kFixedTimeout, 599);
    zoned.original.zone = zoned.reply.zone = 5;
    CHECK(text_of(zoned, save) ==
          "-A -t 599 -u FIXED_TIMEOUT -w 5 -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p 253");
    CHECK(event_of(FlowMessage::Update, zoned, save).starts_with("-U -t 599 "));
    CHECK(event_of(FlowMessage::Destroy, zoned, save).starts_with("-D -t 599 "));
    CHECK(format_flow({.flow = zoned, .message = FlowMessage::Deleted}, save)
              .starts_with("-D -t 599 "));
}

TEST_CASE("XML of a listed flow") {
    FlowEntry entry = tcp_entry();
    entry.packets[0] = 5;
    entry.bytes[0] = 210;
    entry.packets[1] = 4;
    entry.bytes[1] = 160;
    entry.start_ns = 1795227879'493550432;
    const ConntrackFormat format{
        .form = FlowForm::Xml, .ktimestamp = true, .accounting = true, .has_start = true};
    CHECK(format_flow({.flow = entry, .time_ns = 1795227881'000000000}, format) ==
          "<flow><meta direction=\"original\"><layer3 protonum=\"2\" protoname=\"ipv4\">"
          "<src>10.0.1.2</src><dst>10.0.2.2</dst></layer3><layer4 protonum=\"6\" "
          "protoname=\"tcp\"><sport>40000</sport><dport>80</dport></layer4><counters>"
          "<packets>5</packets><bytes>210</bytes></counters></meta><meta direction=\"reply\">"
          "<layer3 protonum=\"2\" protoname=\"ipv4\"><src>10.0.2.2</src><dst>10.0.1.2</dst>"
          "</layer3><layer4 protonum=\"6\" protoname=\"tcp\"><sport>80</sport><dport>40000</dport>"
          "</layer4><counters><packets>4</packets><bytes>160</bytes></counters></meta>"
          "<meta direction=\"independent\"><state>ESTABLISHED</state><timeout>431999</timeout>"
          "<mark>0</mark><use>1</use><id>3156654058</id><assured/><timestamp>"
          "<start>1795227879493550432</start></timestamp><deltatime>2</deltatime></meta></flow>");
}

TEST_CASE("XML of ICMP has an empty layer 4") {
    const FlowEntry echo = entry_of(1, "10.0.1.2", "10.0.2.2", 7, 8 << 8, 0, 29);
    CHECK(text_of(echo, {.form = FlowForm::Xml})
              .find("<layer4 protonum=\"1\" protoname=\"icmp\"></layer4></meta>") !=
          std::string::npos);
}

TEST_CASE("events: a tag, no count of uses, a mark only when there is one") {
    FlowEntry entry = entry_of(6, "10.0.1.2", "10.0.2.2", 40000, 80, 0, 120);
    entry.state = 1;
    CHECK(event_of(FlowMessage::New, entry) ==
          "    [NEW] tcp      6 120 SYN_SENT src=10.0.1.2 dst=10.0.2.2 sport=40000 dport=80 "
          "[UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=80 dport=40000");
    entry.mark = 7;
    entry.status = flow_status::kSeenReply;
    const FlowReport quiet{
        .flow = entry, .message = FlowMessage::Update, .time_ns = 0, .state_changed = false};
    CHECK(format_flow(quiet, {.accounting = true}) ==
          " [UPDATE] tcp      6 120 src=10.0.1.2 dst=10.0.2.2 sport=40000 dport=80 src=10.0.2.2 "
          "dst=10.0.1.2 sport=80 dport=40000 mark=7");
}

TEST_CASE("the end of a flow: counters, times, and no timeout when none is left") {
    FlowEntry entry = entry_of(17, "10.9.1.2", "10.9.2.2", 38808, 99, 0, 0);
    entry.packets[0] = 1;
    entry.bytes[0] = 30;
    entry.start_ns = 1795278178'544431392;
    entry.stop_ns = 1795278179'538463354;
    ConntrackFormat format{.id = true, .timestamp = true, .accounting = true, .has_start = true};
    CHECK(event_of(FlowMessage::Destroy, entry, format) ==
          "[1795227879.494439]\t[DESTROY] udp      17 src=10.9.1.2 dst=10.9.2.2 sport=38808 "
          "dport=99 packets=1 bytes=30 [UNREPLIED] src=10.9.2.2 dst=10.9.1.2 sport=99 dport=38808 "
          "packets=0 bytes=0 delta-time=1 id=3156654058");
    format.form = FlowForm::Xml;
    format.ktimestamp = true;
    format.timestamp = false;
    CHECK(event_of(FlowMessage::Destroy, entry, format)
              .ends_with("<meta direction=\"independent\"><id>3156654058</id><unreplied/>"
                         "<timestamp><start>1795278178544431392</start><stop>1795278179538463354"
                         "</stop></timestamp><deltatime>0</deltatime></meta></flow>"));
}

TEST_CASE("ids differ between incarnations and are never zero") {
    CHECK(flow_id(0, 1, 1) != flow_id(0, 1, 2));
    CHECK(flow_id(0, 1, 1) != flow_id(1, 1, 1));
    CHECK(flow_id(0, 0, 0) != 0);
}
