// Sequence numbers of a TCP connection whose payload a helper makes longer or shorter.
//
// Each direction remembers where its stream changed length and by how much. Packets of that
// direction are renumbered to what the receiver knows, and the receiver's acknowledgements back to
// what the sender knows. Positions are the sender's numbers of the segments that were rewritten.
//
//   sender's numbers    ----p0------p1------p2----->       change[i].position
//   added to them        base | o0   | o1    | o2          change[i].offset, the sum up to there
//
// As netfilter's nf_conntrack_seqadj.c while one rewritten segment is under way. It forgets older
// ones, so that a late retransmission from before them would be renumbered wrongly; here the last
// kChanges are remembered.
// Owner: the worker of the flow. Plain data, zero at first; nothing allocates.
#pragma once

#include <cstdint>

#include "conntrack/ct_class.h"

namespace rampart {

struct SequenceChange {
    uint32_t position;
    int32_t offset;
};

// One direction.
struct SequenceShift {
    static constexpr uint32_t kChanges = 4;

    int32_t base;  // up to and including change[0].position
    uint32_t count;
    SequenceChange change[kChanges];  // oldest first
};

struct SequenceAdjust {
    SequenceShift shift[2];  // by the direction that was rewritten

    // False: adjust() would change nothing.
    bool is_active() const noexcept {
        return (shift[0].count | shift[1].count) != 0 || shift[0].base != 0 || shift[1].base != 0;
    }
};

// The segment that begins at `sequence`, as its sender numbers it, leaves `delta` bytes longer. Of
// a segment that was rewritten before, nothing is recorded again. Call before adjust().
void record_change(SequenceAdjust& state, Direction direction, uint32_t sequence,
                   int32_t delta) noexcept;

// What is added to `sequence` of a packet of `direction`. Window tracking takes this off
// acknowledgements of the other direction before it compares them (nf_ct_seq_offset).
int32_t offset_at(const SequenceAdjust& state, Direction direction, uint32_t sequence) noexcept;

// The acknowledgement that the sender of `direction` must get for `acknowledgement` of the other.
uint32_t original_acknowledgement(const SequenceAdjust& state, Direction direction,
                                  uint32_t acknowledgement) noexcept;

// Renumbers a packet of `direction`: sequence, acknowledgement and the edges of SACK blocks, with
// the checksum patched. `header_length` bytes are the TCP header with its options. False: the
// options cannot be read; the packet must be dropped.
bool adjust(SequenceAdjust& state, Direction direction, uint8_t* tcp_header,
            uint32_t header_length) noexcept;

}  // namespace rampart
