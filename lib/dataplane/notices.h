// Notices: what workers tell each other about flows whose packets do not all come to their owner.
//
// A flow that a helper has announced belongs to its master's worker, wherever its packets arrive;
// and not every translation can be chosen so that replies come home. The owner tells the worker
// that gets such packets, before the first one leaves: Add makes that worker hand them over (a
// foreign key, conntrack/foreign_keys.h), Remove ends it. Where there is no room to say so, no flow
// begins, and one that has ended keeps its slot until there is.
//
// One ring for each ordered pair of workers. Made by control before the workers run.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "dataplane/record_ring.h"
#include "packet/tuple.h"

namespace rampart {

struct Notice {
    enum class Kind : uint32_t { Add, Remove };
    Tuple tuple;
    Kind kind = Kind::Add;
    uint32_t unused = 0;
};
static_assert(sizeof(Notice) == 48);

class Notices {
  public:
    static Result<std::unique_ptr<Notices>> create(uint16_t workers);

    // Worker `from`. False: the ring is full.
    bool tell(uint16_t from, uint16_t to, const Notice& notice) noexcept {
        return rings_[from * workers_ + to].put(notice);
    }
    // Worker `from`: two notices can be told.
    bool has_room(uint16_t from, uint16_t to) const noexcept {
        return rings_[from * workers_ + to].room() >= 2;
    }
    // Worker `to`: calls visit(from, notice) for all there are.
    template <typename Visit>
    void read(uint16_t to, Visit visit) noexcept {
        Notice notice;
        for (uint16_t from = 0; from < workers_; ++from) {
            if (from == to) continue;
            while (rings_[from * workers_ + to].take(&notice, 1) != 0)
                visit(from, notice);
        }
    }

  private:
    explicit Notices(uint16_t workers) : workers_(workers) {}

    uint16_t workers_;
    std::vector<RecordRing<Notice>> rings_;
};

}  // namespace rampart
