// IRC: a DCC offer is expected from anybody, and nothing else. H and the numbers: the rows of the
// project's tables of helpers and of attacks.
#include <catch2/catch.hpp>

#include "support/helper_bed.h"

namespace rampart::test {
namespace {

constexpr char kClient[] = "10.0.0.2", kServer[] = "192.0.2.1", kPublic[] = "203.0.113.100";
constexpr char kOwnNumber[] = "167772162";  // 10.0.0.2

struct Irc : HelperBed {
    Irc() : HelperBed(helper_number::kIrc, kClient, 40000, kServer, 6667) {
        client("NICK alice\r\n");
    }
};

std::string offer(const std::string& address, const std::string& port,
                  const std::string& type = "SEND file") {
    return "PRIVMSG bob :\1DCC " + type + " " + address + " " + port + " 100\1\r\n";
}

}  // namespace

TEST_CASE("H09: an offer of the client's own address is open to any third host") {
    for (const char* type : {"SEND file", "CHAT chat", "MOVE x", "TSEND x", "SCHAT x"}) {
        Irc irc;
        INFO(type);
        CHECK(irc.client(offer(kOwnNumber, "5000", type)).passed());
        REQUIRE(irc.expectations().size() == 1);
        Expectation found;
        CHECK(irc.take(HelperBed::tuple("198.51.100.7", 1, kClient, 5000), found));
    }
}

TEST_CASE("an offer may be the client's first line") {
    HelperBed irc(helper_number::kIrc, kClient, 40000, kServer, 6667);
    CHECK(irc.client(offer(kOwnNumber, "5000")).passed());
    CHECK(irc.expectations().size() == 1);
}

TEST_CASE("H15: forged and privileged offers, and those of the server, open nothing") {
    Irc irc;
    CHECK(irc.client(offer("167772163", "5000")).passed());
    CHECK(irc.client(offer(kOwnNumber, "80")).passed());
    CHECK(irc.client(offer(kOwnNumber, "0")).passed());
    CHECK(irc.server(":x PRIVMSG alice :\1DCC SEND f 167772162 5000 1\1\r\n").passed());
    CHECK(irc.server(offer(kOwnNumber, "5000")).passed());
    CHECK(irc.client("NOTICE bob :\1DCC SEND f 167772162 5000 1\1\r\n").passed());
    CHECK(irc.client("PRIVMSG bob :say \1DCC SEND f 167772162 5000 1\1\r\n").passed());
    CHECK(irc.client("PRIVMSG bob :\1DCC SEND f 1677721620000 5000 1\1\r\n").passed());
    CHECK(irc.client("PRIVMSG bob :\1DCC SEND f 167772162 50000000 1\1\r\n").passed());
    CHECK(irc.client("PRIVMSG bob :\1DCC SEND f 167772162").passed());
    CHECK(irc.expectations().empty());
}

TEST_CASE("an offer inside a line, or in a stream that is no IRC, is none") {
    Irc irc;
    CHECK(irc.client("PRIVMSG bob :long text that goes on ").passed());
    CHECK(irc.client(offer(kOwnNumber, "5000")).passed());
    CHECK(irc.expectations().empty());

    HelperBed http(helper_number::kIrc, kClient, 40000, kServer, 6667);
    CHECK(http.client("POST / HTTP/1.1\r\n").verdict.detach);
    http.client(offer(kOwnNumber, "5000"));
    CHECK(http.expectations().empty());
}

TEST_CASE("H16: of ten thousand offers four are open") {
    Irc irc;
    for (uint32_t i = 0; i < 10000; ++i)
        CHECK(irc.client(offer(kOwnNumber, std::to_string(2000 + i))).passed());
    CHECK(irc.expectations().size() == 4);
}

TEST_CASE("a translated offer names the address that others see") {
    Irc irc;
    irc.translate_source(kPublic, 61000);
    const Sent sent = irc.client(offer(kOwnNumber, "5000"));
    CHECK(sent.payload == offer("3405803876", "5000"));
    CHECK(irc.client(offer("3405803876", "5001")).payload == offer("3405803876", "5001"));
    Expectation found;
    REQUIRE(irc.take(HelperBed::tuple("198.51.100.7", 1, kPublic, 5000), found));
    CHECK(found.translation.destination == IpAddress::parse(kClient)->bytes);
    CHECK(found.translation.destination_port == be16::from_host(5000));
}

}  // namespace rampart::test
