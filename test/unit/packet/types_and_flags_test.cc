// Every ICMP and ICMPv6 type, with several codes: what it is without any flow, against lists
// written down independently (RFC 792, 950, 4443, 4861, 3810, and what netfilter makes of them).
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "packet/parse_transport.h"
#include "packet/parser.h"
#include "support/packet_line.h"

namespace rampart::test {
namespace {

std::string kind_of(const std::string& addresses, unsigned type, unsigned code) {
    Bytes frame = frame_of("icmp " + addresses + " " + std::to_string(type) + "/" +
                           std::to_string(code) + " id 7 len 60");
    const uint32_t size = static_cast<uint32_t>(frame.size());
    Packet packet;
    if (parse_frame(packet, frame.data(), size, size, {}).kind != FrameKind::Ip) return "drop";
    if (packet.is_untracked_icmpv6) return "untracked";
    return packet.invalid == InvalidReason::None ? "query" : std::string(to_string(packet.invalid));
}

}  // namespace

TEST_CASE("every ICMP type is a query, an error or unknown") {
    const std::set<unsigned> queries = {0, 8, 13, 14, 15, 16, 17, 18};
    const std::set<unsigned> errors = {3, 4, 5, 11, 12};
    for (unsigned type = 0; type < 256; ++type) {
        for (unsigned code = 0; code < 256; code += 15) {
            const std::string kind = kind_of("10.0.0.2 > 192.0.2.1", type, code);
            INFO("type " << type << " code " << code);
            // An error that quotes rubbish.
            if (errors.contains(type))
                CHECK(kind == "icmp_embedded");
            else
                CHECK(kind == (queries.contains(type) ? "query" : "icmp_type"));
        }
    }
}

TEST_CASE("every ICMPv6 type is a query, an error, a message of the link, or unknown") {
    const std::set<unsigned> queries = {128, 129, 139, 140};
    const std::set<unsigned> link = {130, 131, 132, 133, 134, 135, 136, 143, 151, 152};
    for (unsigned type = 0; type < 256; ++type) {
        for (unsigned code = 0; code < 256; code += 15) {
            const std::string kind = kind_of("2001:db8:1::2 > 2001:db8:2::1", type, code);
            INFO("type " << type << " code " << code);
            // The rubbish that an error quotes, 0x61 all over, has the version of IPv6.
            if (type < 128)
                CHECK(kind == "icmp_destination");
            else if (type == 137)
                CHECK(kind == "icmp_redirect");
            else if (link.contains(type))
                CHECK(kind == "untracked");
            else
                CHECK(kind == (queries.contains(type) ? "query" : "icmp_type"));
        }
    }
}

TEST_CASE("of all sets of TCP flags nine are legal, with PSH, ECE and CWR at will") {
    using namespace tcp_flag;
    const std::set<unsigned> legal = {kSyn,        kSyn | kUrg, kSyn | kAck,        kRst,
                                      kRst | kAck, kFin | kAck, kFin | kAck | kUrg, kAck,
                                      kAck | kUrg};
    for (unsigned flags = 0; flags < 256; ++flags) {
        INFO("flags " << flags);
        const unsigned without = flags & ~static_cast<unsigned>(kPsh | kEce | kCwr);
        CHECK(are_valid_tcp_flags(static_cast<uint8_t>(flags)) == legal.contains(without));
    }
}

}  // namespace rampart::test
