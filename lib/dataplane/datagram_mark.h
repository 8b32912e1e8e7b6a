// DatagramMark: the note on an mbuf that its packet was put together from fragments.
//
// It travels with the mbuf from the worker that reassembled the datagram to the one that sends it,
// in a dynamic field and a dynamic flag that DPDK reserves in every mbuf. register_datagram_mark()
// must have succeeded once in the process, on the control thread and before workers run; the others
// belong to whoever owns the mbuf.
#pragma once

#include <cstdint>

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "base/result.h"
#include "packet/fragment.h"

namespace rampart {

// Of mbuf->ol_flags; 0 before the registration.
extern uint64_t datagram_flag;
// Where in the mbuf; negative before the registration.
extern int datagram_shape_offset;

Result<void> register_datagram_mark();

inline void mark_datagram(rte_mbuf* mbuf, const FragmentShape& shape) noexcept {
    auto& field = *RTE_MBUF_DYNFIELD(mbuf, datagram_shape_offset, FragmentShape*);
    // Field by field: copied as a whole it would wait for its own narrow stores.
    field.id = shape.id;
    field.largest = shape.largest;
    field.unfragmentable = shape.unfragmentable;
    field.dont_fragment = shape.dont_fragment;
    field.pieces = shape.pieces;
    mbuf->ol_flags |= datagram_flag;
}
inline bool is_datagram(const rte_mbuf* mbuf) noexcept {
    return mbuf->ol_flags & datagram_flag;
}
// Only for an mbuf that is marked.
inline FragmentShape datagram_shape(const rte_mbuf* mbuf) noexcept {
    return *RTE_MBUF_DYNFIELD(mbuf, datagram_shape_offset, const FragmentShape*);
}

}  // namespace rampart
