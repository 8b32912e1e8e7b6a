#include <catch2/catch.hpp>

#include "support/route_list.h"
#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

constexpr InterfaceIndex kLan = 0, kWan = 1;

struct Box {
    Box() {
        routes.add("192.0.2.0/24", {.kind = RouteKind::OnLink, .interface = kLan});
        routes.add("192.0.2.1/32", {.kind = RouteKind::Local, .interface = kLan});
        routes.add("203.0.113.0/24", {.kind = RouteKind::Gateway, .interface = kWan});
        routes.add("198.51.100.0/24", {.kind = RouteKind::Gateway, .interface = kLan});
        routes.add("198.51.100.0/24", {.kind = RouteKind::Gateway, .interface = kWan});
        routes.add("10.0.0.0/8", {.kind = RouteKind::Blackhole});
        routes.add("2001:db8::/32", {.kind = RouteKind::OnLink, .interface = kLan});
    }
    // The packet fails the check.
    bool fails(const char* check, const char* src, InterfaceIndex in,
               const char* dst = "192.0.2.9") {
        const std::string rule = std::string("{ check: ") + check + " }";
        Sample sample = tcp(src, 4000, dst, 22);
        sample.in = in;
        sample.routing = &routes;
        return RuleBench(rule, "check").matches(sample);
    }
    RouteList routes;
};

}  // namespace

TEST_CASE("rpf holds for sources that another interface leads to") {
    Box box;
    CHECK_FALSE(box.fails("rpf", "192.0.2.7", kLan));
    CHECK(box.fails("rpf", "192.0.2.7", kWan));
    CHECK_FALSE(box.fails("rpf", "203.0.113.7", kWan));
    CHECK(box.fails("rpf", "203.0.113.7", kLan));
    CHECK(box.fails("rpf", "2001:db8::7", kWan, "2001:db8::1"));
    CHECK_FALSE(box.fails("rpf", "2001:db8::7", kLan, "2001:db8::1"));
}

TEST_CASE("each hop of a route with several is right") {
    Box box;
    CHECK_FALSE(box.fails("rpf", "198.51.100.7", kLan));
    CHECK_FALSE(box.fails("rpf", "198.51.100.7", kWan));
    CHECK(box.fails("rpf", "198.51.100.7", 2));
}

TEST_CASE("rpf_loose holds only for sources without any route") {
    Box box;
    CHECK_FALSE(box.fails("rpf_loose", "192.0.2.7", kWan));
    CHECK(box.fails("rpf_loose", "172.16.0.1", kWan));
    CHECK(box.fails("rpf_loose", "10.1.1.1", kWan));
    CHECK(box.fails("rpf_loose", "192.0.2.1", kWan));  // the box's own address
}

TEST_CASE("hosts without an address and link-local neighbours are exempt") {
    Box box;
    CHECK_FALSE(box.fails("rpf", "0.0.0.0", kLan, "255.255.255.255"));
    CHECK_FALSE(box.fails("rpf", "0.0.0.0", kLan, "224.0.0.1"));
    CHECK(box.fails("rpf", "0.0.0.0", kLan, "192.0.2.9"));
    CHECK(box.fails("rpf", "0.0.0.0", kLan, "224.1.0.1"));
    CHECK_FALSE(box.fails("rpf", "fe80::1", kWan, "ff02::1"));
    CHECK_FALSE(box.fails("rpf", "::", kWan, "ff02::1"));
}

TEST_CASE("without routes the check never holds, and it is printed as written") {
    Sample sample = tcp("192.0.2.7", 4000, "192.0.2.9", 22);
    CHECK_FALSE(RuleBench("{ check: rpf }", "check").matches(sample));
    CHECK(RuleBench("{ check: rpf }", "check").print() == "rpf");
    CHECK(RuleBench("{ check: rpf_loose }", "check").print() == "rpf_loose");
    CHECK(RuleBench("{ check: rfp }", "check").problem() ==
          "E007 unknown check 'rfp' | did you mean 'rpf'?");
    CHECK(RuleBench("{ check: [rpf] }", "check").problem().starts_with("E005"));
}
