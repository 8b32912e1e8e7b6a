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

// Where lines begin in one direction, by sequence number: after the last two newlines.
struct LineStarts {
    uint32_t at[2];
    uint32_t count;
};

// The last announcement of the connection, to know its retransmission.
struct Announcement {
    uint32_t sequence;
    be16 port, mapped_port;
    uint8_t is_set;
    uint8_t direction;
};

struct FtpState {
    LineStarts lines[2];
    StreamOpening opening[2];
    Announcement announced;
};

struct IrcState {
    LineStarts lines;  // of the client
    StreamOpening opening;
    Announcement announced;
};

// Where the messages of one direction of a SIP stream begin, by their Content-Length (RFC 3261,
// 18.3).
struct SipFraming {
    uint32_t next_sequence;  // the end of what was followed
    uint32_t starts[2];      // where messages began, the last two
    uint16_t start_count;
    uint16_t body_left;  // bytes of the current body that are still to come
    uint16_t content_length;
    uint8_t has_begun;
    uint8_t phase;        // SipPhase
    uint8_t line_length;  // of the current line, up to what `line` takes
    char line[27];        // its beginning
};

struct SipState {
    uint32_t invite_cseq;
    uint32_t register_cseq;
    uint32_t is_sip;  // UDP: a datagram was SIP
    SipFraming framing[2];
};

struct PptpState {
    uint8_t session;                // of the control connection, and ...
    uint8_t call;                   // ... of its last call: PptpSession, PptpCall
    be16 pns_call_id, pac_call_id;  // as the PAC knows them
    be16 pns_original_call_id;      // as the PNS does
};

struct HelperState {
    HelperState() noexcept : sip() {}

    SequenceAdjust adjust{};
    union {
        SipState sip;  // the largest: all are zero at first
        FtpState ftp;
        PptpState pptp;
        IrcState irc;
    };
};
static_assert(sizeof(HelperState) <= 192);
static_assert(sizeof(SipState) >= sizeof(FtpState) && sizeof(SipState) >= sizeof(PptpState) &&
              sizeof(SipState) >= sizeof(IrcState));

}  // namespace rampart
