// PacketLog: where a worker's `log` statements leave what they saw; PacketLogRecord: one packet.
//
// A record holds the beginning of the frame as it was when the rule matched; control makes text of
// it (control/packet_log_format.h). Writing never waits: a full log refuses, and the statement
// counts the packet as suppressed. Owner: one worker.
#pragma once

#include <cstdint>

#include "conntrack/ct_class.h"
#include "rules/interface.h"
#include "rules/path_table.h"

namespace rampart {

struct PacketLogRecord {
    static constexpr uint32_t kFrameBytes = 224;

    uint64_t wall_ns = 0;     // when
    uint32_t generation = 0;  // of the rules
    RuleIndex rule = 0;
    uint32_t mark = 0;
    uint16_t captured = 0;   // bytes in `frame`
    uint16_t l3_offset = 0;  // in `frame`
    uint16_t vlan_tci = 0;   // 0 without a tag
    InterfaceIndex in = kNoInterface;
    InterfaceIndex out = kNoInterface;
    CtClass ct_class = CtClass::Untracked;
    uint8_t unused[3]{};
    uint8_t frame[kFrameBytes];
};
static_assert(sizeof(PacketLogRecord) == 256);

class PacketLog {
  public:
    // False: it is full.
    virtual bool write(const PacketLogRecord& record) noexcept = 0;

  protected:
    ~PacketLog() = default;
};

}  // namespace rampart
