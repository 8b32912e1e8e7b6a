// TCP's state table: what each class of segment does in each state, for both directions.
//
// The same states, numbers and transitions as netfilter (nf_conntrack_proto_tcp.c), which models
// the connection as a box in the middle sees it. Directions are those of the flow, not of whoever
// closes. Constants, any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "conntrack/flow.h"

namespace rampart {

enum class TcpState : uint8_t {
    None,
    SynSent,
    SynRecv,
    Established,
    FinWait,
    CloseWait,
    LastAck,
    TimeWait,
    Close,
    SynSent2,
    // Not states but answers of the table:
    Ignore,
    Invalid,
};
inline constexpr unsigned kTcpStateCount = 10;
inline constexpr unsigned kTcpClassCount = 6;

inline constexpr std::string_view kTcpStateNames[kTcpStateCount] = {
    "NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
    "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2"};

extern const TcpState kTcpTable[2][kTcpClassCount][kTcpStateCount];
inline TcpState next_tcp_state(Direction direction, TcpClass tcp_class, TcpState state) noexcept {
    return kTcpTable[static_cast<unsigned>(direction)][static_cast<unsigned>(tcp_class)]
                    [static_cast<unsigned>(state)];
}

}  // namespace rampart
