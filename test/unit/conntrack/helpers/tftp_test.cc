#include <catch2/catch.hpp>

#include "support/helper_bed.h"

namespace rampart::test {
namespace {

constexpr char kClient[] = "10.0.0.2", kServer[] = "192.0.2.1", kPublic[] = "203.0.113.100";
constexpr uint8_t kUdp = ip_protocol::kUdp;

struct Tftp : HelperBed {
    Tftp() : HelperBed(helper_number::kTftp, kClient, 40000, kServer, 69, kUdp) {
        is_established = false;
    }
};

std::string packet(uint8_t opcode) {
    return std::string("\0", 1) + static_cast<char>(opcode) + std::string("file\0octet\0", 11);
}

}  // namespace

TEST_CASE("H08: the answer to a request comes from any port, and once") {
    for (const uint8_t opcode : {uint8_t{1}, uint8_t{2}}) {
        Tftp tftp;
        CHECK(tftp.client(packet(opcode)).passed());
        REQUIRE(tftp.expectations().size() == 1);
        CHECK_FALSE(tftp.is_expected(HelperBed::tuple("192.0.2.9", 3000, kClient, 40000, kUdp)));
        CHECK_FALSE(tftp.is_expected(HelperBed::tuple(kServer, 3000, kClient, 40001, kUdp)));
        Expectation found;
        CHECK(tftp.take(HelperBed::tuple(kServer, 3000, kClient, 40000, kUdp), found));
        CHECK_FALSE(tftp.take(HelperBed::tuple(kServer, 3001, kClient, 40000, kUdp), found));
    }
}

TEST_CASE("other packets announce nothing") {
    Tftp tftp;
    for (const uint8_t opcode : {uint8_t{0}, uint8_t{3}, uint8_t{4}, uint8_t{5}, uint8_t{255}})
        CHECK(tftp.client(packet(opcode)).passed());
    CHECK(tftp.client("\1").passed());
    CHECK(tftp.expectations().empty());
}

TEST_CASE("a request again is one expectation, and a translated one comes home") {
    Tftp tftp;
    tftp.translate_source(kPublic, 61000);
    CHECK(tftp.client(packet(1)).passed());
    CHECK(tftp.client(packet(1)).passed());
    CHECK(tftp.expectations().size() == 1);
    Expectation found;
    REQUIRE(tftp.take(HelperBed::tuple(kServer, 3000, kPublic, 61000, kUdp), found));
    CHECK(found.translation.source == IpAddress::parse(kServer)->bytes);
    CHECK(found.translation.destination == IpAddress::parse(kClient)->bytes);
    CHECK(found.translation.destination_port == be16::from_host(40000));
}

}  // namespace rampart::test
