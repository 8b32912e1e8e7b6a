// SIP messages as a phone at kPhone and its proxy at kProxy send them, and the bed they are sent
// in.
#pragma once

#include <string>

#include "support/helper_bed.h"

namespace rampart::test {

inline constexpr char kPhone[] = "10.0.0.2", kProxy[] = "192.0.2.1", kPublic[] = "203.0.113.100";

inline std::string sdp(const std::string& address, const std::string& media) {
    return "v=0\r\no=alice 1 1 IN IP4 " + address + "\r\ns=-\r\nc=IN IP4 " + address +
           "\r\nt=0 0\r\n" + media;
}

// A message with the usual headers; `headers` comes first among them.
inline std::string message(
    const std::string& start, const std::string& cseq, const std::string& body = "",
    const std::string& headers = "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK1\r\n") {
    return start + "\r\n" + headers +
           "From: <sip:alice@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\nCall-ID: 1@x\r\n"
           "CSeq: " +
           cseq +
           "\r\nContent-Type: application/sdp\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

inline std::string invite(const std::string& body, const std::string& cseq = "1 INVITE") {
    return message("INVITE sip:bob@192.0.2.1 SIP/2.0", cseq, body);
}
inline std::string ok(const std::string& body, const std::string& cseq = "1 INVITE") {
    return message("SIP/2.0 200 OK", cseq, body);
}
inline std::string registration(const std::string& contact, const std::string& more = "") {
    return message("REGISTER sip:192.0.2.1 SIP/2.0", "1 REGISTER", "",
                   "Via: SIP/2.0/UDP 10.0.0.2:5060\r\nContact: " + contact + "\r\n" + more);
}

struct Sip : HelperBed {
    explicit Sip(uint8_t protocol = ip_protocol::kUdp)
        : HelperBed(helper_number::kSip, kPhone, 5060, kProxy, 5060, protocol) {}
    bool is_media_expected(const char* from, const char* to, uint16_t port) const {
        return is_expected(tuple(from, 9999, to, port, ip_protocol::kUdp));
    }
    size_t count_of_class(uint8_t flow_class) const {
        size_t count = 0;
        for (const Expectation& one : expectations())
            count += one.master == kMaster && one.flow_class == flow_class;
        return count;
    }
};

}  // namespace rampart::test
