// NatPools: what sources are translated to, and how much of it is in use.
//
//   snat        a pool for each different set of addresses and ports, however many rules name it
//   masquerade  a pool for each interface
//
// A pool of addresses gets a number from attach() that it keeps from one configuration to the next,
// so that flows count in it after a reload, too. A pool that no rule names any more goes when its
// last flow has ended. Ports are counted as if every flow needed one of its own; flows to different
// destinations may share one, so that a pool can be more than full.
// Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/nat.h"
#include "rules/snapshot.h"

namespace rampart {

class Worker;

class NatPools {
  public:
    explicit NatPools(std::vector<Worker*> workers);

    // Before `snapshot` is published. Sets Snapshot::pools.
    void attach(Snapshot& snapshot);

    struct Row {
        std::string name;    // "192.0.2.1-192.0.2.9:1024-65535", "masquerade wan"
        uint64_t ports = 0;  // of each PortSpace; 0: too many to count
        std::array<uint64_t, kPortSpaces> used{};  // by PortSpace
        uint64_t failed = 0;                       // packets for which nothing was free

        bool is_in_use() const noexcept;
        // Of the fullest PortSpace.
        uint64_t used_percent() const noexcept;
    };
    // Those that rules name or flows use.
    std::vector<Row> rows() const;

    // Says once when a pool gets fuller than four fifths, once when it is well below again, and
    // when it had nothing to give. Once per second.
    void look();

  private:
    struct Pool {
        std::string name;  // empty: the number is free
        uint64_t ports = 0;
        bool is_named = false;     // by the present rules
        unsigned idle_looks = 0;   // in a row, without a name and without flows
        uint64_t failed_base = 0;  // what was counted before it got the number
        bool is_above = false;
        uint64_t failed_told = 0;
    };

    uint16_t number_of(const NatAction& action);  // plus one; 0: there is none left
    Row row_of(size_t number) const;
    void tell(const Row& row, Pool& pool) const;

    std::vector<Worker*> workers_;
    // By number, and behind them by InterfaceIndex those of masquerading.
    std::vector<Pool> pools_;
};

}  // namespace rampart
