// What a replay tells: a line for each packet, the counts at the end.
//
// Text for people, JSON lines for programs; the words are those of `rampartctl`. Pure functions but
// for Summary, which adds up. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "control/json.h"
#include "replay.h"

namespace rampart {

// One packet of the file, with what became of it.
struct PacketReport {
    uint64_t number;         // from 1
    int64_t since_first_ns;  // negative when it is older than the first one
    int64_t time_ns;         // since 1970
    InterfaceIndex in_port;
    const Outcome& outcome;
};

// Without a newline.
//   1 0.000000000 inside > outside new, rule web-out fw.yaml:12
//   2 0.000021000 outside drop policy new, policy of forward
//   3 0.000042000 inside reject new, rule no-telnet fw.yaml:9, answered
std::string to_text(const PacketReport& report, const Names& names);
Json to_json(const PacketReport& report, const Names& names);

struct Summary {
    uint64_t packets = 0;
    uint64_t forwarded = 0;
    uint64_t held = 0;  // fragments: the one that completes its datagram counts for all
    uint64_t replies = 0;
    uint64_t truncated = 0;  // by the capture
    uint64_t backwards = 0;  // older than the packet before
    std::array<uint64_t, kDropReasonCount> drops{};

    void add(const Outcome& outcome) noexcept;
    std::string to_text() const;  // lines
};

}  // namespace rampart
