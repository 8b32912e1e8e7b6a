#include "rules/sets/set_element.h"

#include <catch2/catch.hpp>

#include "support/rule_bench.h"

using namespace rampart;
using namespace rampart::test;

namespace {

// What a text stands for, printed again and joined with spaces; or the code of what is wrong.
std::string read(std::string_view type_name, std::string_view text) {
    const SetType* type = find_set_type(type_name);
    REQUIRE(type != nullptr);
    const Names names = sample_names();
    std::vector<SetElement> elements;
    if (const auto problem = parse_set_element(*type, text, names, elements))
        return std::string(problem->code);
    std::string result;
    for (const SetElement& element : elements) {
        if (!result.empty()) result += ' ';
        const std::string printed = print_set_element(*type, element, names);
        result += printed;
        std::vector<SetElement> again;
        REQUIRE_FALSE(parse_set_element(*type, printed, names, again));
        REQUIRE(again == std::vector<SetElement>{element});
        if (!type->has(SetPart::Iface)) REQUIRE(SetElement::from_key(element.key()) == element);
    }
    return result;
}

}  // namespace

TEST_CASE("elements of every type are read and printed") {
    CHECK(read("ip", "192.0.2.1") == "192.0.2.1");
    CHECK(read("ip", "2001:db8::1") == "2001:db8::1");
    CHECK(read("net", "10.1.2.3/8") == "10.0.0.0/8");
    CHECK(read("net", "::/0") == "::/0");
    CHECK(read("port", "80") == "80");
    CHECK(read("port", "80-82") == "80 81 82");
    CHECK(read("mac", "52:54:00:12:34:56") == "52:54:00:12:34:56");
    CHECK(read("iface", "lan") == "lan");
    CHECK(read("iface", "eth*") == "eth0 eth1");
    CHECK(read("ip,port", "192.0.2.1, 53") == "192.0.2.1,53");
    CHECK(read("net,port", "2001:db8::/32,443") == "2001:db8::/32,443");
    CHECK(read("ip,proto,port", "192.0.2.1,udp,53") == "192.0.2.1,udp,53");
    CHECK(read("net,net", "10.0.0.0/8,192.0.2.0/24") == "10.0.0.0/8,192.0.2.0/24");
}

TEST_CASE("a range of addresses becomes the prefixes that make it up") {
    CHECK(read("net", "10.0.0.1-10.0.0.6") == "10.0.0.1 10.0.0.2/31 10.0.0.4/31 10.0.0.6");
    CHECK(read("net", "0.0.0.0-255.255.255.255") == "0.0.0.0/0");
    CHECK(read("net", "255.255.255.254-255.255.255.255") == "255.255.255.254/31");
    CHECK(read("net", "2001:db8::-2001:db8::ffff") == "2001:db8::/112");
    CHECK(read("net", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == "::/0");
}

TEST_CASE("what is no element is refused with its code") {
    CHECK(read("ip", "10.0.0.0/8") == "E008");
    CHECK(read("ip", "10.0.0.256") == "E008");
    CHECK(read("ip", "") == "E008");
    CHECK(read("ip", "10.0.0.1,80") == "E008");
    CHECK(read("net", "10.0.0.9-10.0.0.1") == "E008");
    CHECK(read("net", "10.0.0.0/33") == "E008");
    CHECK(read("port", "65536") == "E009");
    CHECK(read("port", "080") == "E009");
    CHECK(read("ip,port", "10.0.0.1,80-81") == "E009");
    CHECK(read("ip,port", "10.0.0.1") == "E008");
    CHECK(read("ip,proto,port", "10.0.0.1,quic,80") == "E007");
    CHECK(read("net,net", "10.0.0.0/8,::/0") == "E018");
    CHECK(read("mac", "52:54:00:12:34") == "E008");
    CHECK(read("iface", "ppp0") == "E011");
}
