#include "dataplane/rule_log.h"

namespace rampart {

Result<std::unique_ptr<RuleLog>> RuleLog::create(const std::string& name, int numa_node) {
    auto ring = RecordRing<PacketLogRecord>::create(name, kSlots, numa_node);
    if (!ring) return tl::unexpected<Error>(ring.error());
    return std::unique_ptr<RuleLog>(new RuleLog(std::move(*ring)));
}

}  // namespace rampart
