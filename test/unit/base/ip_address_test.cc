#include "base/ip_address.h"

#include <catch2/catch.hpp>

using namespace rampart;

TEST_CASE("an address is read as inet_pton reads it and printed canonically") {
    CHECK(IpAddress::parse("192.0.2.1")->to_string() == "192.0.2.1");
    CHECK(IpAddress::parse("2001:DB8:0:0::1")->to_string() == "2001:db8::1");
    CHECK(IpAddress::parse("::")->to_string() == "::");
    CHECK(IpAddress::parse("1.2.3.4")->family == Family::Ipv4);
    CHECK(IpAddress::parse("::1")->family == Family::Ipv6);
}

TEST_CASE("what only resembles an address is refused") {
    for (const char* text : {"", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.4 ", " ::1",
                             "fe80::1%eth0", "::1::", "host", "0x7f.0.0.1",
                             "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb"}) {
        CAPTURE(text);
        CHECK_FALSE(IpAddress::parse(text));
    }
    CHECK_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0x", 9)));
}

TEST_CASE("a prefix keeps its host bits and gives the range without them") {
    const auto prefix = IpPrefix::parse("192.168.1.5/24");
    REQUIRE(prefix);
    CHECK(prefix->has_host_bits());
    CHECK(prefix->to_string() == "192.168.1.0/24");
    CHECK(prefix->range().last.to_string() == "192.168.1.255");
    CHECK(prefix->range().contains(*IpAddress::parse("192.168.1.77")));
    CHECK_FALSE(prefix->range().contains(*IpAddress::parse("192.168.2.0")));
    CHECK_FALSE(prefix->range().contains(*IpAddress::parse("::1")));
}

TEST_CASE("the shortest and the longest prefixes are exact") {
    CHECK(IpPrefix::parse("0.0.0.0/0")->range().last.to_string() == "255.255.255.255");
    CHECK(IpPrefix::parse("::/0")->to_string() == "::/0");
    CHECK(IpPrefix::parse("10.0.0.1/32")->to_string() == "10.0.0.1");
    CHECK(IpPrefix::parse("10.0.0.1")->length == 32);
    CHECK_FALSE(IpPrefix::parse("::1/128")->has_host_bits());
    CHECK(IpPrefix::parse("2001:db8::1/127")->has_host_bits());
}

TEST_CASE("a bad prefix length is refused") {
    for (const char* text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "::/129",
                             "10.0.0.0/255.0.0.0", "/8"}) {
        CAPTURE(text);
        CHECK_FALSE(IpPrefix::parse(text));
    }
}

TEST_CASE("a range is printed as a prefix where it is one") {
    const auto range = [](const char* a, const char* b) {
        return IpRange{*IpAddress::parse(a), *IpAddress::parse(b)}.to_string();
    };
    CHECK(range("10.0.0.0", "10.255.255.255") == "10.0.0.0/8");
    CHECK(range("10.0.0.1", "10.0.0.2") == "10.0.0.1-10.0.0.2");
    CHECK(range("10.0.0.0", "10.0.0.2") == "10.0.0.0-10.0.0.2");
    CHECK(range("10.0.0.7", "10.0.0.7") == "10.0.0.7");
    CHECK(range("2001:db8::", "2001:db8::ffff") == "2001:db8::/112");
}
