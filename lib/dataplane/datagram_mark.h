// DatagramMark: the note on an mbuf that its packet was put together from fragments.
//
// It travels with the mbuf from the worker that reassembled the datagram to the one that sends it,
// in a dynamic field and a dynamic flag that DPDK reserves in every mbuf. register_datagram_mark()
// must have succeeded once in the process, on the control thread and before workers run; the others
// belong to whoever owns the mbuf.
#pragma once

#include <cstdint>

#include <rte_mbuf.h>

#include "base/result.h"
#include "packet/fragment.h"

namespace rampart {

// Of mbuf->ol_flags; 0 before the registration.
extern uint64_t datagram_flag;

Result<void> register_datagram_mark();

void mark_datagram(rte_mbuf* mbuf, const FragmentShape& shape) noexcept;
inline bool is_datagram(const rte_mbuf* mbuf) noexcept {
    return mbuf->ol_flags & datagram_flag;
}
// Only for an mbuf that is marked.
FragmentShape datagram_shape(const rte_mbuf* mbuf) noexcept;

}  // namespace rampart
