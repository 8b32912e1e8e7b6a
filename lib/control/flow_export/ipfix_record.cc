#include "control/flow_export/ipfix_record.h"

#include "conntrack/flow.h"
#include "conntrack/trackers/tcp_states.h"
#include "packet/packet.h"

namespace rampart {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;

uint32_t ipv4_of(const AddressBytes& bytes) noexcept {
    return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

bool is_tcp_over(uint8_t state) noexcept {
    switch (static_cast<TcpState>(state)) {
        case TcpState::FinWait:
        case TcpState::CloseWait:
        case TcpState::LastAck:
        case TcpState::TimeWait:
        case TcpState::Close:
            return true;
        case TcpState::None:
        case TcpState::SynSent:
        case TcpState::SynRecv:
        case TcpState::Established:
        case TcpState::SynSent2:
        case TcpState::Ignore:
        case TcpState::Invalid:
            break;
    }
    return false;
}

// A flow that had time left was ended by somebody: deleted, flushed, evicted, rechecked.
FlowEndReason end_reason(const FlowEntry& flow) noexcept {
    if (flow.original.protocol == ip_protocol::kTcp && is_tcp_over(flow.state))
        return FlowEndReason::EndDetected;
    return flow.timeout_s == 0 ? FlowEndReason::IdleTimeout : FlowEndReason::Forced;
}

void set_addresses(IpfixRecord& record, const FlowEntry& flow) noexcept {
    // What the first packet carried behind the firewall is what its answers carry, turned round.
    const AddressBytes &src = flow.original.src, &dst = flow.original.dst;
    const AddressBytes &post_src = flow.reply.dst, &post_dst = flow.reply.src;
    if (flow.original.family == Family::Ipv6) {
        record.src6 = src;
        record.dst6 = dst;
        record.post_src6 = post_src;
        record.post_dst6 = post_dst;
        return;
    }
    record.src4 = ipv4_of(src);
    record.dst4 = ipv4_of(dst);
    record.post_src4 = ipv4_of(post_src);
    record.post_dst4 = ipv4_of(post_dst);
}

}  // namespace

unsigned ipfix_parts_of(const FlowEvent& event) noexcept {
    const FlowEntry& flow = event.flow;
    unsigned parts = 0;
    if (flow.original.family == Family::Ipv6) parts |= ipfix_parts::kIpv6;
    if (is_icmp(flow.original.protocol)) parts |= ipfix_parts::kIcmp;
    if (flow_status::is_translated(flow.status)) parts |= ipfix_parts::kNat;
    if (event.kind == JournalKind::Destroy) parts |= ipfix_parts::kEnd;
    return parts;
}

IpfixRecord ipfix_record(const FlowEvent& event) noexcept {
    const FlowEntry& flow = event.flow;
    const bool is_end = event.kind == JournalKind::Destroy;
    IpfixRecord record;
    record.observed_ms = event.time_ns / kNsPerMs;
    record.start_ms = flow.start_ns / kNsPerMs;
    record.end_ms = is_end ? flow.stop_ns / kNsPerMs : 0;
    record.packets = flow.packets[0];
    record.bytes = flow.bytes[0];
    record.reverse_packets = flow.packets[1];
    record.reverse_bytes = flow.bytes[1];
    record.flow_id = flow.id;
    set_addresses(record, flow);
    record.mark = flow.mark;
    record.protocol = flow.original.protocol;
    if (is_icmp(record.protocol)) {
        record.icmp_type_code = flow.original.dst_port.host();
    } else {
        record.src_port = flow.original.src_port.host();
        record.dst_port = flow.original.dst_port.host();
        record.post_src_port = flow.reply.dst_port.host();
        record.post_dst_port = flow.reply.src_port.host();
    }
    record.end_reason = static_cast<uint8_t>(is_end ? end_reason(flow) : FlowEndReason::None);
    record.firewall_event = is_end ? 2 : 1;
    record.nat_event = is_end ? 5 : 4;
    return record;
}

}  // namespace rampart
