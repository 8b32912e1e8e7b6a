// parse: bytes -> Packet, with checksums verified once, by the NIC or here.
#include <algorithm>

#include <rte_mbuf.h>

#include "base/prefetch.h"
#include "conntrack/tracker.h"
#include "dataplane/helper_flows.h"
#include "dataplane/stages.h"
#include "dataplane/transport_checksum.h"
#include "packet/fragment.h"
#include "packet/parse_common.h"
#include "packet/parse_fragment.h"
#include "packet/parser.h"

namespace rampart {
namespace {

constexpr uint32_t kPrefetchAhead = 4;
constexpr uint64_t kChecksumsByNic = RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK;
constexpr uint64_t kBothAreGood = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;

// The headers of a packet in several segments must be readable in one piece: bytes are moved from
// the later segments to the first until it holds `wanted`. Returns the bytes readable in the first.
uint32_t pull_headers(rte_mbuf* mbuf, uint32_t wanted) noexcept {
    wanted = std::min(mbuf->pkt_len, wanted);
    while (mbuf->data_len < wanted && mbuf->next != nullptr) {
        rte_mbuf* next = mbuf->next;
        const uint32_t bytes = std::min({wanted - mbuf->data_len, uint32_t{next->data_len},
                                         uint32_t{rte_pktmbuf_tailroom(mbuf)}});
        std::copy_n(rte_pktmbuf_mtod(next, const uint8_t*), bytes,
                    rte_pktmbuf_mtod(mbuf, uint8_t*) + mbuf->data_len);
        mbuf->data_len = static_cast<uint16_t>(mbuf->data_len + bytes);
        next->data_off = static_cast<uint16_t>(next->data_off + bytes);
        next->data_len = static_cast<uint16_t>(next->data_len - bytes);
        if (next->data_len == 0) {
            mbuf->next = next->next;
            --mbuf->nb_segs;
            rte_pktmbuf_free_seg(next);
        } else if (bytes == 0) {
            break;  // no room: the parser sees what there is
        }
    }
    return mbuf->data_len;
}

void verify_transport_checksum(const rte_mbuf* mbuf, Packet& packet) noexcept {
    if (has_good_transport_checksum(mbuf, packet)) return;
    packet.invalid = InvalidReason::Checksum;
    packet.is_icmp_error = false;
    packet.is_untracked_icmpv6 = false;
}

// Which interface a frame of a routed port came in by, or the kernel wants it to leave by.
bool find_interface(Burst& burst, uint32_t i, const WorkerContext& context) noexcept {
    Packet& packet = burst.packet[i];
    const InterfaceIndex port = packet.in_port;
    if (!context.is_routed(port)) return true;
    const InterfaceIndex interface = context.interface_of(port, packet.vlan_tci & 0x0fff);
    if (interface == kNoInterface) {
        burst.drop(i, DropReason::UnknownVlan);
        return false;
    }
    packet.in_port = interface;
    if (burst.from_kernel & bit(i)) {
        packet.in_port = kNoInterface;
        packet.out_port = interface;
    } else if (context.routing != nullptr &&
               !context.routing->is_own_mac(interface, packet.frame)) {
        burst.drop(i, DropReason::OtherHost);
        return false;
    }
    return true;
}

// On routed ports ARP and whatever else is not IP is between the kernel and the network; between
// the ports of a pair, what bridge.pass lists goes to the other side without connection tracking.
void pass_other_frame(Burst& burst, uint32_t i, const WorkerContext& context) noexcept {
    const Snapshot& snapshot = *context.snapshot;
    if (context.is_routed(burst.packet[i].in_port)) {
        const bool is_from_kernel = burst.packet[i].in_port == kNoInterface;
        burst.verdict[i] = is_from_kernel ? Verdict::Forward : Verdict::Deliver;
        return;
    }
    const LinkSettings& link = snapshot.link;
    const uint16_t type = burst.packet[i].ether_type;
    if (!link.pass_all && std::find(link.pass.begin(), link.pass.end(), type) == link.pass.end())
        return burst.drop(i, DropReason::EtherType);
    const InterfaceIndex peer =
        snapshot.ruleset.names.interfaces[burst.packet[i].in_port].bridge_peer;
    if (peer == kNoInterface) return burst.drop(i, DropReason::NoPeer);
    burst.packet[i].out_port = peer;
    burst.verdict[i] = Verdict::Forward;
}

// A packet of a PPTP call belongs to the call, whose other key its header does not tell.
void complete_gre_key(Packet& packet, const WorkerContext& context) noexcept {
    for (const HelperFlows* helpers : context.all_helpers) {
        if (helpers->gre_keys().count() == 0) continue;
        Tuple tuple = tuple_of(packet);
        if (helpers->gre_keys().complete(tuple)) return set_gre_key(packet, tuple.src_port);
    }
}

void sort_ip_packet(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    Packet& packet = burst.packet[i];
    // SCTP's chunks are headers all along; the tracker reads those in the first segment.
    if (packet.protocol == ip_protocol::kSctp && burst.mbuf[i]->next != nullptr)
        packet.frame_contiguous = static_cast<uint16_t>(std::min(
            pull_headers(burst.mbuf[i], packet.l4_offset + uint32_t{packet.l4_length}), 0xffffu));
    // What the box sends is as it made it (netfilter checks what comes in, and no more).
    if (packet.invalid == InvalidReason::None && context.snapshot->conntrack.checksum &&
        packet.in_port != kNoInterface)
        verify_transport_checksum(burst.mbuf[i], packet);
    if (packet.invalid != InvalidReason::None) {
        burst.ct_class[i] = CtClass::Invalid;
        burst.flowless |= bit(i);
    } else if (is_never_tracked(packet, context.snapshot->conntrack)) {
        burst.ct_class[i] = CtClass::Untracked;
        burst.flowless |= bit(i);
    } else {
        if (packet.protocol == ip_protocol::kGre && context.helpers != nullptr)
            complete_gre_key(packet, context);
        (packet.family == Family::Ipv4 ? burst.keys4 : burst.keys6).add(i, packet);
    }
}

// A fragment waits for the others. A first fragment of IPv6 that does not hold the whole header
// chain is no longer a part of anything: it is INVALID by itself.
void sort_fragment(Burst& burst, uint32_t i) noexcept {
    Packet& packet = burst.packet[i];
    if (packet.family == Family::Ipv6 && read_fragment(packet).offset == 0 &&
        !has_whole_header_chain(packet)) {
        packet.invalid = InvalidReason::FragmentHeader;
        burst.ct_class[i] = CtClass::Invalid;
        burst.flowless |= bit(i);
    } else {
        burst.fragments |= bit(i);
    }
}

void prefetch_frame(const Burst& burst, uint32_t i) noexcept {
    if (i < burst.count) prefetch_to_read(rte_pktmbuf_mtod(burst.mbuf[i], const void*));
}

// Where the frames of a burst came in that carry no tag, by port: most have the same destination.
class KnownArrivals {
  public:
    // False: the frame is not for the box.
    bool find(Burst& burst, uint32_t i, const WorkerContext& context) noexcept {
        Packet& packet = burst.packet[i];
        const InterfaceIndex port = packet.in_port;
        const uint64_t mac = load<uint64_t>(packet.frame) << 16;
        Known& known = known_[port % kPorts];
        if (known.mac_and_port == (mac | port)) [[likely]] {
            packet.in_port = known.interface;
            return true;
        }
        if (!find_interface(burst, i, context)) return false;
        known = {mac | port, packet.in_port};
        return true;
    }

