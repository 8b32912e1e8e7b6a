// Flow: one connection, as the worker that owns it sees it per packet.
//
//   line 0   key, deadline, status, tracker state, cached verdicts    every packet
//   line 1   TCP windows, or SCTP verification tags; the master       TCP, SCTP, expected flows
//   FlowAccounting (another array, same index)   packets and bytes    every packet, if they count
//   FlowRecord (another array, same index)       birth, order of age  set-up, listings
//
// Flows live in the arrays of a FlowTable and never move; a FlowIndex names one while it is
// confirmed. Only the owning worker writes. Control reads the fields tagged so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/clock.h"
#include "base/shared.h"
#include "conntrack/ct_class.h"
#include "conntrack/flow_ties.h"
#include "conntrack/stored_key.h"
#include "packet/tuple.h"

namespace rampart {

using FlowIndex = uint32_t;
inline constexpr FlowIndex kNoFlow = 0x7fffffff;

// Index and direction in one word: what the hash stores and a burst carries. In the hash the
// direction is that of packets whose key is not swapped.
class FlowRef {
  public:
    constexpr FlowRef() noexcept = default;
    constexpr FlowRef(FlowIndex index, Direction direction) noexcept
        : raw_(index << 1 | static_cast<uint32_t>(direction)) {}
    static constexpr FlowRef from_raw(uint32_t raw) noexcept {
        FlowRef ref;
        ref.raw_ = raw;
        return ref;
    }
    constexpr uint32_t raw() const noexcept { return raw_; }
    constexpr FlowIndex index() const noexcept { return raw_ >> 1; }
    constexpr Direction direction() const noexcept { return static_cast<Direction>(raw_ & 1); }
    constexpr bool is_none() const noexcept { return index() == kNoFlow; }

  private:
    uint32_t raw_ = kNoFlow << 1;
};

// Netfilter's status bits, with its numbers.
namespace flow_status {
inline constexpr uint16_t kExpected = 1 << 0, kSeenReply = 1 << 1, kAssured = 1 << 2,
                          kConfirmed = 1 << 3, kSrcNat = 1 << 4, kDstNat = 1 << 5, kDying = 1 << 9,
                          kFixedTimeout = 1 << 10, kHelper = 1 << 13;
// Ours, never listed: the flow's FlowAccounting is valid; a rule set the flow's timeout.
inline constexpr uint16_t kCounted = 1 << 14, kRuleTimeout = 1 << 15;

constexpr bool is_translated(uint16_t status) noexcept {
    return (status & (kSrcNat | kDstNat)) != 0;
}
}  // namespace flow_status

// One side of a TCP connection: what it sent and what its peer lets it send. Worker only.
struct TcpSide {
    uint32_t end = 0;      // highest sequence number sent, plus one
    uint32_t max_end = 0;  // highest sequence number the peer's window permits
    uint32_t max_win = 0;  // largest window it announced, scaled; 0: nothing seen from it yet
    uint32_t max_ack = 0;  // highest acknowledgement it sent; valid with kMaxAckSet
};

namespace tcp_side {
inline constexpr uint8_t kWindowScale = 1, kSackPermitted = 2, kCloseInit = 4, kBeLiberal = 8,
                         kUnacked = 0x10, kMaxAckSet = 0x20;
}

namespace tcp_last {
inline constexpr uint8_t kExpectChallengeAck = 0x40, kSimultaneousOpen = 0x80;
}

enum class TcpClass : uint8_t { Syn, SynAck, Fin, Ack, Rst, None };

// The last packet of a flow that was accepted, or ignored by the state table.
struct TcpLast {
    uint32_t ack = 0;
    uint32_t seq = 0;
    uint32_t end = 0;
    uint16_t win = 0;  // not scaled
    TcpClass tcp_class = TcpClass::None;
    Direction direction = Direction::Original;
};

// TCP's per-flow data (netfilter's struct ip_ct_tcp). Worker only.
struct TcpFlow {
    TcpSide side[2];
    uint8_t scale[2]{};  // window shift of each side
    uint8_t flags[2]{};  // tcp_side
    TcpLast last;
    uint8_t last_scale = 0;
    uint8_t last_flags = 0;  // tcp_side of an ignored SYN, and tcp_last
    uint8_t retrans = 0;     // identical ACKs in a row
    uint8_t reserved = 0;    // no byte without a value: flows are compared as bytes
};
static_assert(std::has_unique_object_representations_v<TcpFlow>);

// SCTP's per-flow data (netfilter's struct ip_ct_sctp). Worker only. Indexed by direction. Without
// initialisers, because it shares a union; SctpFlow{} is all zero.
struct SctpFlow {
    uint32_t tag[2];         // verification tag that its packets must carry; 0: not known
    bool has_init[2];        // sent an INIT that is not settled yet
    bool has_odd_heartbeat;  // the last HEARTBEAT carried another tag
    Direction odd_direction;
};

inline constexpr uint32_t kNotCached = UINT32_MAX;  // the rules' kNoPath

struct alignas(64) Flow {
    StoredKey key;               // worker: rw, control: ro
    Shared<Tick> deadline;       // worker: rw, control: ro; expired from this tick on
    Tick check_at = 0;           // worker only; copy of the table's sweep deadline, never later
    Tick created = 0;            // worker only
    uint32_t generation = 0;     // worker only; that the rules judged it by last
    Shared<uint16_t> status;     // worker: rw, control: ro; flow_status
    uint8_t path_class = 0;      // worker only; CtClass that path[0] was cached for
    Shared<uint8_t> state;       // worker: rw, control: ro; number of the tracker's state
    uint32_t path[2]{};          // worker only; PathId per direction, or kNotCached
    Shared<uint8_t> in_port[2];  // worker: rw, control: ro; that each cached path is for
    uint8_t out_port[2]{};       // worker only; where that direction leaves
    FlowTies ties;               // worker: rw, control: some
    Shared<uint32_t> mark;       // worker: rw, control: ro; what rules remember about the flow
    Tick rule_timeout = 0;       // worker only; valid with kRuleTimeout

