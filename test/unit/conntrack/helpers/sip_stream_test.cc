// SIP over TCP: only what is a message to its receiver is read as one.
#include <catch2/catch.hpp>

#include "support/sip_bed.h"

namespace rampart::test {

TEST_CASE("H9: a segment of something else's stream is no message") {
    Sip sip(ip_protocol::kTcp);
    CHECK(sip.client("POST /x HTTP/1.1\r\nContent-Length: 5000\r\n\r\n").verdict.detach);
    CHECK(sip.client(registration("<sip:a@10.0.0.2>;expires=60")).passed());
    CHECK(sip.expectations().empty());

    // Nor is one within a body.
    Sip inside(ip_protocol::kTcp);
    CHECK(inside
              .client("MESSAGE sip:b@192.0.2.1 SIP/2.0\r\nCSeq: 1 MESSAGE\r\n"
                      "Content-Length: 5000\r\n\r\nhello")
              .passed());
    CHECK(inside.client(registration("<sip:a@10.0.0.2>;expires=60")).passed());
    CHECK(inside.expectations().empty());
}

TEST_CASE("messages of a stream are found by their lengths, over all segment boundaries") {
    const std::string first = message("OPTIONS sip:b@192.0.2.1 SIP/2.0", "1 OPTIONS", "12345678");
    const std::string second = invite(sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n"));
    for (size_t cut = 1; cut < first.size(); ++cut) {
        Sip sip(ip_protocol::kTcp);
        INFO(cut);
        REQUIRE(sip.client(first.substr(0, cut)).passed());
        REQUIRE(sip.client(first.substr(cut)).passed());
        REQUIRE(sip.client("\r\n\r\n").passed());
        REQUIRE(sip.expectations().empty());
        REQUIRE(sip.client(second).passed());
        REQUIRE(sip.expectations().size() == 2);
    }
    Sip both(ip_protocol::kTcp);
    CHECK(both.client(first + second).passed());
    CHECK(both.expectations().size() == 2);
}

TEST_CASE("a segment out of order waits, one again is rewritten again") {
    Sip sip(ip_protocol::kTcp);
    sip.translate_source(kPublic, 40000);
    const std::string body = sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n");
    const Sent first = sip.client(invite(body));
    REQUIRE(first.passed());
    CHECK(first.payload.find("c=IN IP4 203.0.113.100") != std::string::npos);
    const uint32_t next = sip.sequence[0];
    CHECK(sip.send_at(Direction::Original, next + 10, "INVITE sip:x").verdict.drop ==
          HelperDrop::OutOfOrder);
    CHECK(sip.send_at(Direction::Original, first.sequence, invite(body)).payload == first.payload);
    CHECK(sip.send_at(Direction::Original, next, invite(body)).passed());
}

TEST_CASE("a stream whose messages have no length is not followed") {
    Sip sip(ip_protocol::kTcp);
    CHECK(sip.client("OPTIONS sip:b@192.0.2.1 SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n").verdict.detach);
    for (const char* length : {"Content-Length: 4294967328", "Content-Length:                   5",
                               "l: 5\r\nContent-Length: 6", "Content-Length: 5 5"}) {
        Sip other(ip_protocol::kTcp);
        INFO(length);
        CHECK(other.client("OPTIONS sip:b@192.0.2.1 SIP/2.0\r\n" + std::string(length) + "\r\n\r\n")
                  .verdict.detach);
    }
}

}  // namespace rampart::test
