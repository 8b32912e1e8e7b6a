#include <catch2/catch.hpp>

#include "support/route_list.h"
#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

bool matches(const std::string& types, const char* address) {
    RouteList routes;
    routes.add("192.0.2.1/32", {.kind = RouteKind::Local, .interface = 0});
    routes.add("192.0.2.255/32", {.kind = RouteKind::Local, .interface = 0, .is_broadcast = true});
    routes.add("192.0.2.0/24", {.kind = RouteKind::OnLink, .interface = 0});
    routes.add("2001:db8::1/128", {.kind = RouteKind::Local, .interface = 0});
    const bool is_v6 = std::string_view(address).find(':') != std::string_view::npos;
    const char* other = is_v6 ? "2001:db8::9" : "192.0.2.9";
    Sample sample = tcp(other, 4000, address, 22);
    sample.routing = &routes;
    return RuleBench("{ dst_type: " + types + " }", "dst_type").matches(sample);
}

}  // namespace

TEST_CASE("dst_type tells addresses apart as the kernel does") {
    CHECK(matches("local", "192.0.2.1"));
    CHECK(matches("local", "2001:db8::1"));
    CHECK_FALSE(matches("local", "192.0.2.2"));
    CHECK_FALSE(matches("local", "192.0.2.255"));
    CHECK(matches("broadcast", "192.0.2.255"));
    CHECK(matches("broadcast", "255.255.255.255"));
    CHECK(matches("broadcast", "0.0.0.0"));
    CHECK(matches("multicast", "224.0.0.5"));
    CHECK(matches("multicast", "ff02::5"));
    CHECK(matches("unicast", "192.0.2.2"));
    CHECK(matches("unicast", "198.51.100.1"));  // without a route, too
    CHECK_FALSE(matches("unicast", "192.0.2.1"));
    CHECK(matches("[local, multicast]", "239.1.1.1"));
}

TEST_CASE("dst_type without routes never holds; it is printed as written") {
    CHECK_FALSE(RuleBench("{ dst_type: unicast }", "dst_type")
                    .matches(tcp("192.0.2.1", 1, "192.0.2.2", 2)));
    CHECK(RuleBench("{ dst_type: [multicast, local] }", "dst_type").print() ==
          "[local, multicast]");
    CHECK(RuleBench("{ dst_type: anycast }", "dst_type").problem().starts_with("E007"));
}
