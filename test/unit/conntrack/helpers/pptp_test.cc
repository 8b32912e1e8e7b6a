// PPTP: both directions of a call become one connection, with and without translation.
#include <catch2/catch.hpp>

#include "base/endian.h"
#include "support/helper_bed.h"

namespace rampart::test {
namespace {

constexpr char kClient[] = "10.0.0.2", kServer[] = "192.0.2.1", kPublic[] = "203.0.113.100";
constexpr uint8_t kGre = ip_protocol::kGre;

// A control message of this type, with 16-bit fields from offset 12 on.
std::string control(uint16_t type, std::initializer_list<uint16_t> fields) {
    constexpr uint16_t kLengths[] = {0,  156, 156, 16, 16, 16,  20, 168,
                                     32, 220, 24,  28, 16, 148, 40, 24};
    std::string bytes(kLengths[type], '\0');
    auto* at = reinterpret_cast<uint8_t*>(bytes.data());
    store_host16(at, kLengths[type]);
    store_host16(at + 2, 1);
    store_host32(at + 4, 0x1a2b3c4d);
    store_host16(at + 8, type);
    uint32_t offset = 12;
    for (const uint16_t field : fields) {
        store_host16(at + offset, field);
        offset += 2;
    }
    return bytes;
}
uint16_t field_at(const std::string& bytes, uint32_t offset) {
    return load_host16(reinterpret_cast<const uint8_t*>(bytes.data()) + offset);
}

constexpr uint16_t kPnsId = 0x1111, kPacId = 0x2222, kOkResult = 0x0100;

struct Pptp : HelperBed {
    Pptp() : HelperBed(helper_number::kPptp, kClient, 40000, kServer, 1723) {}
    void begin() {
        CHECK(client(control(1, {0x0100})).passed());
        CHECK(server(control(2, {0x0100, kOkResult})).passed());
    }
};

}  // namespace

TEST_CASE("a call that is connected makes GRE of both directions one connection") {
    Pptp pptp;
    pptp.begin();
    CHECK(pptp.client(control(7, {kPnsId})).passed());
    CHECK(pptp.expectations().empty());
    CHECK(pptp.server(control(8, {kPacId, kPnsId, kOkResult})).passed());
    REQUIRE(pptp.expectations().size() == 2);

    // A GRE packet tells the receiver's call id; the map has the sender's.
    Tuple outward = HelperBed::tuple(kClient, 0, kServer, kPacId, kGre);
    Tuple inward = HelperBed::tuple(kServer, 0, kClient, kPnsId, kGre);
    CHECK(pptp.keys.complete(outward));
    CHECK(pptp.keys.complete(inward));
    CHECK(outward.src_port.host() == kPnsId);
    CHECK(inward.src_port.host() == kPacId);
    CHECK(inward == invert(outward));
    Tuple other = HelperBed::tuple(kServer, 0, kClient, kPacId, kGre);
    CHECK_FALSE(pptp.keys.complete(other));

    // The first packet of either direction ends the expectation of the other.
    Expectation found;
    CHECK(pptp.take(inward, found));
    CHECK(pptp.expectations().empty());
}

TEST_CASE("the messages of a call may share a segment") {
    Pptp pptp;
    pptp.client(control(1, {0x0100}));
    pptp.server(control(2, {0x0100, kOkResult}));
    pptp.client(control(5, {}) + control(7, {kPnsId}));
    CHECK(pptp.server(control(6, {}) + control(8, {kPacId, kPnsId, kOkResult})).passed());
    CHECK(pptp.expectations().size() == 2);
}

TEST_CASE("an incoming call is expected when its server says that it is connected") {
    Pptp pptp;
    pptp.begin();
    CHECK(pptp.server(control(9, {kPacId})).passed());
    CHECK(pptp.client(control(10, {kPnsId, kPacId, kOkResult})).passed());
    CHECK(pptp.expectations().empty());
    CHECK(pptp.server(control(11, {kPnsId})).passed());
    CHECK(pptp.expectations().size() == 2);
}

TEST_CASE("out of order, refused or strange messages announce nothing") {
    {
        Pptp pptp;  // no session
        pptp.client(control(7, {kPnsId}));
        CHECK(pptp.server(control(8, {kPacId, kPnsId, kOkResult})).passed());
        CHECK(pptp.expectations().empty());
    }
    {
        Pptp pptp;  // no request, then a wrong id, then refused
        pptp.begin();
        CHECK(pptp.server(control(8, {kPacId, kPnsId, kOkResult})).passed());
        pptp.client(control(7, {kPnsId}));
        CHECK(pptp.server(control(8, {kPacId, 0x9999, kOkResult})).passed());
        CHECK(pptp.server(control(8, {kPacId, kPnsId, 0x0400})).passed());
        CHECK(pptp.expectations().empty());
        CHECK(pptp.server(control(8, {kPacId, kPnsId, kOkResult})).passed());
        CHECK(pptp.expectations().empty());
    }
    {
        Pptp pptp;  // from the wrong side, cut, without the cookie
        pptp.begin();
        pptp.client(control(7, {kPnsId}));
        const std::string reply = control(8, {kPacId, kPnsId, kOkResult});
        pptp.client(reply);
        pptp.server(reply.substr(0, 31));
        std::string broken = reply;
        broken[4] = 0;
        pptp.server(broken);
        broken = reply;
        broken[1] = 40;
        pptp.server(broken);
        CHECK(pptp.expectations().empty());
    }
}

TEST_CASE("a call that is over leaves nothing behind") {
    Pptp pptp;
    pptp.begin();
    pptp.client(control(7, {kPnsId}));
    pptp.server(control(8, {kPacId, kPnsId, kOkResult}));
    CHECK(pptp.keys.count() == 2);
    CHECK(pptp.server(control(13, {0x9999})).passed());
    CHECK(pptp.expectations().size() == 2);
    CHECK(pptp.server(control(13, {kPacId})).passed());
    CHECK(pptp.expectations().empty());
    CHECK(pptp.keys.count() == 0);
    REQUIRE(pptp.ended.size() == 1);
    CHECK(pptp.ended[0] == HelperBed::tuple(kClient, kPnsId, kServer, kPacId, kGre));
}

TEST_CASE("a translated client has another call id outside") {
    constexpr uint16_t kOutside = 61000;
    Pptp pptp;
    pptp.translate_source(kPublic, kOutside);
    pptp.begin();
    CHECK(field_at(pptp.client(control(7, {kPnsId})).payload, 12) == kOutside);
    const Sent reply = pptp.server(control(8, {kPacId, kOutside, kOkResult}));
    CHECK(field_at(reply.payload, 12) == kPacId);
    CHECK(field_at(reply.payload, 14) == kPnsId);
    CHECK(field_at(pptp.server(control(15, {kOutside})).payload, 12) == kPnsId);
    CHECK(field_at(pptp.server(control(14, {kOutside})).payload, 12) == kPnsId);
    CHECK(field_at(pptp.client(control(12, {kPnsId})).payload, 12) == kOutside);

    Tuple outward = HelperBed::tuple(kClient, 0, kServer, kPacId, kGre);
    Tuple inward = HelperBed::tuple(kServer, 0, kPublic, kOutside, kGre);
    REQUIRE(pptp.keys.complete(outward));
    REQUIRE(pptp.keys.complete(inward));
    CHECK(outward.src_port.host() == kPnsId);
    CHECK(inward.src_port.host() == kPacId);
    Expectation found;
    REQUIRE(pptp.take(outward, found));
    CHECK(found.translation.source == IpAddress::parse(kPublic)->bytes);
    CHECK(found.translation.source_port == be16::from_host(kOutside));
    CHECK(found.translation.destination == IpAddress::parse(kServer)->bytes);
    CHECK(found.translation.destination_port == be16{});

    pptp.server(control(8, {kPacId, kOutside, kOkResult}));
    REQUIRE(pptp.take(inward, found));
    CHECK(found.translation.destination == IpAddress::parse(kClient)->bytes);
    CHECK(found.translation.destination_port == be16::from_host(kPnsId));
}

}  // namespace rampart::test
