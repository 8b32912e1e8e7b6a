// Fuzz target of SCTP: the walk over the chunks, and the tracker, with one association.
//
// The input is read as records: a byte of direction, a byte of length, the SCTP packet. Each stands
// in a buffer of exactly its size, so that the address sanitizer sees every byte read too much.
#include "conntrack/trackers/sctp_chunks.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "conntrack/trackers/trackers.h"

namespace {

using namespace rampart;

void check(bool condition) {
    if (!condition) std::abort();
}

void look_at_chunks(const Packet& packet) {
    SctpChunks chunks(packet);
    SctpChunk chunk;
    uint32_t count = 0;
    const uint8_t* end = packet.l4() + packet.l4_length;
    const uint8_t* last = packet.l4() + kSctpHeaderBytes;
    while (chunks.next(chunk)) {
        check(chunk.value >= last + kSctpChunkHeaderBytes && chunk.value <= end);
        check(chunk.readable == static_cast<size_t>(end - chunk.value));
        last = chunk.value;
        check(++count <= packet.l4_length / kSctpChunkHeaderBytes);
    }
    check(!chunks.next(chunk));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ConntrackSettings settings;
    Flow flow;
    bool is_begun = false;
    while (size >= 2) {
        const Direction direction =
            is_begun ? static_cast<Direction>(data[0] & 1) : Direction::Original;
        const size_t length = std::min<size_t>(data[1], size - 2);
        if (length >= kSctpHeaderBytes) {  // the parser sees to that
            const std::unique_ptr<uint8_t[]> exact(new uint8_t[length]);
            std::copy_n(data + 2, length, exact.get());
            Packet packet;
            packet.frame = exact.get();
            packet.in_port = 0;
            packet.l4_offset = 0;
            packet.frame_contiguous = packet.l4_length = static_cast<uint16_t>(length);
            packet.protocol = ip_protocol::kSctp;
            look_at_chunks(packet);
            const TrackInput input{packet, flow, direction, settings, 1};
            const TrackOutcome outcome =
                is_begun ? kSctpTracker.update(input) : kSctpTracker.first(input);
            check(outcome.result == TrackResult::Accept || outcome.result == TrackResult::Invalid);
            check((outcome.reason != InvalidReason::None) ==
                  (outcome.result == TrackResult::Invalid));
            check(flow.state.load() < kSctpStateCount);
            check(outcome.result == TrackResult::Invalid || !outcome.refresh ||
                  outcome.timeout != 0);
            if (outcome.result == TrackResult::Accept) {
                check(is_begun || outcome.refresh);  // a new flow needs a timeout
                check(flow.state.load() != 0);
                is_begun = true;
                if (direction == Direction::Reply) flow.set_status(flow_status::kSeenReply);
            } else if (!is_begun) {
                flow.state.store(0);  // it would be released
            }
        }
        data += 2 + length;
        size -= 2 + length;
    }
    return 0;
}
