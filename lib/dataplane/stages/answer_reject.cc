// answer_reject: the reply that a reject rule asks for, within the rules for replies
// (packet/reply.h).
#include <cstring>

#include <rte_mbuf.h>

#include "conntrack/trackers/tcp_states.h"
#include "dataplane/stages.h"
#include "dataplane/transport_checksum.h"
#include "packet/reply.h"

namespace rampart {
namespace {

// The peer of a reset connection learns of it by the reset: the entry closes (netfilter's
// nf_ct_set_closing).
void close_flow(Burst& burst, uint32_t i, WorkerContext& context, Flow& flow) noexcept {
    flow.state.store(static_cast<uint8_t>(TcpState::Close));
    context.flows.uncount(burst.flow[i].index());
    const Tick timeout = context.snapshot->conntrack.timeout(TimeoutId::TcpClose);
    context.flows.set_deadline(burst.flow[i].index(), context.now.tick + timeout);
}

// Tracked packets have been checked by parse, unless conntrack.checksum is off; and raw forgets
// what was found about those that it exempts.
bool may_trust_checksum(const Burst& burst, uint32_t i, const WorkerContext& context) noexcept {
    const bool was_checked =
        context.snapshot->conntrack.checksum && burst.ct_class[i] != CtClass::Untracked;
    return was_checked || !needs_checksum_for_answer(burst.packet[i]) ||
           has_good_transport_checksum(burst.mbuf[i], burst.packet[i]);
}

}  // namespace

void answer_reject(Burst& burst, uint32_t i, WorkerContext& context, RejectWith with,
                   Flow* flow) noexcept {
    const Packet& packet = burst.packet[i];
    Replies& replies = context.replies;
    if (must_not_answer(packet) || !may_trust_checksum(burst, i, context)) return;
    if (replies.count == replies.items.size() || !context.reply_limit.take(context.now.ns)) {
        context.counters.replies_limited.add(1);
        return;
    }
    rte_mbuf* mbuf = rte_pktmbuf_alloc(burst.mbuf[i]->pool);
    if (mbuf == nullptr) return;
    uint8_t frame[kMaxReplyBytes];
    const uint32_t length = build_reject(packet, with, frame);
    char* room = length == 0 ? nullptr : rte_pktmbuf_append(mbuf, static_cast<uint16_t>(length));
    if (room == nullptr) {
        rte_pktmbuf_free(mbuf);
        return;
    }
    std::memcpy(room, frame, length);
    replies.items[replies.count++] = {mbuf, packet.in_port, static_cast<uint8_t>(i)};
    if (flow != nullptr && resolve_reject(with, packet) == RejectWith::TcpReset)
        close_flow(burst, i, context, *flow);
}

}  // namespace rampart
