// Helper: the parser that finds out which connections a protocol announces on another one.
//
// A helper is one file in conntrack/helpers/ that defines one Helper, plus a line in registry.cc.
// Rules attach it to a flow by name (helper_names.h). It sees every packet of the flow with a
// payload, both directions, RELATED replies aside, after the rules and after the headers were
// translated, but before sequence numbers are adjusted. It writes only the flow's HelperState; all
// else it asks of its HelperHost, which the packet path implements. Pure code: no clock, no
// allocation, bounded time in the payload's length.
//
// Per packet the packet path does: inspect() -> apply the edits -> record_change() if TCP's
// payload grew or shrank -> adjust() if there is anything to adjust -> confirm.
//
// Source: Linux, nf_conntrack_helper.c and the helpers themselves. Where ours are stricter is told
// in docs/helpers.md.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "conntrack/expectation.h"
#include "conntrack/expectation_table.h"
#include "conntrack/helper_names.h"
#include "conntrack/helpers/helper_state.h"

namespace rampart {

// Why a helper wants a packet dropped.
enum class HelperDrop : uint8_t {
    None,
    Incomplete,   // an announcement that is cut: its sender will send it whole
    Malformed,    // an announcement that cannot be read
    Conflict,     // another announcement in the place of one that was already seen
    OutOfOrder,   // a part of a stream is missing before it; it will come again
    NoPort,       // no port is left for what is announced
    NoRoom,       // the expectation cannot be kept: too many
    NotRewritten  // the rewritten payload does not fit
};
std::string_view to_string(HelperDrop reason) noexcept;

struct HelperVerdict {
    HelperDrop drop = HelperDrop::None;  // None: the packet passes
    bool detach = false;                 // the helper is not asked about this flow any more

    static constexpr HelperVerdict accept() noexcept { return {}; }
    static constexpr HelperVerdict dropped(HelperDrop reason) noexcept { return {reason, false}; }
    // The packet passes; nothing new is expected from this connection.
    static constexpr HelperVerdict detached() noexcept { return {HelperDrop::None, true}; }
    // Of an announcement, when this became of what it announces.
    static constexpr HelperVerdict of(ExpectOutcome outcome) noexcept {
        if (outcome == ExpectOutcome::Added || outcome == ExpectOutcome::Already) return accept();
        return dropped(outcome == ExpectOutcome::Busy ? HelperDrop::NoPort : HelperDrop::NoRoom);
    }
    bool is_drop() const noexcept { return drop != HelperDrop::None; }
};

struct HelperInput {
    std::span<const uint8_t> payload;  // after the TCP or UDP header, in one piece, not empty
    const Tuple& original;             // of the flow
    const Tuple& reply;                // its inverse unless the flow is translated
    Direction direction = Direction::Original;
    bool is_established = false;  // class ESTABLISHED: not the first packets of one side
    bool is_translated = false;   // SRC_NAT or DST_NAT
    bool is_expected = false;     // EXPECTED: the flow itself was announced on another one
    uint32_t sequence = 0;        // TCP: of payload[0], as its sender numbers it
    HelperState& state;

    const Tuple& tuple(Direction which) const noexcept {
        return which == Direction::Original ? original : reply;
    }
    // As the packet arrived, and as what it is answered with arrives: before and after translation,
    // the sender is own().src and other().dst, the receiver own().dst and other().src.
    const Tuple& own() const noexcept { return tuple(direction); }
    const Tuple& other() const noexcept { return tuple(opposite(direction)); }
};

// What helpers may ask for. Implemented by the packet path, and by a fake in tests.
class HelperHost {
  public:
    virtual ~HelperHost() = default;

    virtual Tick now() const noexcept = 0;
    virtual uint32_t random() noexcept = 0;
    // All or none. The helper fills tuple (but for its zone), flags, deadline, class, direction,
    // group and translation; the host adds zone, master and helper, and knows the class's limit.
    virtual ExpectOutcome expect(std::span<Expectation> expectations,
                                 bool shares_masters = false) noexcept = 0;
    // Of this flow: those whose class is in `classes` (1 << class), matched ones aside.
    virtual void forget_expectations(uint32_t classes) noexcept = 0;
    // See ExpectationTable::activate.
    virtual bool activate(uint8_t flow_class, const Tuple& destination, Tick deadline) noexcept = 0;
    // In the payload as it arrived. False: no room; the packet must be dropped.
    virtual bool replace(uint32_t offset, uint32_t length, std::string_view text) noexcept = 0;
    // The flow lives at least so long from now.
    virtual void set_timeout(Tick timeout) noexcept = 0;
    // PPTP: GRE packets of these addresses and call id have this source key.
    virtual bool map_gre_key(const Tuple& tuple) noexcept = 0;
    virtual void forget_gre_keys() noexcept = 0;
    // PPTP: the call with this original tuple is over, if it ever began.
    virtual void end_flow(const Tuple& original) noexcept = 0;
};

// A kind of connection that a helper expects.
struct ExpectClass {
    std::string_view name;
    uint8_t limit;  // expectations per master at a time
    uint16_t timeout_s;
};

struct Helper {
    std::string_view name;
    uint8_t number;             // helper_number
    bool takes_tcp, takes_udp;  // control connections
    bool takes_ipv6;            // all take IPv4
    std::span<const ExpectClass> classes;
    HelperVerdict (*inspect)(HelperInput& input, HelperHost& host) noexcept;
};

// Null when there is no such helper.
const Helper* helper_of(uint8_t number) noexcept;
std::span<const Helper* const> helpers() noexcept;

}  // namespace rampart
