// What FTP and IRC have in common: lines in a TCP stream of which single segments are seen.
//
// A segment may be read as a command only where a line is known to begin, and only in a stream that
// began as one of the protocol (attackers make browsers and servers send what looks like a command
// in the middle of something else). Owner: the flow's worker. Nothing allocates.
#pragma once

#include <cstdint>
#include <string_view>

#include "conntrack/helpers/helper.h"

namespace rampart {

// Where lines begin. As Linux's FTP helper, a stream keeps two places, so that a retransmission of
// the last line is read again, and its very first line is not known to begin one.
bool begins_line(const LineStarts& lines, uint32_t sequence) noexcept;
void note_line_start(LineStarts& lines, uint32_t sequence) noexcept;

enum class StreamKind : uint8_t { Undecided, Ours, Foreign };

// Adds a segment to the stream's opening and asks `judge` about it until that knows.
StreamKind judge_opening(StreamOpening& opening, uint32_t sequence, std::string_view payload,
                         StreamKind (*judge)(std::string_view begin)) noexcept;

// A copy of the segment with the last announcement, which must be rewritten however late it comes.
bool is_announced_again(const Announcement& announced, const HelperInput& input) noexcept;
// An announced port, and what the other side is told instead. False: the same segment announced
// another port before; the first copy stands.
bool is_consistent(const Announcement& announced, const HelperInput& input, be16 port) noexcept;
// Where the search for a free port begins: what a first copy of the segment was given.
uint16_t preferred_port(const Announcement& announced, const HelperInput& input,
                        be16 port) noexcept;

// An expectation of the other side's connection to `port` of the sender of this packet; translated
// if the master is ("follow master"). The other side's address is the source.
Expectation expect_from_peer(const HelperInput& input, uint8_t protocol, be16 port,
                             Tick deadline) noexcept;

// Registers it on its own port or, if that is taken and the master is translated, on one of up to
// 128 random ones above it. 0: none, with the reason in `drop`. As nf_nat_exp_find_port().
uint16_t expect_on_free_port(Expectation& expectation, uint16_t preferred, bool may_move,
                             HelperHost& host, HelperDrop& drop) noexcept;

}  // namespace rampart
