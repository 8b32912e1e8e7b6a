#include "conntrack/foreign_keys.h"

namespace rampart {
namespace {

TableEntry told(uint32_t worker, bool swapped) noexcept {
    return TableEntry::foreign(static_cast<uint16_t>(worker), swapped);
}

TableEntry promised(uint32_t worker, bool swapped) noexcept {
    return TableEntry::promised(static_cast<uint16_t>(worker), swapped);
}

}  // namespace

bool ForeignKeys::promise(const Tuple& tuple, uint16_t worker, Tick now) noexcept {
    if (!keys_.insert_one_way(tuple, promised, worker)) return false;
    if (count_ == kPromises) end_oldest();
    promises_[(first_ + count_++) % kPromises] = {tuple, worker, now + kPatience};
    return true;
}

bool ForeignKeys::add(const Tuple& tuple, uint16_t worker) noexcept {
    const TableEntry present = keys_.find(tuple);
    if (present.is_foreign()) remove(tuple, present.worker());
    return keys_.insert_one_way(tuple, told, worker);
}

void ForeignKeys::remove(const Tuple& tuple, uint16_t worker) noexcept {
    keys_.remove_one_way(tuple, told, worker);
    keys_.remove_one_way(tuple, promised, worker);
}

void ForeignKeys::end_oldest() noexcept {
    const Promise& oldest = promises_[first_];
    // Nothing happens when it was kept: then another entry stands there.
    keys_.remove_one_way(oldest.tuple, promised, oldest.worker);
    first_ = (first_ + 1) % kPromises;
    --count_;
}

void ForeignKeys::expire(Tick now) noexcept {
    while (count_ != 0 && is_past(promises_[first_].until, now))
        end_oldest();
}

}  // namespace rampart
