#include "control/flow_filter.h"

#include "control/conntrack_names.h"

namespace rampart {
namespace {

template <typename T, typename U>
bool differs(const std::optional<T>& wanted, const U& value) noexcept {
    return wanted && *wanted != value;
}

bool fails(const std::optional<AddressCondition>& wanted, const AddressBytes& bytes) noexcept {
    return wanted && !wanted->holds(bytes);
}

bool have_addresses(const FlowFilter& filter, const FlowEntry& flow) noexcept {
    return !fails(filter.src, flow.original.src) && !fails(filter.dst, flow.original.dst) &&
           !fails(filter.reply_src, flow.reply.src) && !fails(filter.reply_dst, flow.reply.dst);
}

bool have_ports(const FlowFilter& filter, const FlowEntry& flow) noexcept {
    return !differs(filter.src_port, flow.original.src_port.host()) &&
           !differs(filter.dst_port, flow.original.dst_port.host()) &&
           !differs(filter.reply_src_port, flow.reply.src_port.host()) &&
           !differs(filter.reply_dst_port, flow.reply.dst_port.host()) &&
           !differs(filter.icmp_type, flow.original.icmp_type()) &&
           !differs(filter.icmp_code, flow.original.icmp_code());
}

// A zone of both directions is one of neither alone, as conntrack-tools sees it.
bool have_zones(const FlowFilter& filter, const FlowEntry& flow) noexcept {
    const bool is_common = flow.original.zone == flow.reply.zone;
    const auto own = [is_common](uint16_t zone) { return is_common ? uint16_t{0} : zone; };
    return !differs(filter.zone, is_common ? flow.original.zone : uint16_t{0}) &&
           !differs(filter.orig_zone, own(flow.original.zone)) &&
           !differs(filter.reply_zone, own(flow.reply.zone));
}

// Whether `translated` of the reply stands where `plain` of the original stood.
bool is_translated(const NatCondition& wanted, const AddressBytes& plain, uint16_t plain_port,
                   const AddressBytes& translated, uint16_t translated_port) noexcept {
    const bool address_changed = plain != translated;
    const bool port_changed = plain_port != translated_port;
    if (wanted.address && !(address_changed && translated == wanted.address->bytes)) return false;
    if (wanted.port && !(port_changed && translated_port == *wanted.port)) return false;
    return address_changed || port_changed;
}

bool have_translation(const FlowFilter& filter, const FlowEntry& flow) noexcept {
    const Tuple& original = flow.original;
    const Tuple& reply = flow.reply;
    // Only where the fields are ports: the type of an ICMP reply differs by nature.
    const bool compare_ports = prints_ports(original.protocol);
    const auto port = [compare_ports](be16 number) {
        return compare_ports ? number.host() : uint16_t{0};
    };
    const auto source = [&](const NatCondition& wanted) {
        return is_translated(wanted, original.src, port(original.src_port), reply.dst,
                             port(reply.dst_port));
    };
    const auto destination = [&](const NatCondition& wanted) {
        return is_translated(wanted, original.dst, port(original.dst_port), reply.src,
                             port(reply.src_port));
    };
    if (filter.src_nat && !source(*filter.src_nat)) return false;
    if (filter.dst_nat && !destination(*filter.dst_nat)) return false;
    return !filter.any_nat || source(*filter.any_nat) || destination(*filter.any_nat);
}

}  // namespace

bool AddressCondition::holds(const AddressBytes& bytes) const noexcept {
    for (size_t i = 0; i < bytes.size(); ++i) {
        if ((bytes[i] ^ address[i]) & mask[i]) return false;
    }
    return true;
}

bool FlowFilter::matches(const FlowEntry& flow) const noexcept {
    return !matches_nothing && !differs(family, flow.original.family) &&
           !differs(protocol, flow.original.protocol) && (flow.status & status_set) == status_set &&
           (flow.status & status_clear) == 0 && !differs(state, flow.state) &&
           !differs(mark, flow.mark & mark_mask) && !differs(id, flow.id) &&
           have_addresses(*this, flow) && have_ports(*this, flow) && have_zones(*this, flow) &&
           have_translation(*this, flow);
}

}  // namespace rampart
