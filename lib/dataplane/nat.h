// Nat: what a worker needs to translate flows: its sources' mappings, its random numbers, and how
// full the pools of the rules are.
//
// Owner: one worker; control reads `in_use`. Made at start when a port is routed.
#pragma once

#include <array>
#include <cstdint>

#include "base/shared.h"
#include "nat/binding.h"
#include "nat/source_index.h"

namespace rampart {

class Nat {
  public:
    static constexpr size_t kMaxPools = 256;

    Nat(FlowTable& table, const KeyedHash& hash)
        : sources(table, hash), random(hash), table_(table) {}

    SourceIndex sources;
    KeyedRandom random;
    // Flows that have a translation of this pool (NatAction::pool).
    std::array<Shared<uint32_t>, kMaxPools> in_use;

    void note_pool(uint16_t pool) noexcept { in_use[pool % kMaxPools].add(1); }
    // Of an erased flow, before its slot is used again.
    void forget(FlowIndex index) noexcept {
        sources.remove(index);
        if ((table_.flow(index).status.load() & flow_status::kSrcNat) == 0) return;
        const uint16_t pool = table_.reply(index).pool;
        if (pool == 0) return;
        Shared<uint32_t>& count = in_use[(pool - 1u) % kMaxPools];
        count.store(count.load() - 1);
    }

  private:
    FlowTable& table_;
};

}  // namespace rampart
