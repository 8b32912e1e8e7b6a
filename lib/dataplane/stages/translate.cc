// translate: accepted packets as they leave: addresses and ports, and the header of the link they
// go out on. Packets whose next hop has no link address yet are held.
#include <rte_mbuf.h>

#include "dataplane/datagram_mark.h"
#include "dataplane/departure.h"
#include "dataplane/helper_flows.h"
#include "dataplane/stages.h"
#include "dataplane/transport_checksum.h"
#include "dataplane/unresolved.h"

namespace rampart {
namespace {

bool is_redirect(const Packet& packet) noexcept {
    constexpr uint8_t kRedirect4 = 5, kRedirect6 = 137;
    return *packet.l4() == (packet.family == Family::Ipv4 ? kRedirect4 : kRedirect6);
}

// RFC 5508, 4.2: the quoted packet travelled the other way and gets back what its sender wrote; the
// error itself is translated like a packet of its direction, as far as the flow is.
bool translate_icmp_error(Burst& burst, uint32_t i, const WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    if (is_redirect(packet)) {
        burst.drop(i, DropReason::NatRedirect);
        return false;
    }
    // Less of the quoted packet identifies its flow, but cannot be rewritten (as in Linux).
    constexpr uint16_t kLeastQuoted = 8;
    const QuotedPacket inside = quoted_packet_of(packet);
    const uint8_t protocol = inside.tuple.protocol;
    const bool has_ports = protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp ||
                           protocol == ip_protocol::kUdpLite || protocol == ip_protocol::kSctp;
    if (has_ports && inside.l4_readable < kLeastQuoted) {
        burst.drop(i, DropReason::Truncated);
        return false;
    }
    const FlowRef ref = burst.flow[i];
    const uint16_t status = context.flows.flow(ref.index()).status.load();
    const bool is_original = ref.direction() == Direction::Original;
    const Tuple quoted = context.flows.tuple_of(ref.index(), opposite(ref.direction()));
    const Tuple target = invert(quoted);
    Tuple outer = tuple_of(packet);
    if (status & (is_original ? flow_status::kSrcNat : flow_status::kDstNat))
        outer.src = target.src;
    if (status & (is_original ? flow_status::kDstNat : flow_status::kSrcNat))
        outer.dst = target.dst;
    translate_error(packet, quoted, outer);
    return true;
}

bool translate_headers(Burst& burst, uint32_t i, const WorkerContext& context) noexcept {
    const FlowRef ref = burst.flow[i];
    if (ref.is_none() || !context.flows.flow(ref.index()).is_translated()) return true;
    const Packet& packet = burst.packet[i];
    if (packet.is_icmp_error) return translate_icmp_error(burst, i, context);
    const FlowTable& flows = context.flows;
    const Tuple from = flows.tuple_of(ref.index(), ref.direction());
    translate(packet, from, invert(flows.tuple_of(ref.index(), opposite(ref.direction()))));
    if (packet.protocol == ip_protocol::kSctp) write_sctp_checksum(burst.mbuf[i], packet);
    return true;
}

// What the flow's helper makes of the packet (netfilter's order: behind the translation of headers,
// before the flow is confirmed). False: dropped.
bool run_helper(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    const FlowRef ref = burst.flow[i];
    if (ref.is_none() || burst.packet[i].is_icmp_error) return true;
    FlowTable& flows = context.flows;
    const FlowIndex index = ref.index();
    const uint32_t slot = flows.ties(index).helper_slot;
    if (slot == 0 || flows.flow(index).has(flow_status::kDying)) return true;
    const uint16_t status = flows.flow(index).status.load();
    const Tuple original = flows.original_tuple(index);
    const Tuple reply = flows.tuple_of(index, Direction::Reply);
    Packet& packet = burst.packet[i];
    const std::vector<Interface>& interfaces = context.snapshot->ruleset.names.interfaces;
    const uint32_t mtu =
        packet.out_port < interfaces.size() ? interfaces[packet.out_port].mtu : UINT16_MAX;
    const HelperOutcome outcome =
        context.helpers->run(slot,
                             {.mbuf = burst.mbuf[i],
                              .packet = packet,
                              .direction = ref.direction(),
                              .original = original,
                              .reply = reply,
                              .flow = index,
                              .serial = flows.info(index).serial,
                              .is_established = burst.ct_class[i] == CtClass::Established,
                              .is_translated = flow_status::is_translated(status),
                              .is_expected = (status & flow_status::kExpected) != 0,
                              .max_ip_length = mtu},
                             context.now.tick);
    burst.frame_length[i] = burst.mbuf[i]->pkt_len;
    if (outcome.timeout != 0) flows.set_deadline(index, context.now.tick + outcome.timeout);
    if (outcome.ends_flow) {
        const TableEntry over = flows.keys().find(outcome.ended);
        if (!over.is_none() && !over.is_foreign()) flows.erase(over.index());
    }
    if (outcome.drop == HelperDrop::None) return true;
    burst.drop(i, DropReason::Helper);
    return false;
}

void hold(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    const Packet& packet = burst.packet[i];
    const NeighbourKey& key = burst.next_hop[i];
    Unresolved::Waiting waiting{.mbuf = burst.mbuf[i],
                                .l3_offset = packet.l3_offset,
                                .ip_length = packet.ip_length,
                                .in_port = packet.in_port};
    const FlowRef ref = burst.flow[i];
    if (!ref.is_none() && !packet.is_icmp_error && context.flows.flow(ref.index()).is_translated())
        waiting.arrived = context.flows.tuple_of(ref.index(), ref.direction());
    const Unresolved::Outcome outcome = context.unresolved->hold(key, waiting, context.now.tick);
    if (outcome.evicted != nullptr) {
        rte_pktmbuf_free(outcome.evicted);
        context.counters.drops[static_cast<size_t>(DropReason::NeighbourQueue)].add(1);
    }
    if (!outcome.is_held) return burst.drop(i, DropReason::NeighbourQueue);
    // The kernel forgets a failure only when it is asked again.
    if (outcome.is_first) context.routing->request(key);
    burst.verdict[i] = Verdict::Held;
}

void send_to_next_hop(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    Packet& packet = burst.packet[i];
    uint32_t& egress = burst.egress[i];
    if (egress == kNoEgress) egress = context.routing->find_neighbour(burst.next_hop[i]);
    const NeighbourWord word =
        egress == kNoEgress ? NeighbourWord() : context.routing->neighbour(egress);
    if (!word.is_resolved()) return hold(burst, i, context);
    const Interface& out = context.snapshot->ruleset.names.interfaces[packet.out_port];
    packet.l3_offset = write_link_header(burst.mbuf[i], packet.l3_offset, packet.ether_type, out,
                                         *context.routing, word);
    packet.frame = rte_pktmbuf_mtod(burst.mbuf[i], uint8_t*);
    burst.frame_length[i] = burst.mbuf[i]->pkt_len;
}

// The next packet of this direction may take the short way.
void remember_way(Burst& burst, uint32_t i, WorkerContext& context) noexcept {
    const FlowRef ref = burst.flow[i];
    if (ref.is_none() || burst.packet[i].is_icmp_error) return;
    Forwarding& forwarding = context.flows.forwarding(ref.index());
    if (forwarding.epoch != context.route_epoch) {
        forwarding.epoch = context.route_epoch;
        forwarding.egress[0] = forwarding.egress[1] = kNoEgress;
    }
    forwarding.egress[static_cast<unsigned>(ref.direction())] = burst.egress[i];
}

}  // namespace

void translate(Burst& burst, WorkerContext& context) noexcept {
    for_each(burst.departing, [&](uint32_t i) {
        if (burst.verdict[i] != Verdict::Forward && burst.verdict[i] != Verdict::Deliver) return;
        if (!translate_headers(burst, i, context) || !run_helper(burst, i, context)) return;
        const Packet& packet = burst.packet[i];
        if (!context.is_routed(packet.in_port)) return;
        if (packet.out_port != kToBox && packet.in_port != kNoInterface)
            send_to_next_hop(burst, i, context);
        remember_way(burst, i, context);
    });
}

}  // namespace rampart
