// Worker: packets that wait for the link address of their next hop.
#include <rte_mbuf.h>

#include "dataplane/datagram_mark.h"
#include "dataplane/link_header.h"
#include "dataplane/stages.h"
#include "dataplane/worker.h"
#include "nat/translation.h"
#include "packet/parser.h"

namespace rampart {
namespace {

uint16_t ether_type_of(const rte_mbuf* mbuf, uint16_t l3_offset) noexcept {
    return load_host16(rte_pktmbuf_mtod(mbuf, const uint8_t*) + l3_offset - 2);
}

bool parse_waiting(Packet& packet, const rte_mbuf* mbuf) noexcept {
    return parse_frame(packet, rte_pktmbuf_mtod(mbuf, uint8_t*), mbuf->data_len, mbuf->pkt_len,
                       {.verify_ip_checksum = false})
               .kind == FrameKind::Ip;
}

}  // namespace

void Worker::release_resolved() noexcept {
    options_.unresolved->release(
        *options_.routing, context_.now.tick,
        [&](const NeighbourKey& key, const Unresolved::Waiting& waiting, NeighbourWord word) {
            rte_mbuf* mbuf = waiting.mbuf;
            Packet& packet = burst_->packet[0];
            packet.ether_type = ether_type_of(mbuf, waiting.l3_offset);
            packet.family = packet.ether_type == ether_type::kIpv4 ? Family::Ipv4 : Family::Ipv6;
            packet.ip_length = waiting.ip_length;
            packet.out_port = key.interface;
            packet.l3_offset =
                write_link_header(mbuf, waiting.l3_offset, packet.ether_type,
                                  context_.snapshot->ruleset.names.interfaces[key.interface],
                                  *options_.routing, word);
            packet.frame = rte_pktmbuf_mtod(mbuf, uint8_t*);
            burst_->mbuf[0] = mbuf;
            const uint32_t bytes = mbuf->pkt_len;
            if (is_datagram(mbuf))
                forward_datagram(0);
            else {
                if (context_.capture != nullptr)
                    context_.capture->note_late(mbuf, CapturePoint::Sent, key.interface,
                                                DropReason{}, context_);
                forward(key.interface, &mbuf, &bytes, 1);
            }
        },
        [&](const NeighbourKey&, const Unresolved::Waiting& waiting) { lose(waiting); });
    if (context_.replies.count != 0) send_replies();
}

// Nobody answered for the next hop (RFC 1812, 3.3.2: host unreachable; RFC 4443, 3.1, code 3).
void Worker::lose(const Unresolved::Waiting& waiting) noexcept {
    Burst& burst = *burst_;
    burst.count = 1;
    burst.mbuf[0] = waiting.mbuf;
    burst.packet[0].in_port = waiting.in_port;
    burst.flow[0] = FlowRef{};
    burst.ct_class[0] = CtClass::Related;
    Packet& packet = burst.packet[0];
    if (parse_waiting(packet, waiting.mbuf)) {
        // The sender knows the packet as it wrote it.
        const bool is_translated = waiting.arrived.family == packet.family;
        if (is_translated) translate(packet, tuple_of(packet), waiting.arrived);
        if (!is_translated || parse_waiting(packet, waiting.mbuf))
            answer_error(burst, 0, context_,
                         packet.family == Family::Ipv4 ? IcmpError{3, 1} : IcmpError{1, 3});
    }
    note_lost(waiting.mbuf, waiting.in_port, DropReason::NeighbourFailed);
    count_dropped(DropReason::NeighbourFailed, 1);
    rte_pktmbuf_free(waiting.mbuf);
    burst.count = 0;
}

}  // namespace rampart
