#include "dataplane/mailbox.h"

namespace rampart {

Result<std::unique_ptr<Mailbox>> Mailbox::create(const std::string& name, int numa_node) {
    auto ring = RecordRing<Command>::create(name, kSlots, numa_node);
    if (!ring) return tl::unexpected<Error>(ring.error());
    return std::unique_ptr<Mailbox>(new Mailbox(std::move(*ring)));
}

}  // namespace rampart
