#include "dataplane/journal.h"

namespace rampart {

Result<std::unique_ptr<Journal>> Journal::create(const std::string& name, int numa_node) {
    auto ring = RecordRing<JournalRecord>::create(name, kSlots, numa_node);
    if (!ring) return tl::unexpected<Error>(ring.error());
    return std::unique_ptr<Journal>(new Journal(std::move(*ring)));
}

}  // namespace rampart
