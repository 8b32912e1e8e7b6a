#include "nat/binding.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "conntrack/trackers/tcp_states.h"

namespace rampart {
namespace {

// Netfilter's NF_NAT_MAX_ATTEMPTS and NF_NAT_HARDER_THRESH.
constexpr uint32_t kMaxAttempts = 128, kLeastAttempts = 16, kHardAttempts = 32;

// GRE without a helper has nothing that could be chosen: its keys are no ports.
bool is_searched(uint8_t protocol, const NatRange& range) noexcept {
    return has_ports(protocol) || is_icmp(protocol) ||
           (protocol == ip_protocol::kGre && range.has_call_id);
}

AddressBytes& address_of(Tuple& tuple, Manip manip) noexcept {
    return manip == Manip::Source ? tuple.src : tuple.dst;
}
// The identifier of ICMP is the same for both halves.
be16& port_of(Tuple& tuple, Manip manip) noexcept {
    return manip == Manip::Source || is_icmp(tuple.protocol) ? tuple.src_port : tuple.dst_port;
}
uint16_t port_in(Tuple tuple, Manip manip) noexcept {
    return port_of(tuple, manip).host();
}

bool is_port_in(const Tuple& tuple, Manip manip, const NatRange& range) noexcept {
    if (!is_searched(tuple.protocol, range)) return true;
    const uint16_t port = port_in(tuple, manip);
    return range.first_port <= port && port <= range.last_port;
}

bool is_in(const Tuple& tuple, Manip manip, const NatRange& range) noexcept {
    const AddressBytes& address = manip == Manip::Source ? tuple.src : tuple.dst;
    if (range.has_addresses && (address < range.first || range.last < address)) return false;
    return !range.has_ports || is_port_in(tuple, manip, range);
}

// A flow of the same source that is translated into the range: its mapping is taken over.
bool reuse_mapping(TupleSpace& space, const Tuple& present, const NatRange& range,
                   Tuple& tuple) noexcept {
    return space.sources.any_of(present, [&](FlowIndex index) {
        const Tuple other = invert(space.flows.tuple_of(index, Direction::Reply));
        Tuple candidate = present;
        candidate.src = other.src;
        candidate.src_port = other.src_port;
        if (!is_in(candidate, Manip::Source, range)) return false;
        tuple = candidate;
        return true;
    });
}

uint32_t scaled(uint32_t hash, uint32_t count) noexcept {
    return static_cast<uint32_t>(uint64_t{hash} * count >> 32);
}

// An address of the range, the same for the same source; and for the same destination, too, unless
// the rule says `persistent`.
void pick_address(const FlowTable& flows, const NatRange& range, Manip manip,
                  Tuple& tuple) noexcept {
    if (!range.has_addresses) return;
    AddressBytes& address = address_of(tuple, manip);
    if (range.first == range.last) {
        address = range.first;
        return;
    }
    Tuple ends;
    ends.family = tuple.family;
    ends.src = tuple.src;
    if (!range.is_persistent) ends.dst = tuple.dst;
    uint32_t hash = flows.keys().hash_of(ends);
    bool is_free = false;  // the words before differ from the last address's: anything goes
    const size_t words = tuple.family == Family::Ipv4 ? 1 : 4;
    for (size_t at = 0; at < words; ++at) {
        const uint32_t low = is_free ? 0 : load_host32(range.first.data() + at * 4);
        const uint32_t high = is_free ? UINT32_MAX : load_host32(range.last.data() + at * 4);
        const uint32_t count = high - low + 1;
        const uint32_t word = count == 0 ? hash : low + scaled(hash, count);
        store_host32(address.data() + at * 4, word);
        is_free = is_free || word != high;
        hash = hash * 0x9e3779b1u + 1;
    }
}

struct PortInterval {
    uint32_t first;
    uint32_t count;  // 0: the port stays as it is
};

// Services expect privileged ports to stay privileged (netfilter's three classes).
PortInterval interval_of(const Tuple& tuple, Manip manip, const NatRange& range) noexcept {
    if (!is_searched(tuple.protocol, range)) return {0, 0};
    if (range.has_ports)
        return {range.first_port, uint32_t{range.last_port} - range.first_port + 1};
    if (is_icmp(tuple.protocol)) return {0, 65536};
    if (manip == Manip::Destination) return {0, 0};
    const uint16_t port = port_in(tuple, manip);
    if (port < 512) return {1, 511};
    if (port < 1024) return {600, 1023 - 600 + 1};
    return {1024, 65535 - 1024 + 1};
}

// Leaves in `tuple` a port that is free and comes home; else one that is free; else a taken one; a
// reserved one when no other was tried.
void search_port(TupleSpace& space, const NatRange& range, Manip manip, Tuple& tuple) noexcept {
    const PortInterval interval = interval_of(tuple, manip, range);
    if (interval.count == 0) return;
    uint32_t offset = 0;
    if (range.base_port != 0)
        offset = uint32_t{port_in(tuple, manip)} - range.base_port;
    else if (range.is_random || manip == Manip::Source)
        offset = space.random.next() & 0xffff;
    // Who names a single port wants that one.
    const bool is_guarded = manip == Manip::Source && interval.count > 1;
    std::optional<Tuple> second_best, taken;
    uint32_t attempts = std::min(interval.count, kMaxAttempts);
    for (;;) {
        for (uint32_t left = attempts; left != 0; --left, ++offset) {
            port_of(tuple, manip) =
                be16::from_host(static_cast<uint16_t>(interval.first + offset % interval.count));
            if (is_guarded && space.is_reserved(tuple)) continue;
            if (space.is_taken_hard(tuple, left)) {
                taken = tuple;
                continue;
            }
            if (space.comes_home(tuple)) return;
            if (!second_best) second_best = tuple;
        }
        if (attempts >= interval.count || attempts < kLeastAttempts) break;
        attempts /= 2;
        offset = space.random.next() & 0xffff;
    }
    if (second_best)
        tuple = *second_best;
    else if (taken)
        tuple = *taken;
}

}  // namespace

NatRange range_of(const NatAction& action, Manip manip, const Tuple& tuple,
                  const AddressBytes& interface_address) noexcept {
    NatRange range{.has_addresses = true,
                   .has_ports = action.has_ports,
                   .is_random = action.is_random,
                   .is_persistent = action.is_persistent,
                   .first = action.first,
                   .last = action.last,
                   .first_port = action.first_port,
                   .last_port = action.last_port,
                   .base_port = action.base_port};
    if (action.kind == NatKind::Masquerade || action.kind == NatKind::Redirect) {
        range.first = range.last = interface_address;
    } else if (action.kind == NatKind::Netmap) {
        // The bits in which the network's ends differ are the host's.
        const AddressBytes& host = manip == Manip::Source ? tuple.src : tuple.dst;
        for (size_t at = 0; at < host.size(); ++at) {
            const uint8_t mask = static_cast<uint8_t>(action.first[at] ^ action.last[at]);
            range.first[at] = static_cast<uint8_t>(action.first[at] | (host[at] & mask));
        }
        range.last = range.first;
    }
    // A DNAT without an address changes the port alone.
    if (action.kind == NatKind::Dnat && action.family == Family::None) range.has_addresses = false;
    return range;
}

bool TupleSpace::is_taken(const Tuple& translated) noexcept {
    const TableEntry entry = flows.keys().find(invert(translated));
    if (entry.is_none()) return false;
    if (entry.is_foreign()) return true;
    if (!is_past(flows.flow(entry.index()).deadline.load(), now)) return true;
    flows.erase(entry.index());
    ++expired;
    return false;
}

bool TupleSpace::is_taken_hard(const Tuple& translated, uint32_t attempts_left) noexcept {
    if (!is_taken(translated)) return false;
    if (attempts_left > kHardAttempts || translated.protocol != ip_protocol::kTcp) return true;
    const TableEntry entry = flows.keys().find(invert(translated));
    if (entry.is_none() || entry.is_foreign()) return true;
    const Flow& other = flows.flow(entry.index());
    const auto state = static_cast<TcpState>(other.state.load());
    const bool has_ended = state == TcpState::TimeWait || state == TcpState::Close;
    if (!has_ended || !other.has(flow_status::kSrcNat) || other.has(flow_status::kFixedTimeout))
        return true;
    // The new connection's numbers must be ahead of the old one's, or its segments might be taken
    // for those (RFC 6191).
    if (static_cast<int32_t>(starting.tcp.side[0].end - other.tcp.side[0].end) <= 0) return true;
    flows.erase(entry.index());
    ++killed;
    return false;
}

void bind(TupleSpace& space, Binding& binding, Manip manip, const NatRange& range) noexcept {
    const Tuple present = binding.translated;
    Tuple tuple = present;
    const bool is_single = range.has_ports && range.first_port == range.last_port;
    // What the flow has without this half need not move, and comes home as it is.
    const auto is_good = [&](const Tuple& candidate) {
        return !space.is_taken(candidate) &&
               (candidate == binding.original || space.comes_home(candidate)) &&
               (is_single || binding.keeps_source(candidate) || !space.is_reserved(candidate));
    };
    if (manip == Manip::Source && !range.is_random) {
        if (is_in(present, manip, range)) {
            if (is_good(present)) return;
        } else if (reuse_mapping(space, present, range, tuple) && is_good(tuple)) {
            binding.translated = tuple;
            return;
        }
        tuple = present;
    }
    pick_address(space.flows, range, manip, tuple);
    binding.translated = tuple;
    // The source's half, which follows, brings replies home.
    const auto is_kept = [&](const Tuple& candidate) {
        return manip == Manip::Destination ? !space.is_taken(candidate) : is_good(candidate);
    };
    if (!range.is_random) {
        if (range.has_ports) {
            if (range.base_port == 0 && is_port_in(tuple, manip, range) &&
                (is_single || is_kept(tuple)))
                return;
        } else if (is_kept(tuple)) {
            return;
        }
    }
    search_port(space, range, manip, binding.translated);
}

}  // namespace rampart
