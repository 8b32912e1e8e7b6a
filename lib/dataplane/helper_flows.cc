#include "dataplane/helper_flows.h"

#include "base/endian.h"
#include "dataplane/payload_edit.h"

namespace rampart {
namespace {

constexpr uint32_t kUdpHeader = 8, kTcpHeader = 20, kSequence = 4;

uint32_t tcp_header_length(const Packet& packet) noexcept {
    return (packet.l4()[12] >> 4) * 4u;
}

}  // namespace

HelperFlows::HelperFlows(const Options& options)
    : hash_(options.hash),
      expectations_(options.hash, options.expectations),
      gre_keys_(options.hash, options.gre_keys),
      slots_(std::make_unique<Slot[]>(options.flows)),
      slot_count_(options.flows) {
    for (uint32_t i = 0; i < slot_count_; ++i)
        slots_[i].next_free = i + 1;
}

uint32_t HelperFlows::attach(uint8_t helper) noexcept {
    if (helper_of(helper) == nullptr || first_free_ == slot_count_) return 0;
    const uint32_t index = first_free_;
    Slot& slot = slots_[index];
    first_free_ = slot.next_free;
    slot.state = HelperState{};
    slot.helper = helper;
    slot.is_detached = false;
    return index + 1;
}

void HelperFlows::release(uint32_t slot, FlowIndex flow) noexcept {
    expectations_.remove_of_master(flow);
    gre_keys_.remove_of_master(flow);
    slots_[slot - 1].helper = 0;
    slots_[slot - 1].next_free = first_free_;
    first_free_ = slot - 1;
}

std::span<const uint8_t> HelperFlows::payload_of(const HelperPacket& what) noexcept {
    Packet& packet = what.packet;
    if (what.mbuf->nb_segs > 1) {
        if (rte_pktmbuf_linearize(what.mbuf) != 0) return {};
        packet.frame_contiguous = what.mbuf->data_len;
    }
    const uint32_t header =
        packet.protocol == ip_protocol::kUdp ? kUdpHeader : tcp_header_length(packet);
    if (header >= packet.l4_length) return {};
    return {packet.l4() + header, packet.l4_length - header};
}

HelperDrop HelperFlows::inspect(Slot& slot, const HelperPacket& what) noexcept {
    Packet& packet = what.packet;
    const bool is_tcp = packet.protocol == ip_protocol::kTcp;
    const uint32_t sequence = is_tcp ? load_host32(packet.l4() + kSequence) : 0;
    edits_.clear();
    packets_[slot.helper].add(1);
    HelperInput input{
        payload_,           what.original,    what.reply, what.direction, what.is_established,
        what.is_translated, what.is_expected, sequence,   slot.state};
    const HelperVerdict verdict = helper_of(slot.helper)->inspect(input, *this);
    slot.is_detached = verdict.detach;
    if (verdict.is_drop()) return verdict.drop;
    if (edits_.is_empty()) return HelperDrop::None;
    if (!apply_edits(what.mbuf, packet, edits_, what.max_ip_length))
        return HelperDrop::NotRewritten;
    if (is_tcp) record_change(slot.state.adjust, what.direction, sequence, edits_.growth());
    return HelperDrop::None;
}

HelperOutcome HelperFlows::run(uint32_t number, const HelperPacket& what, Tick now) noexcept {
    Slot& slot = slots_[number - 1];
    outcome_ = HelperOutcome{};
    what_ = &what;
    helper_ = slot.helper;
    now_ = now;
    Packet& packet = what.packet;
    const bool is_tcp = packet.protocol == ip_protocol::kTcp;
    const Helper& helper = *helper_of(slot.helper);
    if (!(is_tcp ? helper.takes_tcp : helper.takes_udp && packet.protocol == ip_protocol::kUdp) ||
        packet.l4_length < (is_tcp ? kTcpHeader : kUdpHeader))
        return outcome_;
    payload_ = slot.is_detached ? std::span<const uint8_t>{} : payload_of(what);
    if (!payload_.empty()) outcome_.drop = inspect(slot, what);
    if (outcome_.drop != HelperDrop::None || !is_tcp || !slot.state.adjust.is_active())
        return outcome_;
    const uint32_t header = tcp_header_length(packet);
    if (header > packet.l4_length ||
        !adjust(slot.state.adjust, what.direction, packet.l4(), header))
        outcome_.drop = HelperDrop::NotRewritten;
    return outcome_;
}

// Ports must not be guessed: numbers are a keyed hash of how many were drawn.
uint32_t HelperFlows::random() noexcept {
    FlowKey4 key{};
    key.low_address.raw = static_cast<uint32_t>(++drawn_);
    key.high_address.raw = static_cast<uint32_t>(drawn_ >> 32);
    return hash_.hash(key);
}

ExpectOutcome HelperFlows::expect(std::span<Expectation> expectations,
                                  bool shares_masters) noexcept {
    for (Expectation& one : expectations) {
        one.tuple.zone = what_->original.zone;
        one.master = what_->flow;
        one.master_serial = what_->serial;
        one.master_original = what_->original;
        one.helper = helper_;
        for (const HelperFlows* other : all_) {
            if (other == this) continue;
            const ExpectOutcome outcome =
                other->expectations_.outcome_elsewhere(one, now_, shares_masters);
            if (outcome != ExpectOutcome::Added) return outcome;
        }
    }
    const ExpectClass& kind = helper_of(helper_)->classes[expectations[0].flow_class];
    return expectations_.add(expectations, kind.limit, now_, shares_masters);
}

void HelperFlows::forget_expectations(uint32_t classes) noexcept {
    expectations_.remove_of_master(what_->flow, classes);
}

bool HelperFlows::activate(uint8_t flow_class, const Tuple& destination, Tick deadline) noexcept {
    return expectations_.activate(what_->flow, flow_class, destination, deadline);
}

bool HelperFlows::replace(uint32_t offset, uint32_t length, std::string_view text) noexcept {
    return edits_.replace(payload_, offset, length, text);
}

bool HelperFlows::map_gre_key(const Tuple& tuple) noexcept {
    Tuple in_zone = tuple;
    in_zone.zone = what_->original.zone;
    return gre_keys_.add(in_zone, what_->flow);
}

void HelperFlows::forget_gre_keys() noexcept {
    gre_keys_.remove_of_master(what_->flow);
}

void HelperFlows::end_flow(const Tuple& original) noexcept {
    outcome_.ends_flow = true;
    outcome_.ended = original;
    outcome_.ended.zone = what_->original.zone;
}

}  // namespace rampart
