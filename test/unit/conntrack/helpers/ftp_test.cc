// FTP: what is announced is expected, and nothing else. H and the numbers: the rows of the
// project's tables of helpers and of attacks.
#include <catch2/catch.hpp>

#include "support/helper_bed.h"

namespace rampart::test {
namespace {

constexpr char kClient[] = "10.0.0.2", kServer[] = "192.0.2.1", kPublic[] = "203.0.113.100";

struct Ftp : HelperBed {
    explicit Ftp(bool begins = true) : HelperBed(helper_number::kFtp, kClient, 40000, kServer, 21) {
        if (begins) begin();
    }
    void begin() {
        server("220 ready\r\n");
        client("USER anonymous\r\n");
    }
};

struct Ftp6 : HelperBed {
    Ftp6() : HelperBed(helper_number::kFtp, "2001:db8::2", 40000, "2001:db8:f::1", 21) {
        server("220 ready\r\n");
        client("USER anonymous\r\n");
    }
};

}  // namespace

TEST_CASE("the port of PORT is expected, once and from the server only") {
    Ftp ftp;
    CHECK(ftp.client("PORT 10,0,0,2,195,80\r\n").passed());
    const auto all = ftp.expectations();
    REQUIRE(all.size() == 1);
    CHECK(all[0].deadline == ftp.clock + ticks_of_seconds(300));
    CHECK(all[0].helper == helper_number::kFtp);
    CHECK(all[0].master_original == ftp.original);

    CHECK_FALSE(ftp.is_expected(HelperBed::tuple("192.0.2.9", 20, kClient, 50000)));
    CHECK_FALSE(ftp.is_expected(HelperBed::tuple(kServer, 20, kClient, 50001)));
    Expectation found;
    CHECK(ftp.take(HelperBed::tuple(kServer, 1234, kClient, 50000), found));
    CHECK_FALSE(found.has(expectation_flag::kTranslated));
    CHECK_FALSE(ftp.take(HelperBed::tuple(kServer, 1235, kClient, 50000), found));
}

TEST_CASE("a command that begins the client's stream is not read") {
    Ftp ftp(false);
    ftp.server("220 ready\r\n");
    CHECK(ftp.client("PORT 10,0,0,2,195,80\r\n").passed());
    CHECK(ftp.expectations().empty());
}

TEST_CASE("of several announcements the last one stands") {
    Ftp ftp;
    for (const char* port : {"195,80", "195,81", "195,82"})
        ftp.client(std::string("PORT 10,0,0,2,") + port + "\r\n");
    REQUIRE(ftp.expectations().size() == 1);
    CHECK(ftp.is_expected(HelperBed::tuple(kServer, 20, kClient, 50002)));
}

TEST_CASE("commands count in any case, and EPRT as PORT") {
    Ftp ftp;
    CHECK(ftp.client("port 10,0,0,2,195,80\r\n").passed());
    CHECK(ftp.is_expected(HelperBed::tuple(kServer, 20, kClient, 50000)));
    CHECK(ftp.client("EPRT |1|10.0.0.2|50001|\r\n").passed());
    CHECK(ftp.is_expected(HelperBed::tuple(kServer, 20, kClient, 50001)));

    Ftp6 six;
    CHECK(six.client("EPRT |2|2001:db8::2|50001|\r\n").passed());
    CHECK(six.is_expected(HelperBed::tuple("2001:db8:f::1", 20, "2001:db8::2", 50001)));
}

TEST_CASE("a passive server expects the client") {
    Ftp ftp;
    CHECK(ftp.server("227 Entering Passive Mode (192,0,2,1,195,80).\r\n").passed());
    CHECK(ftp.is_expected(HelperBed::tuple(kClient, 3333, kServer, 50000)));
    CHECK(ftp.server("229 Entering Extended Passive Mode (|||50001|)\r\n").passed());
    CHECK(ftp.is_expected(HelperBed::tuple(kClient, 3333, kServer, 50001)));
    CHECK_FALSE(ftp.is_expected(HelperBed::tuple(kClient, 3333, kServer, 50000)));
    CHECK(ftp.server("227 =192,0,2,1,195,82\r\n").passed());
    CHECK(ftp.is_expected(HelperBed::tuple(kClient, 3333, kServer, 50002)));

    Ftp6 six;
    CHECK(six.server("229 ok (!!!50001!)\r\n").passed());
    CHECK(six.is_expected(HelperBed::tuple("2001:db8::2", 1, "2001:db8:f::1", 50001)));
}

TEST_CASE("H1: another host's address opens nothing") {
    Ftp ftp;
    CHECK(ftp.client("PORT 10,0,0,9,195,80\r\n").passed());
    CHECK(ftp.client("EPRT |1|192.0.2.1|50000|\r\n").passed());
    CHECK(ftp.server("227 ok (192,0,2,7,195,80)\r\n").passed());
    CHECK(ftp.expectations().empty());
}

TEST_CASE("H2: a privileged port is never opened") {
    Ftp ftp;
    CHECK(ftp.client("PORT 10,0,0,2,0,22\r\n").passed());
    CHECK(ftp.client("PORT 10,0,0,2,3,255\r\n").passed());
    CHECK(ftp.server("229 ok (|||80|)\r\n").passed());
    CHECK(ftp.expectations().empty());
    ftp.client("PORT 10,0,0,2,4,0\r\n");
    CHECK(ftp.is_expected(HelperBed::tuple(kServer, 20, kClient, 1024)));
}

TEST_CASE("H3: numbers that are none end the helper's work") {
    for (const char* line :
         {"PORT 192,0,2,10,256,1\r\n", "PORT 10,0,0,-2,195,80\r\n", "PORT 10,0,0,2,195\r\n",
          "PORT 10,0,0,2,19500000000000000000,80\r\n", "PORT 10,0,0,2,,80\r\n", "PORT \r\n",
          "PORT 10,0,0,2,195,80 \r\n", "PORT 10.0.0.2.195.80\r\n"}) {
        Ftp ftp;
        INFO(line);
        const Sent sent = ftp.client(line);
        CHECK_FALSE(sent.verdict.is_drop());
        CHECK(sent.verdict.detach);
        CHECK(ftp.expectations().empty());
    }
}

TEST_CASE("H4: a command that is cut is dropped, at every byte, until it comes whole") {
    const std::string line = "PORT 10,0,0,2,195,80\r\n";
    for (size_t cut = 1; cut < line.size() - 1; ++cut) {
        Ftp ftp;
        INFO(cut);
        const uint32_t begin = ftp.sequence[0];
        CHECK(ftp.client(line.substr(0, cut)).verdict.drop == HelperDrop::Incomplete);
        CHECK(ftp.client(line.substr(cut)).passed());
        CHECK(ftp.expectations().empty());
        CHECK(ftp.send_at(Direction::Original, begin, line).passed());
        CHECK(ftp.expectations().size() == 1);
    }
    for (const std::string& reply :
         {std::string("227 ok (192,0,2,1,195,80)\r\n"), std::string("229 ok (|||50000|)\r\n")}) {
        for (size_t cut = 1; cut < reply.find(')'); ++cut) {
            Ftp ftp;
            INFO(reply << cut);
            CHECK(ftp.server(reply.substr(0, cut)).verdict.drop == HelperDrop::Incomplete);
            CHECK(ftp.expectations().empty());
        }
    }
}

TEST_CASE("H5: of two copies of a segment the first one counts") {
    Ftp ftp;
    const Sent first = ftp.client("PORT 10,0,0,2,195,80\r\n");
    CHECK(ftp.send_at(Direction::Original, first.sequence, "PORT 10,0,0,2,195,80\r\n").passed());
    const Sent other = ftp.send_at(Direction::Original, first.sequence, "PORT 10,0,0,2,195,99\r\n");
    CHECK(other.verdict.detach);
    REQUIRE(ftp.expectations().size() == 1);
    CHECK(ftp.is_expected(HelperBed::tuple(kServer, 20, kClient, 50000)));
}

TEST_CASE("H6: commands from the server and replies from the client are ignored") {
    Ftp ftp;
    CHECK(ftp.server("PORT 192,0,2,1,195,80\r\n").passed());
    CHECK(ftp.client("227 ok (10,0,0,2,195,80)\r\n").passed());
    CHECK(ftp.client("229 ok (|||50000|)\r\n").passed());
    CHECK(ftp.expectations().empty());
}

TEST_CASE("H7: what RFC 2428 does not allow ends the helper's work") {
    for (const char* line : {"EPRT |1|2001:db8::2|50000|\r\n", "EPRT |3|10.0.0.2|50000|\r\n",
                             "EPRT |1|10.0.0.2|50000\r\n", "EPRT |1|10.0.0.2\r\n",
                             "EPRT 1|10.0.0.2|50000|\r\n", "EPRT |0|10.0.0.2|50000|\r\n",
                             "EPRT |1|10.0.0.2|65536|\r\n", "EPRT |1|010.0.0.2|50000|\r\n"}) {
        Ftp ftp;
        INFO(line);
        CHECK(ftp.client(line).verdict.detach);
        CHECK(ftp.expectations().empty());
    }
    for (const char* line : {"229 ok (|||65536|)\r\n", "229 ok (||50000|)\r\n", "229 ok\r\n",
                             "229 ok (|||50000)\r\n", "229 ok (111500001)\r\n"}) {
        Ftp ftp;
        INFO(line);
        CHECK(ftp.server(line).verdict.detach);
        CHECK(ftp.expectations().empty());
    }
}

TEST_CASE("H8: a command inside other text, or in a stream that is no FTP, is ignored") {
    Ftp ftp;
    CHECK(ftp.client("NOOP PORT 10,0,0,2,195,80\r\n").passed());
    CHECK(ftp.client("STOR x").passed());
    CHECK(ftp.client("PORT 10,0,0,2,195,80\r\n").passed());  // does not begin a line
    CHECK(ftp.expectations().empty());

    Ftp http(false);
    http.server("220 ready\r\n");
    CHECK(http.client("POST / HTTP/1.1\r\n").verdict.detach);
    CHECK(http.client("PORT 10,0,0,2,195,80\r\n").passed());
    CHECK(http.expectations().empty());

    Ftp bytes(false);
    CHECK(bytes.server("SSH-2.0-x\r\n").verdict.detach);
}

TEST_CASE("H16: one connection has one expectation however often it asks, a host 64") {
    Ftp ftp;
    for (uint32_t i = 0; i < 10000; ++i) {
        const uint32_t port = 1024 + i;
        CHECK(ftp.client("PORT 10,0,0,2," + std::to_string(port >> 8) + "," +
                         std::to_string(port & 255) + "\r\n")
                  .passed());
    }
    CHECK(ftp.expectations().size() == 1);
}

TEST_CASE("H19: nothing is read once the connection is encrypted") {
    Ftp ftp;
    CHECK(ftp.client("AUTH TLS\r\n").passed());
    CHECK(ftp.server("234 go ahead\r\n").verdict.detach);
    ftp.client("PORT 10,0,0,2,195,80\r\n");
    CHECK(ftp.expectations().empty());
}

TEST_CASE("H20: what was announced ends with its connection") {
    Ftp ftp;
    ftp.client("PORT 10,0,0,2,195,80\r\n");
    CHECK(ftp.table.remove_of_master(HelperBed::kMaster) == 1);
    CHECK_FALSE(ftp.is_expected(HelperBed::tuple(kServer, 20, kClient, 50000)));
    ftp.client("PORT 10,0,0,2,195,80\r\n");
    ftp.clock += ticks_of_seconds(300);
    CHECK_FALSE(ftp.is_expected(HelperBed::tuple(kServer, 20, kClient, 50000)));
}

TEST_CASE("a translated client announces the address that the server sees") {
    Ftp ftp;
    ftp.translate_source(kPublic, 61000);
    const Sent sent = ftp.client("PORT 10,0,0,2,195,80\r\n");
    CHECK(sent.payload == "PORT 203,0,113,100,195,80\r\n");
    Expectation found;
    REQUIRE(ftp.take(HelperBed::tuple(kServer, 20, kPublic, 50000), found));
    CHECK(found.has(expectation_flag::kTranslated));
    CHECK(found.direction == Direction::Reply);
    CHECK(found.translation.source == IpAddress::parse(kServer)->bytes);
    CHECK(found.translation.destination == IpAddress::parse(kClient)->bytes);
    CHECK(found.translation.destination_port == be16::from_host(50000));

    CHECK(ftp.client("EPRT |1|10.0.0.2|50000|\r\n").payload == "EPRT |1|203.0.113.100|50000|\r\n");
    CHECK(ftp.client("PORT 10,0,0,9,195,80\r\n").payload == "PORT 10,0,0,9,195,80\r\n");
}

TEST_CASE("a server behind a translated address announces that one") {
    Ftp ftp;
    ftp.translate_destination("10.1.1.1", 2121);
    const Sent sent = ftp.server("227 ok (10,1,1,1,195,80)\r\n");
    CHECK(sent.payload == "227 ok (192,0,2,1,195,80)\r\n");
    Expectation found;
    REQUIRE(ftp.take(HelperBed::tuple(kClient, 3333, kServer, 50000), found));
    CHECK(found.translation.source == IpAddress::parse(kClient)->bytes);
    CHECK(found.translation.destination == IpAddress::parse("10.1.1.1")->bytes);
    CHECK(ftp.server("229 ok (|||50001|)\r\n").payload == "229 ok (|||50001|)\r\n");
    CHECK(ftp.client("PORT 10,0,0,2,195,80\r\n").payload == "PORT 10,0,0,2,195,80\r\n");
}

TEST_CASE("a taken port is exchanged for a free one above, the same for each copy") {
    Ftp ftp;
    ftp.translate_source(kPublic, 61000);
    ftp.occupy(kPublic, 50000);
    const Sent sent = ftp.client("EPRT |1|10.0.0.2|50000|\r\n");
    REQUIRE(sent.passed());
    const auto all = ftp.expectations();
    REQUIRE(all.size() == 2);
    uint16_t port = 0;
    for (const Expectation& one : all)
        if (one.master == HelperBed::kMaster) port = one.tuple.dst_port.host();
    CHECK(port > 50000);
    CHECK(sent.payload == "EPRT |1|203.0.113.100|" + std::to_string(port) + "|\r\n");
    CHECK(ftp.send_at(Direction::Original, sent.sequence, "EPRT |1|10.0.0.2|50000|\r\n").payload ==
          sent.payload);
    CHECK(ftp.send_at(Direction::Original, sent.sequence, "EPRT |1|10.0.0.2|50009|\r\n")
              .verdict.drop == HelperDrop::Conflict);
}

TEST_CASE("no free port: the announcement is dropped") {
    Ftp ftp;
    ftp.translate_source(kPublic, 61000);
    ftp.occupy(kPublic, 65535);
    CHECK(ftp.client("EPRT |1|10.0.0.2|65535|\r\n").verdict.drop == HelperDrop::NoPort);
    CHECK(ftp.expectations().size() == 1);
}

}  // namespace rampart::test
