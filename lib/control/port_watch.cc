#include "control/port_watch.h"

#include <spdlog/spdlog.h>

#include "kernel/listening_ports.h"
#include "nat/reserved_ports.h"
#include "rules/classifier/projection.h"

namespace rampart {
namespace {

bool forwards(const Rule& rule) noexcept {
    const NatAction* action = rule.decision.nat.get();
    return action != nullptr &&
           (action->kind == NatKind::Dnat || action->kind == NatKind::Redirect);
}

}  // namespace

PortSets forwarded_ports(const Ruleset& ruleset) {
    PortSets ports;
    if (ruleset.prerouting == Ruleset::kNoChain) return ports;
    for (const Rule& rule : ruleset.chains[static_cast<size_t>(ruleset.prerouting)].rules) {
        if (!forwards(rule)) continue;
        const Projection projection = project(rule);
        PortSet named;
        for (const Interval<uint16_t>& run : projection.dst_port.runs())
            for (uint32_t port = run.first; port <= run.last; ++port)
                named.set(port);
        if (named.count() > PortWatch::kMaxForwarded) continue;
        if (projection.protocols[ip_protocol::kTcp]) ports.tcp |= named;
        if (projection.protocols[ip_protocol::kUdp]) ports.udp |= named;
    }
    return ports;
}

void PortWatch::follow(const Ruleset& ruleset) {
    forwarded_ = forwarded_ports(ruleset);
    assign();
}

void PortWatch::each_second() {
    if (!is_routed_) return;
    auto ports = read_listening_ports();
    if (!ports) {
        if (!has_failed_)
            spdlog::warn("nat: {}; sources may be translated to such ports", ports.error().message);
        has_failed_ = true;
        return;
    }
    has_failed_ = false;
    if (ports->tcp == listening_.tcp && ports->udp == listening_.udp) return;
    listening_ = std::move(*ports);
    assign();
}

void PortWatch::assign() {
    reserved_.assign({listening_.tcp | forwarded_.tcp, listening_.udp | forwarded_.udp});
}

}  // namespace rampart
