// SCTP's state table: what each chunk does in each state, for both directions.
//
// The same states, numbers and transitions as netfilter (nf_conntrack_proto_sctp.c): states of the
// association as a box in the middle sees it, not of an endpoint (RFC 9260, 4). Directions are
// those of the flow. Constants, any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "conntrack/ct_class.h"

namespace rampart {

enum class SctpState : uint8_t {
    None,
    Closed,        // also: an INIT was seen
    CookieWait,    // INIT ACK seen
    CookieEchoed,  // COOKIE ECHO seen
    Established,   // COOKIE ACK seen, or a heartbeat was answered
    ShutdownSent,  // SHUTDOWN in the original direction
    ShutdownRecd,  // SHUTDOWN in the reply direction
    ShutdownAckSent,
    HeartbeatSent,  // the flow began with a HEARTBEAT: a further path of an association
    Invalid,        // not a state but an answer of the table
};
inline constexpr unsigned kSctpStateCount = 9;

inline constexpr std::string_view kSctpStateNames[kSctpStateCount] = {
    "NONE",          "CLOSED",        "COOKIE_WAIT",       "COOKIE_ECHOED",  "ESTABLISHED",
    "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT",
};

// The chunk types that matter here; those before Data have a row in the table.
enum class SctpChunkType : uint8_t {
    Init,
    InitAck,
    Abort,
    Shutdown,
    ShutdownAck,
    Error,
    CookieEcho,
    CookieAck,
    ShutdownComplete,
    Heartbeat,
    HeartbeatAck,
    Data,
    Other,
};
inline constexpr unsigned kSctpRowCount = 11;

// By the number on the wire (RFC 9260, 3.2).
constexpr SctpChunkType sctp_chunk_type(uint8_t number) noexcept {
    constexpr SctpChunkType kTypes[] = {
        SctpChunkType::Data,
        SctpChunkType::Init,
        SctpChunkType::InitAck,
        SctpChunkType::Other,  // SACK
        SctpChunkType::Heartbeat,
        SctpChunkType::HeartbeatAck,
        SctpChunkType::Abort,
        SctpChunkType::Shutdown,
        SctpChunkType::ShutdownAck,
        SctpChunkType::Error,
        SctpChunkType::CookieEcho,
        SctpChunkType::CookieAck,
        SctpChunkType::Other,  // ECNE
        SctpChunkType::Other,  // CWR
        SctpChunkType::ShutdownComplete,
    };
    return number < sizeof(kTypes) ? kTypes[number] : SctpChunkType::Other;
}

SctpState next_sctp_state(Direction direction, SctpChunkType type, SctpState state) noexcept;

}  // namespace rampart
