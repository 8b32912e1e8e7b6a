// RuleLogFeed: takes what the workers' `log` statements wrote, makes text of it and gives it to its
// destination.
//
// A timer empties the workers' rings while the rules log anything, a bounded time at once. A record
// names its rule by generation and number; what those mean is kept until no worker can write such
// records any more. What the rates kept back is told in one line per rule and ten seconds.
// Control thread only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/event_loop.h"
#include "control/log_destination.h"
#include "control/packet_log_format.h"
#include "rules/snapshot.h"

namespace rampart {

class Worker;

class RuleLogFeed {
  public:
    RuleLogFeed(EventLoop& loop, std::vector<Worker*> workers);

    // `snapshot` was just published. `destination` null: the present one stays.
    void follow(const Snapshot& snapshot, std::unique_ptr<LogDestination> destination);
    // Once per second, and before another generation follows. `snapshot` is the current one.
    void tell_suppressed(const Snapshot& snapshot, bool at_once);

    // One turn of the timer.
    void turn();

  private:
    struct LoggingRule {
        PacketLogNames names;  // without interfaces
        uint8_t level = 0;
        std::string limit;
        RuleIndex suppressed_index = 0;
        uint64_t told_suppressed = 0;
    };
    struct Generation {
        std::vector<std::string> interfaces;
        std::map<RuleIndex, LoggingRule> rules;
    };
    bool read_from(Worker& worker);
    void write(const PacketLogRecord& record);
    void forget_older();

    EventLoop& loop_;
    std::vector<Worker*> workers_;
    std::unique_ptr<LogDestination> destination_;
    std::map<uint32_t, Generation> generations_;
    unsigned seconds_ = 0;
    EventLoop::Source timer_;  // exists while rules log
    bool is_running_ = false;
};

}  // namespace rampart
