// Expectation: a connection that a helper heard announced on another one, its master.
//
// The first packet that matches starts a RELATED connection (netfilter's nf_conntrack_expect):
// family, protocol, zone, destination address and port must be equal; source address and port
// either equal or of any value. Exact, bounded, short-lived; it ends with its master.
// Value type. Source: Linux, nf_conntrack_expect.c, nf_nat_helper.c, nf_nat_sip.c, nf_nat_pptp.c.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "conntrack/flow.h"
#include "packet/tuple.h"

namespace rampart {

namespace expectation_flag {
// Netfilter's numbers.
inline constexpr uint8_t kPermanent = 1;  // stays when it is matched
inline constexpr uint8_t kInactive = 2;   // matches nothing yet
// Ours.
inline constexpr uint8_t kAnySource = 0x10, kAnySourcePort = 0x20;
// The child goes where its master goes: `translation` holds. Without it the chains of `nat` are
// asked for the child as for any first packet.
inline constexpr uint8_t kTranslated = 0x40;
}  // namespace expectation_flag

// Addresses and ports that the child gets, in its original direction.
struct ChildTranslation {
    AddressBytes source{};       // becomes its source
    AddressBytes destination{};  // becomes its destination
    be16 source_port{};          // 0: kept, or searched for
    be16 destination_port{};     // 0: kept
    // The source becomes `source` only if it is this one (SIP); all zero: whatever it is.
    AddressBytes only_source{};
    // The source is that of another expectation of the master if one leads back to it (SIP).
    bool is_paired = false;
    uint8_t pad[3]{};
};

struct Expectation {
    Tuple tuple;            // as the child's first packet arrives; in the master's zone
    Tuple master_original;  // for listings
    FlowIndex master = kNoFlow;
    uint32_t master_serial = 0;  // FlowInfo::serial
    Tick deadline = 0;
    uint8_t helper = 0;                         // helper_number, of the master
    uint8_t flow_class = 0;                     // index into Helper::classes
    uint8_t flags = 0;                          // expectation_flag
    uint8_t child_helper = 0;                   // that the child gets; 0: none
    Direction direction = Direction::Original;  // of the master, in which the child goes
    // When one of a group is matched, the others of its master end, too; 0: in no group.
    uint8_t group = 0;
    uint8_t pad[2]{};
    uint32_t id = 0;  // set by the table; for listings, and to tell incarnations apart
    ChildTranslation translation;

    bool has(uint8_t flag) const noexcept { return (flags & flag) != 0; }
    // `flags`, deadline and master aside.
    bool matches(const Tuple& packet) const noexcept;
    // Some packet would match both.
    bool overlaps(const Expectation& other) const noexcept;
    // Exactly the same packets match both.
    bool is_same(const Expectation& other) const noexcept;
    // Their children go to the same address and port, or both are not translated.
    bool leads_where(const Expectation& other) const noexcept;
};
static_assert(sizeof(Expectation) % 8 == 0, "it is kept in a SeqCell");

}  // namespace rampart
