// Fuzz target of the parser and of what reads a parsed packet: tuples, quoted tuples and replies.
//
// The input is one frame. It is copied to a buffer of exactly its size, so that the address
// sanitizer sees every byte read too much. Seeds: test/fuzz/corpus/packet_parser (make_seeds writes
// them).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "packet/parser.h"
#include "packet/reply.h"

namespace {

using namespace rampart;

constexpr size_t kMaxFrame = 9618;

void check(bool condition) {
    if (!condition) std::abort();
}

void look_at(uint8_t* frame, uint32_t contiguous, uint32_t length) {
    Packet packet;
    const ParseOutcome outcome = parse_frame(packet, frame, contiguous, length, {false});
    if (outcome.kind != FrameKind::Ip) return;
    check(packet.l3_offset + packet.ip_length <= length);
    check(packet.l4_offset + packet.l4_length <= length);
    const Tuple tuple = tuple_of(packet);
    check(invert(invert(tuple)) == tuple);
    if (packet.is_icmp_error) {
        const Tuple quoted = embedded_tuple_of(packet);
        check(quoted.family == packet.family);
        check(quoted.src == tuple.dst);
    }
    if (must_not_answer(packet)) return;
    for (const RejectWith with : {RejectWith::Default, RejectWith::PortUnreachable}) {
        uint8_t reply[kMaxReplyBytes];
        const uint32_t size = build_reject(packet, with, nullptr, reply);
        check(size <= kMaxReplyBytes);
        Packet answer;
        if (size == 0) continue;
        const ParseOutcome parsed = parse_frame(answer, reply, size, size, {true});
        // The cause's destination may be an address that cannot be a source.
        check(parsed.kind == FrameKind::Ip || parsed.reason == DropReason::IpSource ||
              parsed.reason == DropReason::IpDestination ||
              parsed.reason == DropReason::SourceMac || parsed.reason == DropReason::ReservedMac);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > kMaxFrame) return 0;
    const uint32_t length = static_cast<uint32_t>(size);
    for (const uint32_t contiguous : {length, std::min(length, kMaxHeaderBytes)}) {
        const std::unique_ptr<uint8_t[]> exact(new uint8_t[contiguous]);
        std::copy_n(data, contiguous, exact.get());
        look_at(exact.get(), contiguous, length);
    }
    return 0;
}
