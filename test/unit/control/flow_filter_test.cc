#include "control/flow_filter.h"

#include <catch2/catch.hpp>

using namespace rampart;

namespace {

AddressBytes bytes(const char* text) {
    return IpAddress::parse(text)->bytes;
}

FlowEntry udp_flow() {
    FlowEntry flow;
    flow.original.src = bytes("10.0.1.2");
    flow.original.dst = bytes("10.0.2.2");
    flow.original.family = Family::Ipv4;
    flow.original.src_port = be16::from_host(1111);
    flow.original.dst_port = be16::from_host(53);
    flow.original.protocol = 17;
    flow.reply = invert(flow.original);
    flow.status = flow_status::kSeenReply;
    flow.mark = 0x13;
    flow.id = 42;
    return flow;
}

}  // namespace

TEST_CASE("an empty filter matches, and conditions combine with and") {
    const FlowEntry flow = udp_flow();
    FlowFilter filter;
    CHECK(filter.matches(flow));
    filter.protocol = 17;
    filter.family = Family::Ipv4;
    filter.dst_port = 53;
    filter.reply_dst_port = 1111;
    CHECK(filter.matches(flow));
    filter.src_port = 1;
    CHECK_FALSE(filter.matches(flow));
}

TEST_CASE("an address is compared under its mask") {
    const FlowEntry flow = udp_flow();
    FlowFilter filter;
    filter.src = AddressCondition{bytes("10.0.1.77"), bytes("255.255.255.0")};
    CHECK(filter.matches(flow));
    filter.src->mask = bytes("255.255.255.255");
    CHECK_FALSE(filter.matches(flow));
    filter.src = AddressCondition{bytes("9.9.9.2"), bytes("0.0.0.255")};
    CHECK(filter.matches(flow));
    filter.reply_src = AddressCondition{bytes("10.0.2.2"), bytes("255.255.255.255")};
    CHECK(filter.matches(flow));
}

TEST_CASE("status bits are asked for set or clear") {
    const FlowEntry flow = udp_flow();
    FlowFilter filter;
    filter.status_set = flow_status::kSeenReply;
    filter.status_clear = flow_status::kAssured;
    CHECK(filter.matches(flow));
    filter.status_set = flow_status::kAssured;
    CHECK_FALSE(filter.matches(flow));
    FlowFilter never;
    never.matches_nothing = true;
    CHECK_FALSE(never.matches(flow));
}

TEST_CASE("marks, ids and zones are compared") {
    FlowEntry flow = udp_flow();
    FlowFilter filter;
    filter.mark = 3;
    CHECK_FALSE(filter.matches(flow));
    filter.mark_mask = 3;
    CHECK(filter.matches(flow));
    filter.id = 42;
    CHECK(filter.matches(flow));
    filter.zone = 7;
    CHECK_FALSE(filter.matches(flow));
    flow.original.zone = flow.reply.zone = 7;
    CHECK(filter.matches(flow));
    filter.orig_zone = 7;  // a zone of both directions is none of one
    CHECK_FALSE(filter.matches(flow));
    flow.reply.zone = 0;
    filter.zone = 0;
    CHECK(filter.matches(flow));
}

TEST_CASE("a translation is a reply that does not mirror the original") {
    FlowEntry flow = udp_flow();
    FlowFilter any, source, destination;
    any.any_nat.emplace();
    source.src_nat.emplace();
    destination.dst_nat.emplace();
    CHECK_FALSE(any.matches(flow));
    flow.reply.dst = bytes("192.0.2.1");
    CHECK(any.matches(flow));
    CHECK(source.matches(flow));
    CHECK_FALSE(destination.matches(flow));
    source.src_nat->address = IpAddress::parse("192.0.2.1");
    CHECK(source.matches(flow));
    source.src_nat->port = 1111;  // the port was not translated
    CHECK_FALSE(source.matches(flow));
    flow.reply.dst_port = be16::from_host(2222);
    source.src_nat->port = 2222;
    CHECK(source.matches(flow));
}
