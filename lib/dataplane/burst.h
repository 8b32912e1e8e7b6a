// Burst: up to 64 packets on their way through the pipeline, as parallel arrays.
//
// Filled by the worker (mbuf, in_port), decided by the stages, emptied by the worker. Position i
// means the same packet in every array. Masks select the packets a stage works on: bit i stands for
// position i. Each packet is in one key batch or one mask until its verdict is not Pending.
// Owner: one worker, which fills it again in each loop.
#pragma once

#include <array>
#include <cstdint>

#include "conntrack/flow.h"
#include "conntrack/flow_table.h"
#include "packet/drop_reason.h"
#include "packet/hop_limit.h"
#include "packet/packet.h"
#include "packet/verdict.h"
#include "routing/routing.h"
#include "rules/path_table.h"

struct rte_mbuf;

namespace rampart {

inline constexpr uint32_t kBurstSize = 64;

using PacketMask = uint64_t;

// for (uint32_t i : positions of a mask), in order.
template <typename Visit>
inline void for_each(PacketMask mask, Visit visit) noexcept {
    for (; mask != 0; mask &= mask - 1)
        visit(static_cast<uint32_t>(__builtin_ctzll(mask)));
}

constexpr PacketMask bit(uint32_t i) noexcept {
    return PacketMask{1} << i;
}

struct Burst {
    uint32_t count = 0;
    PacketMask fragments = 0;   // of datagrams yet to be put together
    PacketMask tracked = 0;     // belongs to a flow, which accepted it
    PacketMask tcp = 0;         // of TCP, and found a flow
    PacketMask starting = 0;    // has no flow; may start one
    PacketMask flowless = 0;    // INVALID or UNTRACKED
    PacketMask translated = 0;  // its destination is
    PacketMask tupled = 0;      // `tuple` is what rules see
    PacketMask departing = 0;   // needs the translate stage, once it is accepted
    PacketMask begun = 0;       // its hop limit was decremented
    PacketMask unrouted = 0;    // its way is only asked when its translation is known
    PacketMask hairpin = 0;     // masqueraded if it leaves where it came in
    PacketMask arrived = 0;     // datagrams that became whole here
    PacketMask raw_passed = 0;  // the chain raw has accepted it, here or where it was before
    bool is_handed = false;     // by another worker, who knew whose the packets are
    uint16_t handed_by = 0;     // with is_handed
    PacketMask visiting = 0;    // handed here although its key is another worker's
    PacketMask from_kernel = 0;
    PacketMask proposed = 0;  // first_rule is valid, for proposed_class and the present chain

    // Packets with a flow key, by family: to be steered and looked up.
    KeyBatch keys4;
    KeyBatch keys6;

    std::array<rte_mbuf*, kBurstSize> mbuf;
    std::array<uint32_t, kBurstSize> frame_length;
    std::array<Verdict, kBurstSize> verdict;
    std::array<DropReason, kBurstSize> reason;
    std::array<CtClass, kBurstSize> ct_class;
    std::array<uint32_t, kBurstSize> hash;    // of the flow key
    std::array<FlowRef, kBurstSize> flow;     // with the direction of the packet
    std::array<uint16_t, kBurstSize> status;  // of the flow, as this packet left it
    std::array<PathId, kBurstSize> path;  // of the rules it matched; kNoPath: none, or not recorded
    std::array<uint32_t, kBurstSize> first_rule;  // that the packet can match; kNoRule: none
    std::array<CtClass, kBurstSize> proposed_class;
    std::array<NeighbourSlot, kBurstSize> egress;   // of routed packets; or kNoNeighbour, yet
    std::array<NeighbourKey, kBurstSize> next_hop;  // of routed packets
    std::array<Tuple, kBurstSize> tuple;            // behind a translation of the destination
    std::array<uint8_t, kBurstSize> wanted_helper;  // with a chain raw: what its rules ask for
    std::array<uint8_t, kBurstSize> owner;          // the worker a Consumed packet is handed to
    std::array<Packet, kBurstSize> packet;

    // As it came in: the other worker begins anew.
    void hand_over(uint32_t i, uint16_t worker) noexcept {
        if (begun & (PacketMask{1} << i)) restore_hop_limit(packet[i]);
        verdict[i] = Verdict::Consumed;
        owner[i] = static_cast<uint8_t>(worker);
    }
    void drop(uint32_t i, DropReason why) noexcept {
        verdict[i] = Verdict::Drop;
        reason[i] = why;
    }
};

}  // namespace rampart
