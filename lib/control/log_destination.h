// LogDestination: where the records of `log` statements end: the daemon's own messages, syslog,
// journald or a file.
//
// Opened before a configuration becomes active, so that one whose log cannot be written is refused
// as a whole. Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "control/json.h"
#include "rules/snapshot.h"

namespace rampart {

struct LogEntry {
    uint64_t wall_ns = 0;
    uint8_t level = 6;  // index of kLogLevels
    std::string text;   // as people read it
    Json fields;        // the same by name
};

class LogDestination {
  public:
    static Result<std::unique_ptr<LogDestination>> open(const RuleLogSettings& settings);
    virtual ~LogDestination() = default;

    virtual void write(const LogEntry& entry) = 0;
};

}  // namespace rampart
