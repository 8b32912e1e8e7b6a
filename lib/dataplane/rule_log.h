// RuleLog: the packets that `log` statements of one worker want written, on their way to control.
//
// Exists from the start, because rules may begin to log at any time; a worker never waits for it.
// Owner: the worker writes, control reads.
#pragma once

#include <memory>
#include <string>

#include "dataplane/record_ring.h"
#include "rules/packet_log.h"

namespace rampart {

class RuleLog final : public PacketLog {
  public:
    // Ten milliseconds of a hundred thousand records per second.
    static constexpr uint32_t kSlots = 1024;
    static constexpr uint64_t kBytes = kSlots * sizeof(PacketLogRecord);

    static Result<std::unique_ptr<RuleLog>> create(const std::string& name, int numa_node);

    bool write(const PacketLogRecord& record) noexcept override { return ring_.put(record); }
    uint32_t read(PacketLogRecord* records, uint32_t capacity) noexcept {
        return ring_.take(records, capacity);
    }

  private:
    explicit RuleLog(RecordRing<PacketLogRecord> ring) : ring_(std::move(ring)) {}

    RecordRing<PacketLogRecord> ring_;
};

}  // namespace rampart
