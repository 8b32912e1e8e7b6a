// What `rampartctl test` prints: a TracedPacket for people and as JSON. Pure functions.
#pragma once

#include <string>

#include "control/json.h"
#include "control/packet_tracer.h"

namespace rampart {

std::string traced_packet_text(const TracedPacket& packet, const Ruleset& ruleset);
Json traced_packet_json(const TracedPacket& packet, const Ruleset& ruleset);

// "tcp 10.0.0.2:4000 > 192.0.2.1:22", "icmp 10.0.0.2 > 192.0.2.1 type 8 code 0".
std::string tuple_line(const Tuple& tuple);

// The whole command, for those who have a snapshot. `words`: KEY=VALUE...
struct PacketTestOutput {
    bool is_good = false;
    std::string text;  // or what is wrong with the question
    Json json;
};
PacketTestOutput test_packet(const Snapshot& snapshot, const std::vector<std::string>& words,
                             uint64_t wall_ns, bool explain);
// The options of the command, for its help.
std::string packet_test_help();

}  // namespace rampart
