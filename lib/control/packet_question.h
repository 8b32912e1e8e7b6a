// PacketQuestion: a made-up packet, as `rampartctl test` is asked about it.
//
// Written in the words of rules, "in=lan proto=tcp src=10.0.0.2 dst=192.0.2.1 dport=22", it becomes
// a real frame, so that the production parser and the production rules judge it. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "conntrack/ct_class.h"
#include "rules/names.h"

namespace rampart {

struct PacketQuestion {
    InterfaceIndex in = kNoInterface;
    InterfaceIndex out = kNoInterface;  // kNoInterface: where the bridge leads
    std::vector<uint8_t> frame;         // its headers
    uint32_t frame_length = 0;          // what it claims to be
    std::optional<CtClass> state;       // none: that of a first packet
    Direction direction = Direction::Original;
    bool is_datagram = false;  // was put together from fragments
    uint32_t mark = 0;
    uint32_t ct_mark = 0;
    uint16_t ct_status = 0;           // flow_status, besides what `state` implies
    std::optional<uint64_t> wall_ns;  // none: now
};

struct QuestionKey {
    std::string_view name;
    std::string_view help;
};
// Every word that may stand before a '='.
std::vector<QuestionKey> question_keys();

Result<PacketQuestion> parse_question(const std::vector<std::string>& words, const Names& names);

}  // namespace rampart
