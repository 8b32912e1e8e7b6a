// answer: the reply that a reject rule asks for, and the errors that a router owes, within the
// rules for replies (packet/reply.h).
//
// On routed ports they are packets of the box's own: the chain `output` judges them, RELATED to the
// flow of their cause as in netfilter.
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

// The packet's destination is not the one that its sender wrote to.
bool is_destination_translated(const Burst& burst, uint32_t i,
                               const WorkerContext& context) noexcept {
    const FlowRef ref = burst.flow[i];
    if (ref.is_none()) return false;
    const uint16_t translation =
        ref.direction() == Direction::Original ? flow_status::kDstNat : flow_status::kSrcNat;
    return (context.flows.flow(ref.index()).status.load() & translation) != 0;
}

// The box's own address towards the sender; null on bridges, which have none, and where the sender
// knows the destination by another address: errors come from that one (RFC 5508, 4.2).
const AddressBytes* own_address(const Burst& burst, uint32_t i, WorkerContext& context,
                                AddressBytes& room) noexcept {
    const Packet& packet = burst.packet[i];
    if (context.routing == nullptr || !context.is_routed(packet.in_port) ||
        is_destination_translated(burst, i, context))
        return nullptr;
    AddressBytes sender{};
    const bool is_ipv4 = packet.family == Family::Ipv4;
    std::memcpy(sender.data(), packet.l3() + (is_ipv4 ? 12 : 8), is_ipv4 ? 4 : 16);
    const InterfaceIndex towards =
        packet.in_port == kNoInterface ? packet.out_port : packet.in_port;
    if (!context.routing->source_address(towards, packet.family, sender, room)) return nullptr;
    return &room;
}

// What `output` says to an answer of the box.
bool may_leave(uint8_t* frame, uint32_t length, CtClass ct_class, Burst& burst, uint32_t i,
               WorkerContext& context) noexcept {
    const Packet& cause = burst.packet[i];
    const Ruleset& ruleset = context.snapshot->ruleset;
    if (ruleset.output == Ruleset::kNoChain || !context.is_routed(cause.in_port) ||
        cause.in_port == kNoInterface)
        return true;
    Packet answer;
    answer.in_port = kNoInterface;
    answer.out_port = cause.in_port;
    answer.mark = 0;
    if (parse_frame(answer, frame, length, length, {}).kind != FrameKind::Ip) return true;
    const Tuple tuple = tuple_of(answer);
    RuleInput input{.packet = answer,
                    .tuple = tuple,
                    .ct_class = ct_class,
                    .direction = opposite(burst.flow[i].direction()),
                    .in = kNoInterface,
                    .out = cause.in_port,
                    .now = context.now,
                    .generation = context.snapshot->generation,
                    .log = context.rule_log,
                    .paths = context.paths};
    const Judgement judgement =
        walk(ruleset, ruleset.output, input, *context.paths, answer.ip_length);
    if (judgement.path != kNoPath) context.paths->count(judgement.path, 1, answer.ip_length);
    return judgement.step == Step::Accept;
}

CtClass class_of_answer(const Burst& burst, uint32_t i) noexcept {
    const CtClass cause = burst.ct_class[i];
    return cause == CtClass::Invalid || cause == CtClass::Untracked ? cause : CtClass::Related;
}

// False: nothing was sent.
template <typename Build>
bool send(Burst& burst, uint32_t i, WorkerContext& context, Build build) noexcept {
    Replies& replies = context.replies;
    if (replies.count == replies.items.size() || !context.reply_limit.take(context.now.ns)) {
        context.counters.replies_limited.add(1);
        return false;
    }
    uint8_t frame[kMaxReplyBytes];
    AddressBytes room;
    const uint32_t length = build(own_address(burst, i, context, room), frame);
    if (length == 0 || !may_leave(frame, length, class_of_answer(burst, i), burst, i, context))
        return false;
    rte_mbuf* mbuf = rte_pktmbuf_alloc(burst.mbuf[i]->pool);
    if (mbuf == nullptr) return false;
    char* bytes = rte_pktmbuf_append(mbuf, static_cast<uint16_t>(length));
    if (bytes == nullptr) {
        rte_pktmbuf_free(mbuf);
        return false;
    }
    std::memcpy(bytes, frame, length);
    const Packet& packet = burst.packet[i];
    const bool is_for_kernel = packet.in_port == kNoInterface;
    replies.items[replies.count++] = {mbuf, is_for_kernel ? packet.out_port : packet.in_port,
                                      static_cast<uint8_t>(i), is_for_kernel};
    return true;
}

}  // namespace

void answer_reject(Burst& burst, uint32_t i, WorkerContext& context, RejectWith with,
                   Flow* flow) noexcept {
    const Packet& packet = burst.packet[i];
    if (must_not_answer(packet) || !may_trust_checksum(burst, i, context)) return;
    const bool is_sent =
        send(burst, i, context, [&](const AddressBytes* source, std::span<uint8_t> frame) {
            return build_reject(packet, with, source, frame);
        });
    if (is_sent && flow != nullptr && resolve_reject(with, packet) == RejectWith::TcpReset)
        close_flow(burst, i, context, *flow);
}

void answer_error(Burst& burst, uint32_t i, WorkerContext& context,
                  const IcmpError& error) noexcept {
    const Packet& packet = burst.packet[i];
    if (!may_send_error(packet)) return;
    send(burst, i, context, [&](const AddressBytes* source, std::span<uint8_t> frame) {
        return build_error(packet, error, source, frame);
    });
}

}  // namespace rampart
