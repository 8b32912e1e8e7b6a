// IpfixRecord: one event of a flow in the terms of IPFIX, as the encoder's templates describe it.
//
// A biflow (RFC 5103): the initiator's direction is forward, the answers are in the reverse
// elements. Addresses and ports are those of the initiator's first packet; where the flow is
// translated, the postNAT elements are what that packet carried behind the firewall (RFC 8158).
// Members are in host byte order, IPv6 addresses as they are in packets. Value type, any thread.
#pragma once

#include <cstdint>

#include "base/ip_address.h"
#include "control/event_feed.h"

namespace rampart {

// The values of flowEndReason (IPFIX element 136).
enum class FlowEndReason : uint8_t { None = 0, IdleTimeout = 1, EndDetected = 3, Forced = 4 };

// The layout is what kElements of ipfix_encoder.cc says, in its order and without gaps.
struct IpfixRecord {
    uint64_t observed_ms = 0;  // the event, Unix time
    uint64_t start_ms = 0;
    uint64_t end_ms = 0;
    uint64_t packets = 0;
    uint64_t bytes = 0;
    uint64_t reverse_packets = 0;
    uint64_t reverse_bytes = 0;
    uint64_t flow_id = 0;
    AddressBytes src6{};
    AddressBytes dst6{};
    AddressBytes post_src6{};
    AddressBytes post_dst6{};
    uint32_t src4 = 0;
    uint32_t dst4 = 0;
    uint32_t post_src4 = 0;
    uint32_t post_dst4 = 0;
    uint32_t mark = 0;
    uint16_t src_port = 0;
    uint16_t dst_port = 0;
    uint16_t post_src_port = 0;
    uint16_t post_dst_port = 0;
    uint16_t icmp_type_code = 0;
    uint8_t protocol = 0;
    uint8_t biflow_direction = 1;  // the first packet's sender is the initiator
    uint8_t end_reason = 0;        // FlowEndReason
    uint8_t firewall_event = 0;    // 1: created, 2: deleted
    uint8_t nat_event = 0;         // 4: NAT44 session created, 5: deleted
    uint8_t padding[5]{};
};
static_assert(sizeof(IpfixRecord) == 64 + 64 + 20 + 10 + 10);

// What an event's record consists of; a template for each combination.
namespace ipfix_parts {
inline constexpr unsigned kIpv6 = 1, kIcmp = 2, kNat = 4, kEnd = 8, kCombinations = 16;
}

// `event` is New or Destroy.
IpfixRecord ipfix_record(const FlowEvent& event) noexcept;
unsigned ipfix_parts_of(const FlowEvent& event) noexcept;

}  // namespace rampart
