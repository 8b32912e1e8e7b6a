// Nat: what a worker needs to translate flows: its sources' mappings, its random numbers, the ports
// that are not for translation, and how much of each pool it uses.
//
// A pool is what sources are translated to: the addresses and ports of a `snat`, or an interface's
// address with `masquerade`. control/nat_pools.h numbers the former.
// Owner: one worker; control reads uses. Made at start when a port is routed.
#pragma once

#include <array>
#include <cstdint>

#include "base/interface_index.h"
#include "base/shared.h"
#include "nat/binding.h"
#include "nat/source_index.h"

namespace rampart {

// Ports of different protocols do not clash.
enum class PortSpace : uint8_t { Tcp, Udp, Other };
inline constexpr size_t kPortSpaces = 3;

constexpr PortSpace port_space_of(uint8_t protocol) noexcept {
    if (protocol == ip_protocol::kTcp) return PortSpace::Tcp;
    return protocol == ip_protocol::kUdp ? PortSpace::Udp : PortSpace::Other;
}

// Worker: rw, control: ro.
struct PoolUse {
    std::array<Shared<uint32_t>, kPortSpaces> flows;  // that have a translation of it, by PortSpace
    Shared<uint64_t> failed;                          // packets for which it had none
};

class Nat {
  public:
    static constexpr size_t kMaxPools = 256;

    // `reserved_ports` may be null.
    Nat(FlowTable& table, const KeyedHash& hash, const ReservedPorts* reserved_ports = nullptr)
        : sources(table, hash), random(hash), reserved(reserved_ports), table_(table) {}

    SourceIndex sources;
    KeyedRandom random;
    const ReservedPorts* const reserved;

    // Of the pool with this number, and of masquerading to an interface's address.
    const PoolUse& pool(size_t number) const noexcept { return pools_[number]; }
    const PoolUse& masquerade(InterfaceIndex interface) const noexcept {
        return masquerades_[interface];
    }

    // Of a flow that was confirmed with this translation, or could not be.
    void note_begin(const FlowReply& reply) noexcept {
        if (PoolUse* use = use_of(reply)) space_of(*use, reply).add(1);
    }
    void note_failure(const FlowReply& reply) noexcept {
        if (PoolUse* use = use_of(reply)) use->failed.add(1);
    }
    // Of an erased flow, before its slot is used again.
    void forget(FlowIndex index) noexcept {
        sources.remove(index);
        if ((table_.flow(index).status.load() & (flow_status::kSrcNat | flow_status::kDstNat)) == 0)
            return;
        const FlowReply reply = table_.reply(index);
        if (PoolUse* use = use_of(reply)) space_of(*use, reply).add(UINT32_MAX);
    }

  private:
    PoolUse* use_of(const FlowReply& reply) noexcept {
        if (reply.masquerade != 0) return &masquerades_[(reply.masquerade - 1u) % kMaxInterfaces];
        return reply.pool == 0 ? nullptr : &pools_[(reply.pool - 1u) % kMaxPools];
    }
    static Shared<uint32_t>& space_of(PoolUse& use, const FlowReply& reply) noexcept {
        return use.flows[static_cast<size_t>(port_space_of(reply.reply.protocol))];
    }

    FlowTable& table_;
    std::array<PoolUse, kMaxPools> pools_;
    std::array<PoolUse, kMaxInterfaces> masquerades_;
};

}  // namespace rampart
