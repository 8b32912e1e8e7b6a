// HelperState: what a helper remembers about a connection, with the sequence numbers it shifts.
//
// The core keeps one per flow with a helper, zero at first. Plain data; owner: the flow's worker.
#pragma once

#include <cstdint>

#include "base/endian.h"
#include "conntrack/sequence_adjust.h"

namespace rampart {

// The first bytes of one direction, until it is clear whether they are of the helper's protocol.
struct StreamOpening {
    uint32_t next_sequence;
    uint8_t count;
    uint8_t is_settled;
    char bytes[6];
};

struct FtpState {
    uint32_t after_newline[2][2];  // sequence numbers at which lines begin, two of each direction
    uint8_t newline_count[2];
    uint8_t has_announced;  // the three below
    uint8_t announced_direction;
    uint32_t announced_sequence;  // of the last announcement
    be16 announced_port, mapped_port;
    StreamOpening opening[2];
};

// Where the messages of a SIP stream begin, by their Content-Length (RFC 3261, 18.3).
struct SipFraming {
    uint32_t next_sequence;  // that the next segment must have
    uint32_t body_left;      // bytes of the current body that are still to come
    uint32_t content_length;
    uint8_t has_begun;
    uint8_t phase;        // SipPhase
    uint8_t line_length;  // bytes of the current line, up to what `line` takes
    char line[21];        // its beginning
};

struct SipState {
    uint32_t invite_cseq;
    uint32_t register_cseq;
    uint16_t forced_port;  // host order; of the Via of a request that came from another port
    uint8_t is_sip;        // UDP: its first datagram was SIP
    uint8_t pad;
    SipFraming framing[2];
};

struct PptpState {
    uint8_t session;  // of the control connection
    uint8_t call;
    be16 pns_call_id, pac_call_id;  // as the other side sees them
    be16 pns_original_call_id, pac_original_call_id;
    uint8_t has_begun[2];
};

struct IrcState {
    StreamOpening opening;  // of the client
};

struct HelperState {
    SequenceAdjust adjust;
    union {
        FtpState ftp;
        SipState sip;
        PptpState pptp;
        IrcState irc;
    };
};
static_assert(sizeof(HelperState) <= 192);

}  // namespace rampart
