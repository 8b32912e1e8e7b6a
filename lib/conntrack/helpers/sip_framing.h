// Where SIP messages begin in a TCP stream of which single segments are seen (RFC 3261, 18.3).
//
// Every byte is followed in order, headers for their Content-Length and bodies for their end, so
// that only what is a message to its receiver is read as one. Owner: the flow's worker.
#pragma once

#include <cstdint>
#include <string_view>

#include "conntrack/helpers/helper_state.h"

namespace rampart {

enum class SipSegment : uint8_t {
    Message,     // a message begins with the segment
    Inside,      // it begins within one, or was seen before
    OutOfOrder,  // bytes before it are missing
    Foreign      // this is no SIP, or its messages cannot be told apart
};

SipSegment follow(SipFraming& framing, uint32_t sequence, std::string_view payload) noexcept;

}  // namespace rampart