    // The second line. What is here the tracker, or whoever sets kExpected, makes valid: most flows
    // of UDP never touch it.
    union {  // worker only; by protocol
        TcpFlow tcp{};
        SctpFlow sctp;
    };
    FlowMaster master;  // worker: rw, control: ro

    bool has(uint16_t bits) const noexcept { return (status.load() & bits) == bits; }
    bool is_translated() const noexcept { return flow_status::is_translated(status.load()); }
    // Where a rule has `ct_status`, cached verdicts go with a changed status: whoever notes it must
    // see to that.
    void note_status(uint16_t bits) noexcept {
        status.store(static_cast<uint16_t>(status.load() | bits));
    }
    void set_status(uint16_t bits) noexcept {
        note_status(bits);
        forget_verdicts();
    }
    // The generation stays: the flow was judged by these rules, and passed.
    void forget_verdicts() noexcept { path[0] = path[1] = kNotCached; }
};
static_assert(sizeof(Flow) == 128);
static_assert(offsetof(Flow, tcp) == 64);
static_assert(sizeof(TcpFlow) <= 56 && sizeof(SctpFlow) <= 56, "eight bytes are left for others");

// What passed in each direction, with conntrack.accounting; valid with kCounted. Same index.
struct FlowAccounting {
    Shared<uint64_t> packets[2];  // worker: rw, control: ro
    Shared<uint64_t> bytes[2];    // worker: rw, control: ro; IP lengths
};
// A copy of that.
struct FlowTraffic {
    uint64_t packets[2]{};
    uint64_t bytes[2]{};
};
// `own` is that of `flow`.
inline void count_traffic(Flow& flow, FlowAccounting& own, Direction direction,
                          uint16_t ip_length) noexcept {
    if (!flow.has(flow_status::kCounted)) [[unlikely]] {
        for (const unsigned each : {0u, 1u}) {
            own.packets[each].store(0);
            own.bytes[each].store(0);
        }
        std::atomic_thread_fence(std::memory_order_release);
        flow.note_status(flow_status::kCounted);
    }
    const auto side = static_cast<unsigned>(direction);
    own.packets[side].add(1);
    own.bytes[side].add(ip_length);
}

}  // namespace rampart
