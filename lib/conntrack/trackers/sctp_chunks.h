// The chunks of an SCTP packet, one after the other (RFC 9260, 3.2).
//
// Reads within the IP packet and within the bytes that are readable in one piece; the parse stage
// moves as much of an SCTP packet into its first segment as fits. What lies beyond counts as the
// value of the last chunk that was read. Values, any thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/endian.h"
#include "conntrack/trackers/sctp_states.h"
#include "packet/packet.h"

namespace rampart {

inline constexpr uint32_t kSctpHeaderBytes = 12, kSctpChunkHeaderBytes = 4;

// In memory order, as all tags here: they are only compared.
inline uint32_t sctp_tag_of(const Packet& packet) noexcept {
    return load<uint32_t>(packet.l4() + 4);
}

struct SctpChunk {
    SctpChunkType type = SctpChunkType::Other;
    uint8_t flags = 0;
    uint16_t length = 0;             // as on the wire, header included
    const uint8_t* value = nullptr;  // behind the chunk's header
    uint32_t readable = 0;           // bytes at `value`, to the end of the packet
};

class SctpChunks {
  public:
    explicit SctpChunks(const Packet& packet) noexcept
        : at_(packet.l4() + kSctpHeaderBytes),
          left_(static_cast<int64_t>(std::min<uint32_t>(packet.l4_offset + packet.l4_length,
                                                        packet.frame_contiguous)) -
                packet.l4_offset - kSctpHeaderBytes) {}

    // False: there are no more. A few bytes at the end that are no chunk are padding.
    bool next(SctpChunk& chunk) noexcept {
        if (left_ < int64_t{kSctpChunkHeaderBytes}) return false;
        chunk.type = sctp_chunk_type(at_[0]);
        chunk.flags = at_[1];
        chunk.length = load_host16(at_ + 2);
        chunk.value = at_ + kSctpChunkHeaderBytes;
        chunk.readable = static_cast<uint32_t>(left_) - kSctpChunkHeaderBytes;
        // Chunks are padded to words. A length of zero would never end; the caller refuses it.
        const int64_t step = std::max<int64_t>((chunk.length + 3) & ~3, kSctpChunkHeaderBytes);
        at_ += std::min(step, left_);
        left_ -= step;
        return true;
    }

  private:
    const uint8_t* at_;
    int64_t left_;
};

}  // namespace rampart