  private:
    static constexpr uint32_t kPorts = 4;
    struct Known {
        uint64_t mac_and_port = 0x100;  // no port has this number
        InterfaceIndex interface = kNoInterface;
    };
    Known known_[kPorts];
};

template <Family kFamily>
bool parse_usual_packet(Packet& packet, const rte_mbuf* mbuf, bool verifies) noexcept {
    constexpr bool kIsIpv4 = kFamily == Family::Ipv4;
    constexpr uint64_t kLooked = kIsIpv4 ? kChecksumsByNic : RTE_MBUF_F_RX_L4_CKSUM_MASK;
    if (mbuf->nb_segs != 1) return false;
    uint8_t* frame = rte_pktmbuf_mtod(mbuf, uint8_t*);
    const uint32_t length = mbuf->data_len;
    const bool is_verified = (mbuf->ol_flags & kLooked) == (kBothAreGood & kLooked);
    if constexpr (kIsIpv4) {
        if (!parse_common4(packet, frame, length, length, !is_verified)) return false;
    } else if (!parse_common6(packet, frame, length, length)) {
        return false;
    }
    return !verifies || is_verified || has_good_checksum_at_once<kFamily>(packet);
}

// The usual packets of one family from `first` on, up to one that is none; returns that one, of
// which nothing was decided. A function of its own, and small, because a loop that can do
// everything has no registers to spare.
template <Family kFamily, bool kIsBridge>
[[gnu::noinline]] uint32_t parse_usual(Burst& burst, uint32_t first, const WorkerContext& context,
                                       bool verifies, KnownArrivals& arrivals) noexcept {
    KeyBatch& keys = kFamily == Family::Ipv4 ? burst.keys4 : burst.keys6;
    uint32_t i = first, count = keys.count;
    for (; i < burst.count; ++i) {
        prefetch_frame(burst, i + kPrefetchAhead);
        Packet& packet = burst.packet[i];
        if (!parse_usual_packet<kFamily>(packet, burst.mbuf[i], verifies)) break;
        burst.frame_length[i] = burst.mbuf[i]->data_len;
        burst.flow[i] = FlowRef{};
        if (!kIsBridge && !arrivals.find(burst, i, context)) continue;
        keys.key[count] = &packet.key4;  // both families' keys begin there
        keys.position[count++] = static_cast<uint8_t>(i);
    }
    keys.count = count;
    return i;
}

// The same of fragments, which are left to the next stage.
template <bool kIsBridge>
[[gnu::noinline]] uint32_t parse_usual_fragments(Burst& burst, uint32_t first,
                                                 const WorkerContext& context,
                                                 KnownArrivals& arrivals) noexcept {
    PacketMask fragments = 0;
    uint32_t i = first;
    for (; i < burst.count; ++i) {
        prefetch_frame(burst, i + kPrefetchAhead);
        const rte_mbuf* mbuf = burst.mbuf[i];
        const uint32_t length = mbuf->data_len;
        const bool is_verified =
            (mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD;
        if (mbuf->nb_segs != 1 ||
            !parse_common_fragment4(burst.packet[i], rte_pktmbuf_mtod(mbuf, uint8_t*), length,
                                    length, !is_verified))
            break;
        burst.frame_length[i] = length;
        burst.flow[i] = FlowRef{};
        if (!kIsBridge && !arrivals.find(burst, i, context)) continue;
        fragments |= bit(i);
    }
    burst.fragments |= fragments;
    return i;
}

// All of these.
template <bool kIsBridge>
uint32_t parse_usual_run(Burst& burst, uint32_t first, const WorkerContext& context,
                         bool verifies) noexcept {
    KnownArrivals arrivals;
    for (uint32_t i = first;;) {
        i = parse_usual<Family::Ipv4, kIsBridge>(burst, i, context, verifies, arrivals);
        if (i == burst.count) return i;
        const uint32_t last4 = i;
        if (context.snapshot->conntrack.ipv6)
            i = parse_usual<Family::Ipv6, kIsBridge>(burst, i, context, verifies, arrivals);
        if (i == burst.count) return i;
        i = parse_usual_fragments<kIsBridge>(burst, i, context, arrivals);
        if (i == last4 || i == burst.count) return i;
    }
}

}  // namespace

void parse_packet(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    rte_mbuf* mbuf = burst.mbuf[i];
    burst.frame_length[i] = mbuf->pkt_len;
    const bool is_known = burst.arrived & bit(i);  // its fragments were looked at
    // The first fragment of a datagram holds UDP's header whole: it has at least eight bytes.
    const bool has_headers =
        mbuf->next == nullptr || (is_known && burst.packet[i].protocol == ip_protocol::kUdp);
    const uint32_t contiguous = has_headers ? mbuf->data_len : pull_headers(mbuf, kMaxHeaderBytes);
    const uint64_t ip_by_nic = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    const ParseOutcome outcome =
        parse_frame(burst.packet[i], rte_pktmbuf_mtod(mbuf, uint8_t*), contiguous, mbuf->pkt_len,
                    {.verify_ip_checksum = ip_by_nic != RTE_MBUF_F_RX_IP_CKSUM_GOOD});
    if (outcome.kind != FrameKind::Drop && !is_known && !find_interface(burst, i, context)) return;
    switch (outcome.kind) {
        case FrameKind::Drop:
            burst.drop(i, outcome.reason);
            break;
        case FrameKind::Other:
            pass_other_frame(burst, i, context);
            break;
        case FrameKind::Ip:
            sort_ip_packet(burst, i, context);
            break;
        case FrameKind::Fragment:
            sort_fragment(burst, i);
            break;
    }
}

void parse_datagram(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    rte_mbuf* mbuf = burst.mbuf[i];
    Packet& packet = burst.packet[i];
    const bool verifies = context.snapshot->conntrack.checksum && packet.in_port != kNoInterface;
    if (!parse_common_datagram4(packet, rte_pktmbuf_mtod(mbuf, uint8_t*), mbuf->data_len,
                                mbuf->pkt_len) ||
        (verifies && !has_good_udp_checksum_in_pieces(mbuf, packet)))
        return parse_packet(burst, i, context);
    burst.frame_length[i] = mbuf->pkt_len;
    burst.keys4.add(i, packet);
}

void parse(Burst& burst, WorkerContext& context) noexcept {
    burst.fragments = burst.tracked = burst.tcp = burst.starting = burst.flowless = burst.proposed =
        0;
    burst.tupled = burst.translated = burst.departing = burst.hairpin = burst.arrived = 0;
    burst.unrouted = burst.begun = burst.visiting = burst.raw_passed = 0;
    burst.keys4.count = burst.keys6.count = 0;
    for (uint32_t i = 0; i < kPrefetchAhead; ++i)
        prefetch_frame(burst, i);
    const bool verifies = context.snapshot->conntrack.checksum;
    const bool has_usual = burst.from_kernel == 0;  // what the box sends is not verified
    const auto usual = context.routed_ports == 0 ? parse_usual_run<true> : parse_usual_run<false>;
    for (uint32_t i = 0; i < burst.count; ++i) {
        if (has_usual) i = usual(burst, i, context, verifies);
        if (i == burst.count) break;
        prefetch_frame(burst, i + kPrefetchAhead);
        burst.flow[i] = FlowRef{};
        parse_packet(burst, i, context);
    }
}

}  // namespace rampart
