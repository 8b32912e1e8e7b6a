// SIP: media and calls that are announced are expected, and nothing else. H and the numbers: the
// rows of the project's tables of helpers and of attacks.
#include <catch2/catch.hpp>

#include "conntrack/helpers/sip_message.h"
#include "support/sip_bed.h"

namespace rampart::test {
namespace {

constexpr uint8_t kUdp = ip_protocol::kUdp;

std::string value_after(const std::string& text, const std::string& word) {
    const size_t at = text.find(word) + word.size();
    return text.substr(at, text.find_first_of("\r;>", at) - at);
}

}  // namespace

TEST_CASE("H10: a call has RTP and RTCP in both directions until it ends") {
    Sip sip;
    CHECK(sip.client(invite(sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n"))).passed());
    CHECK(sip.server(ok(sdp(kProxy, "m=audio 6000 RTP/AVP 0\r\n"))).passed());
    REQUIRE(sip.expectations().size() == 4);
    for (const Expectation& one : sip.expectations()) {
        CHECK(one.deadline == sip.clock + ticks_of_seconds(180));
        CHECK(one.flow_class == 1);
    }
    CHECK(sip.flow_timeout == ticks_of_seconds(3600));
    CHECK(sip.is_media_expected(kProxy, kPhone, 4000));
    CHECK(sip.is_media_expected(kProxy, kPhone, 4001));
    CHECK(sip.is_media_expected(kPhone, kProxy, 6000));
    CHECK(sip.is_media_expected(kPhone, kProxy, 6001));
    CHECK_FALSE(sip.is_media_expected("192.0.2.9", kPhone, 4000));
    Expectation found;
    CHECK(sip.take(HelperBed::tuple(kProxy, 7000, kPhone, 4000, kUdp), found));
    CHECK(sip.client(message("BYE sip:bob@192.0.2.1 SIP/2.0", "2 BYE")).passed());
    CHECK(sip.expectations().empty());
}

TEST_CASE("a call that is refused, or made anew, takes its media back") {
    Sip sip;
    sip.client(invite(sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n")));
    sip.server(message("SIP/2.0 180 Ringing", "1 INVITE"));
    CHECK(sip.expectations().size() == 2);
    sip.server(message("SIP/2.0 486 Busy", "9 INVITE"));
    CHECK(sip.expectations().size() == 2);
    sip.server(message("SIP/2.0 486 Busy", "1 INVITE"));
    CHECK(sip.expectations().empty());

    sip.client(invite(sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n"), "2 INVITE"));
    sip.client(invite(sdp(kPhone, "m=video 4100 RTP/AVP 0\r\n"), "3 INVITE"));
    CHECK(sip.count_of_class(1) == 0);
    CHECK(sip.count_of_class(2) == 2);
}

TEST_CASE("a medium's own address counts more than the session's; unused ones do not count") {
    Sip sip;
    sip.client(invite(sdp("192.0.2.77",
                          "m=audio 0 RTP/AVP 0\r\nm=video 4100 RTP/AVP 0\r\n"
                          "c=IN IP4 10.0.0.2\r\nm=application 5000 x\r\n"
                          "m=image 4201 udptl t38\r\nc=IN IP4 10.0.0.2\r\n")));
    CHECK(sip.expectations().size() == 4);
    CHECK(sip.is_media_expected(kProxy, kPhone, 4100));
    CHECK(sip.is_media_expected(kProxy, kPhone, 4200));
    CHECK(sip.is_media_expected(kProxy, kPhone, 4201));
    CHECK_FALSE(sip.is_media_expected(kProxy, kPhone, 5000));
}

TEST_CASE("H14: another host's media, and a port without a next one, open nothing") {
    Sip sip;
    CHECK(sip.client(invite(sdp("192.0.2.77", "m=audio 4000 RTP/AVP 0\r\n"))).passed());
    CHECK(sip.client(invite(sdp(kPhone, "m=audio 65535 RTP/AVP 0\r\n"))).passed());
    CHECK(sip.expectations().empty());
    CHECK(sip.client(invite(sdp(kPhone, "m=audio 1023 RTP/AVP 0\r\n"))).verdict.drop ==
          HelperDrop::Malformed);
    CHECK(sip.expectations().empty());
}

TEST_CASE("H12: ports that are cut or written oddly are refused") {
    for (const char* line : {"m=audio 4000", "m=audio 004000 RTP/AVP 0\r\n", "m=audio 65536 x\r\n",
                             "m=audio -4000 x\r\n", "m=audio 40x0 x\r\n", "m=audio \r\n"}) {
        Sip sip;
        INFO(line);
        CHECK(sip.client(invite(sdp(kPhone, line))).verdict.drop == HelperDrop::Malformed);
        CHECK(sip.expectations().empty());
    }
    for (const char* contact : {"<sip:a@10.0.0.2:005060>;expires=60", "<sip:a@10.0.0.2:65536>",
                                "<sip:a@10.0.0.2:>", "<sip:a@10.0.0.2:80>;expires=60"}) {
        Sip sip;
        INFO(contact);
        CHECK(sip.client(registration(contact)).verdict.drop == HelperDrop::Malformed);
        CHECK(sip.expectations().empty());
    }
}

TEST_CASE("H11: a Content-Length that cannot be is refused") {
    for (const char* length : {"4294967328", "4294967297", "-1", "12a", "", "99999"}) {
        Sip sip;
        INFO(length);
        const std::string text =
            "INVITE sip:bob@192.0.2.1 SIP/2.0\r\nCSeq: 1 INVITE\r\nContent-Length: " +
            std::string(length) + "\r\n\r\n" + sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n");
        CHECK(sip.client(text).verdict.is_drop());
        CHECK(sip.expectations().empty());
    }
    Sip sip;
    CHECK(sip.client("INVITE sip:b@192.0.2.1 SIP/2.0\r\nCSeq: 1 INVITE\r\nl: 0\r\n"
                     "Content-Length: 0\r\n\r\n")
              .verdict.is_drop());
}

TEST_CASE("H13: what only attackers send ends the helper's work in bounded time") {
    std::string vias;
    for (int i = 0; i < 1000; ++i)
        vias += "v: SIP/2.0/UDP 10.0.0.2:5060\r\n";
    const std::string body = sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n");
    for (const std::string& headers : {vias, std::string("Via: SIP/2.0/UDP\r\n 10.0.0.2:5060\r\n"),
                                       std::string("Via: SIP/2.0/UDP 10.0.0.2\0:5060\r\n", 33)}) {
        Sip sip;
        CHECK(sip.client(message("INVITE sip:bob@192.0.2.1 SIP/2.0", "1 INVITE", body, headers))
                  .verdict.detach);
        CHECK(sip.expectations().empty());
    }
}

TEST_CASE("compact header names count as long ones") {
    Sip sip;
    const std::string body = sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n");
    CHECK(sip.client("INVITE sip:bob@192.0.2.1 SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.2:5060\r\n"
                     "f: <sip:a@10.0.0.2>\r\nt: <sip:b@192.0.2.1>\r\ni: 1\r\nCSeq: 1 INVITE\r\n"
                     "m: <sip:a@10.0.0.2>\r\nl: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body + "m=video 4100 x\r\n")
              .passed());
    CHECK(sip.expectations().size() == 2);  // the body ends where its length says
}

TEST_CASE("a message without its number is refused") {
    Sip sip;
    CHECK(sip.client("INVITE sip:b@192.0.2.1 SIP/2.0\r\nCSeq: x INVITE\r\n\r\n").verdict.drop ==
          HelperDrop::Malformed);
    CHECK(sip.client("BYE sip:b@192.0.2.1 SIP/2.0\r\n\r\n").verdict.drop == HelperDrop::Malformed);
    CHECK(sip.client("OPTIONS sip:b@192.0.2.1 SIP/2.0\r\n\r\n").passed());
}

TEST_CASE("a registration lets its registrar call once it has agreed") {
    Sip sip;
    CHECK(sip.client(registration("<sip:alice@10.0.0.2:5070>", "Expires: 600\r\n")).passed());
    REQUIRE(sip.expectations().size() == 1);
    CHECK(sip.expectations()[0].has(expectation_flag::kInactive));
    const Tuple call = HelperBed::tuple(kProxy, 5060, kPhone, 5070, kUdp);
    CHECK_FALSE(sip.is_expected(call));
    CHECK(sip.server(message("SIP/2.0 200 OK", "1 REGISTER", "",
                             "Contact: <sip:alice@10.0.0.2:5070>;expires=300\r\n"))
              .passed());
    Expectation found;
    REQUIRE(sip.take(call, found));
    CHECK(found.child_helper == helper_number::kSip);
    CHECK(found.deadline == sip.clock + ticks_of_seconds(300));
    CHECK(sip.is_expected(call));
    CHECK_FALSE(sip.is_expected(HelperBed::tuple("192.0.2.9", 5060, kPhone, 5070, kUdp)));
    sip.clock += ticks_of_seconds(299);
    CHECK(sip.is_expected(call));
    sip.clock += ticks_of_seconds(1);
    CHECK_FALSE(sip.is_expected(call));
}

TEST_CASE("a registration that is refused, ended or another's lets nobody call") {
    const Tuple call = HelperBed::tuple(kProxy, 5060, kPhone, 5060, kUdp);
    for (const char* answer : {"SIP/2.0 403 No", "SIP/2.0 200 OK"}) {
        Sip sip;
        CHECK(sip.client(registration("<sip:a@10.0.0.2>;expires=60")).passed());
        CHECK(sip.server(message(answer, "9 REGISTER", "")).passed());
        CHECK(sip.expectations().size() == 1);
        CHECK(sip.server(message(answer, "1 REGISTER", "")).passed());
        CHECK(sip.expectations().empty());
        CHECK_FALSE(sip.is_expected(call));
    }
    for (const char* contact :
         {"<sip:a@10.0.0.2>", "<sip:a@10.0.0.2>;expires=0", "*", "<sip:a@192.0.2.9>;expires=60",
          "<sip:a@example.org>;expires=60", "<sip:a@10.0.0.2;transport=sctp>;expires=60"}) {
        Sip sip;
        INFO(contact);
        CHECK(sip.client(registration(contact)).passed());
        CHECK(sip.expectations().empty());
    }
    Sip sip;
    CHECK(sip.client(registration("<sip:a@10.0.0.2>;expires=x")).verdict.is_drop());
}

TEST_CASE("a translated phone tells addresses that can be reached") {
    Sip sip;
    sip.translate_source(kPublic, 5062);
    const std::string body = sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n");
    const Sent sent = sip.client(message(
        "INVITE sip:bob@192.0.2.1 SIP/2.0", "1 INVITE", body,
        "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=x;maddr=10.0.0.2\r\n"
        "Via: SIP/2.0/UDP 10.0.0.2:5060\r\nContact: \"A, B\" <sip:alice@10.0.0.2:5060>\r\n"));
    REQUIRE(sent.passed());
    CHECK(value_after(sent.payload, "Via: SIP/2.0/UDP ") == "203.0.113.100:5062");
    CHECK(value_after(sent.payload, "maddr=") == kPublic);
    CHECK(value_after(sent.payload, "sip:alice@203") == ".0.113.100:5062");
    CHECK(value_after(sent.payload, "o=alice 1 1 IN IP4 ") == kPublic);
    CHECK(value_after(sent.payload, "c=IN IP4 ") == kPublic);
    CHECK(sent.payload.find("m=audio 4000 ") != std::string::npos);
    // The second Via is another hop's.
    CHECK(sent.payload.find("SIP/2.0/UDP 10.0.0.2:5060\r\n") != std::string::npos);
    const size_t body_at = sent.payload.find("\r\n\r\n") + 4;
    CHECK(value_after(sent.payload, "Content-Length: ") ==
          std::to_string(sent.payload.size() - body_at));

    Expectation found;
    REQUIRE(sip.take(HelperBed::tuple(kProxy, 7000, kPublic, 4000, kUdp), found));
    CHECK(found.translation.destination == IpAddress::parse(kPhone)->bytes);
    CHECK(found.translation.destination_port == be16::from_host(4000));
    CHECK(found.translation.source == IpAddress::parse(kProxy)->bytes);
}

TEST_CASE("a response to a translated phone comes home") {
    Sip sip;
    sip.translate_source(kPublic, 5062);
    sip.client(invite(sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n")));
    const Sent sent = sip.server(
        message("SIP/2.0 200 OK", "1 INVITE", sdp(kProxy, "m=audio 6000 RTP/AVP 0\r\n"),
                "Via: SIP/2.0/UDP 203.0.113.100:5062;received=203.0.113.100;rport=5062\r\n"));
    CHECK(value_after(sent.payload, "Via: SIP/2.0/UDP ") == "10.0.0.2:5060");
    CHECK(value_after(sent.payload, "received=") == kPhone);
    CHECK(value_after(sent.payload, "rport=") == "5060");
    // Its media go from the phone's RTP port to the proxy: out by where they are expected back.
    Expectation found;
    REQUIRE(sip.take(HelperBed::tuple(kPhone, 4000, kProxy, 6000, kUdp), found));
    CHECK(found.translation.source == IpAddress::parse(kPublic)->bytes);
    CHECK(found.translation.source_port == be16::from_host(4000));
    CHECK(found.translation.destination == IpAddress::parse(kProxy)->bytes);
}

TEST_CASE("taken RTP ports are exchanged in pairs") {
    Sip sip;
    sip.translate_source(kPublic, 5060);
    sip.occupy(kPublic, 4001, kUdp);
    sip.occupy(kPublic, 4002, kUdp);
    const Sent sent = sip.client(invite(sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n")));
    REQUIRE(sent.passed());
    CHECK(sent.payload.find("m=audio 4004 RTP/AVP 0") != std::string::npos);
    CHECK(sip.count_of_class(1) == 2);
    CHECK(sip.is_media_expected(kProxy, kPublic, 4004));
    CHECK(sip.is_media_expected(kProxy, kPublic, 4005));
}

TEST_CASE("a translated registration tells where calls arrive") {
    Sip sip;
    sip.translate_source(kPublic, 5062);
    const Sent sent = sip.client(registration("<sip:alice@10.0.0.2:5060>;expires=60"));
    REQUIRE(sent.passed());
    CHECK(value_after(sent.payload, "Contact: <sip:alice@") == "203.0.113.100:5062");
    CHECK(sip.server(message("SIP/2.0 200 OK", "1 REGISTER", "",
                             "Contact: <sip:alice@203.0.113.100:5062>;expires=60\r\n"))
              .payload.find("sip:alice@10.0.0.2:5060") != std::string::npos);
    Expectation found;
    REQUIRE(sip.take(HelperBed::tuple(kProxy, 5060, kPublic, 5062, kUdp), found));
    CHECK(found.translation.destination == IpAddress::parse(kPhone)->bytes);
    CHECK(found.translation.destination_port == be16::from_host(5060));
}

TEST_CASE("H10: a flow that does not begin as SIP has no helper, whatever comes later") {
    Sip sip;
    std::string stun(60, '\0');
    stun[1] = 1;
    stun.replace(30, 8, "REGISTER");
    CHECK(sip.client(stun).verdict.detach);
    sip.client(registration("<sip:a@10.0.0.2>;expires=60"));
    CHECK(sip.expectations().empty());
}

TEST_CASE("what keeps a binding alive does no harm") {
    Sip sip;
    CHECK(sip.client("\r\n\r\n").passed());
    CHECK(sip.client(std::string(4, '\0')).passed());
    CHECK(sip.client(invite(sdp(kPhone, "m=audio 4000 RTP/AVP 0\r\n"))).passed());
    CHECK(sip.client(std::string(40, '\1')).passed());
    CHECK(sip.expectations().size() == 2);
}

TEST_CASE("the addresses of URIs and their parameters are found where they are") {
    struct Row {
        const char* value;
        SipEndpointParse outcome;
        const char* place;
    };
    const Row rows[] = {
        {"<sip:a@10.0.0.2:5070;x>", SipEndpointParse::Found, "10.0.0.2:5070"},
        {"sip:10.0.0.2", SipEndpointParse::Found, "10.0.0.2"},
        {"<SIP:a:b@[2001:db8::2]:5070>", SipEndpointParse::Found, "[2001:db8::2]:5070"},
        {"<sip:a@[2001:db8::2>", SipEndpointParse::Malformed, ""},
        {"<sip:a@example.org>", SipEndpointParse::None, ""},
        {"<sip:a@10.0.0.2.example.org>", SipEndpointParse::None, ""},
        {"<tel:10.0.0.2>", SipEndpointParse::None, ""},
        {"<sip:a@300.0.0.2>", SipEndpointParse::None, ""},
        {"<sip:a@2001:db8::2>", SipEndpointParse::None, ""}};
    for (const Row& row : rows) {
        INFO(row.value);
        const std::string_view text = row.value;
        SipEndpoint endpoint;
        CHECK(find_uri(text, {0, static_cast<uint32_t>(text.size())}, endpoint) == row.outcome);
        if (row.outcome == SipEndpointParse::Found) CHECK(endpoint.place.in(text) == row.place);
    }
    const std::string_view text = "x;rport=5;Expires=7 ;expiresx=8,a;late=1";
    const SipField field = {0, static_cast<uint32_t>(text.size())};
    CHECK(find_parameter(text, field, 1, "expires").in(text) == "7");
    CHECK(find_parameter(text, field, 1, "rport").in(text) == "5");
    CHECK_FALSE(find_parameter(text, field, 1, "late").is_set());
}

}  // namespace rampart::test
