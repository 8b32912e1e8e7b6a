// Verdict: what becomes of a packet. Every packet gets exactly one, and every Drop one DropReason.
#pragma once

#include <cstdint>

namespace rampart {

enum class Verdict : uint8_t {
    Pending,   // not decided yet; never leaves the pipeline
    Forward,   // goes out of Packet::out_port
    Drop,      // freed and counted under its DropReason
    Consumed,  // handed to the worker that owns its flow or datagram
    Deliver,   // goes to the kernel twin of its port
    Held,      // kept until fragments or a neighbour come; the mbuf is no longer the burst's
};

// What a rule asks to be sent back with a reject. Meaning as in netfilter's REJECT.
enum class RejectWith : uint8_t {
    None,
    Default,  // tcp-reset for TCP, port-unreachable otherwise
    TcpReset,
    PortUnreachable,
    HostUnreachable,
    NetUnreachable,
    AdminProhibited,
    ProtoUnreachable,
    NetProhibited,
    HostProhibited,
    PolicyFail,
    RejectRoute,
};

}  // namespace rampart
