// Fuzz target of the walk over IPv6 extension headers, alone and as a part of the parser.
//
// The input: the first next header, then what follows the fixed header. It stands at the end of a
// buffer of exactly its size, so that the address sanitizer sees every byte read too much.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/endian.h"
#include "packet/parse_ip.h"
#include "packet/parser.h"

namespace {

using namespace rampart;

constexpr size_t kLinkBytes = 14, kFixedBytes = 40, kMaxBody = 2000;

void check(bool condition) {
    if (!condition) std::abort();
}

bool is_extension(uint8_t protocol) {
    return protocol == ip_protocol::kHopByHop || protocol == ip_protocol::kRouting ||
           protocol == ip_protocol::kFragment || protocol == ip_protocol::kDestination ||
           protocol == ip_protocol::kAh || protocol == ip_protocol::kNoNext;
}

void look_at_walk(const uint8_t* frame, uint32_t end, uint8_t next_header) {
    using Result = ExtensionWalk::Result;
    constexpr uint16_t kBegin = kLinkBytes + kFixedBytes;
    const ExtensionWalk walk = walk_extensions(frame, end, next_header, kBegin);
    check(walk.offset >= kBegin && walk.offset <= end);
    check((walk.offset - kBegin) % 4 == 0);
    if (walk.result == Result::Transport) check(!is_extension(walk.protocol));
    if (walk.result == Result::NoTransport) check(walk.protocol == ip_protocol::kNoNext);
    if (walk.result == Result::Fragment) check(walk.offset + 8u <= end);
    // What needs fewer bytes than there were comes to the same end with no more.
    if (walk.result == Result::Transport) {
        const ExtensionWalk again = walk_extensions(frame, walk.offset, next_header, kBegin);
        check(again.result == walk.result && again.offset == walk.offset);
    }
}

void look_at_parser(uint8_t* frame, uint32_t contiguous, uint32_t length) {
    Packet packet;
    const ParseOutcome outcome = parse_frame(packet, frame, contiguous, length, {false});
    if (outcome.kind != FrameKind::Ip) return;
    check(packet.family == Family::Ipv6);
    check(packet.l4_offset >= kLinkBytes + kFixedBytes);
    check(packet.l4_offset + packet.l4_length == length);
    check(packet.invalid == InvalidReason::NoTransport || !is_extension(packet.protocol));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0 || size > kMaxBody) return 0;
    const size_t body = size - 1;
    const uint32_t length = static_cast<uint32_t>(kLinkBytes + kFixedBytes + body);
    for (const uint32_t contiguous : {length, std::min(length, kMaxHeaderBytes)}) {
        const std::unique_ptr<uint8_t[]> frame(new uint8_t[contiguous]());
        uint8_t* ip = frame.get() + kLinkBytes;
        frame[0] = frame[6] = 0x02;
        store(frame.get() + 12, be16::from_host(ether_type::kIpv6));
        ip[0] = 0x60;
        store(ip + 4, be16::from_host(static_cast<uint16_t>(body)));
        ip[6] = data[0];
        ip[7] = 64;
        ip[8] = ip[24] = 0x20;
        std::copy_n(data + 1, contiguous - kLinkBytes - kFixedBytes, ip + kFixedBytes);
        look_at_walk(frame.get(), contiguous, data[0]);
        look_at_parser(frame.get(), contiguous, length);
    }
    return 0;
}
