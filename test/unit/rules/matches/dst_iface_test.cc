#include <catch2/catch.hpp>

#include "support/route_list.h"
#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

bool matches(const std::string& interfaces, const char* destination) {
    RouteList routes;
    routes.add("192.0.2.1/32", {.kind = RouteKind::Local, .interface = 0});
    routes.add("203.0.113.1/32", {.kind = RouteKind::Local, .interface = 1});
    routes.add("203.0.113.255/32",
               {.kind = RouteKind::Local, .interface = 1, .is_broadcast = true});
    routes.add("0.0.0.0/0", {.kind = RouteKind::Gateway, .interface = 1});
    Sample sample = tcp("192.0.2.9", 4000, destination, 80);
    sample.in = 0;
    sample.routing = &routes;
    return RuleBench("{ dst_iface: " + interfaces + " }", "dst_iface").matches(sample);
}

}  // namespace

TEST_CASE("dst_iface holds for the addresses of an interface, whichever the packet came in by") {
    CHECK(matches("wan", "203.0.113.1"));
    CHECK_FALSE(matches("wan", "192.0.2.1"));
    CHECK(matches("[lan, wan]", "192.0.2.1"));
    CHECK_FALSE(matches("wan", "203.0.113.255"));
    CHECK_FALSE(matches("wan", "198.51.100.1"));
}

TEST_CASE("dst_iface takes the names that `in` takes, without sets") {
    CHECK(RuleBench("{ dst_iface: [wan, inside] }", "dst_iface").print() == "[wan, inside]");
    CHECK(RuleBench("{ dst_iface: wna }", "dst_iface").problem().starts_with("E011"));
    CHECK_FALSE(
        RuleBench("{ dst_iface: wan }", "dst_iface").matches(tcp("192.0.2.1", 1, "192.0.2.2", 2)));
}
