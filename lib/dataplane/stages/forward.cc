// forward: the port a packet would leave by, before the rules ask for it.
//
// Bridge pairs: the other port. The routed mode will look up routes and neighbours here.
#include "dataplane/stages.h"

namespace rampart {

void forward(Burst& burst, WorkerContext& context) noexcept {
    const std::vector<Interface>& interfaces = context.snapshot->ruleset.names.interfaces;
    for_each(burst.tracked | burst.starting | burst.flowless, [&](uint32_t i) {
        Packet& packet = burst.packet[i];
        packet.out_port = interfaces[packet.in_port].bridge_peer;
        if (packet.out_port != kNoInterface) return;
        burst.tracked &= ~bit(i);
        burst.starting &= ~bit(i);
        burst.flowless &= ~bit(i);
        burst.drop(i, DropReason::NoPeer);
    });
}

}  // namespace rampart
