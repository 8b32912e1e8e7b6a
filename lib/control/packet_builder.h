// Packet builder: the headers of one Ethernet frame from what a person says about it.
//
// Lengths and the IPv4 checksum are right; payload and transport checksums are left out, because
// nothing that looks at the frame (the parser, the trackers, the rules) reads them. An ICMP error
// quotes a UDP packet that its receiver could have sent. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip_address.h"
#include "base/mac_address.h"

namespace rampart {

struct PacketFields {
    MacAddress mac_dst{0x02, 0, 0, 0, 0, 0x02};
    MacAddress mac_src{0x02, 0, 0, 0, 0, 0x01};
    uint16_t vlan = 0;  // 0: no tag
    IpAddress src, dst;
    uint8_t protocol = 0;
    uint8_t hop_limit = 64;
    uint8_t dscp = 0;
    uint16_t ip_length = 0;  // 0: of the headers alone
    uint16_t sport = 40000, dport = 0;
    uint8_t icmp_type = 0, icmp_code = 0;
    uint8_t tcp_flags = 0;
};

struct BuiltPacket {
    std::vector<uint8_t> frame;   // the headers
    uint32_t frame_length = 0;    // with the payload that is not there
    uint32_t headers_length = 0;  // from the IP header on
};

BuiltPacket build_packet(const PacketFields& fields);

}  // namespace rampart
