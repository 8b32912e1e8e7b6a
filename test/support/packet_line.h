// parse_packet_line(): one frame, written on one line, becomes a FrameSpec.
//
//   tcp 10.0.0.2:4000 > 192.0.2.1:80 SA seq 5000 ack 1001 opt mss=1460,wscale=7
//   icmp 192.0.2.9 > 10.0.0.2 error 3/3 about udp 10.0.0.2:4000 > 192.0.2.1:53
//
// The whole grammar stands in test/scenario/README.md. Throws std::runtime_error with a sentence
// about what it could not read; test code only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/frame.h"

namespace rampart::test {

FrameSpec parse_packet_line(std::string_view line);
// The frame, in one go.
Bytes frame_of(std::string_view line);

// The words of a line, separated by blanks.
std::vector<std::string> words_of(std::string_view line);

struct IcmpName {
    std::string_view name;
    uint8_t type4;
    uint8_t type6;
};
// Names that both families share; the printer uses them too.
inline constexpr IcmpName kIcmpNames[] = {{"echo-request", 8, 128}, {"echo-reply", 0, 129}};

}  // namespace rampart::test
