// steer: every packet to the worker that owns its flow.
#include "dataplane/stages.h"

namespace rampart {
namespace {

void hash_family(Burst& burst, Family family, const FlowTable& flows) noexcept {
    const Packet* packets[kBurstSize];
    uint32_t hashes[kBurstSize];
    uint8_t positions[kBurstSize];
    uint32_t count = 0;
    for_each(burst.keyed, [&](uint32_t i) {
        if (burst.packet[i].family != family) return;
        packets[count] = &burst.packet[i];
        positions[count++] = static_cast<uint8_t>(i);
    });
    if (count == 0) return;
    flows.hash_keys(packets, family, count, hashes);
    for (uint32_t at = 0; at < count; ++at) burst.hash[positions[at]] = hashes[at];
}

}  // namespace

void steer(Burst& burst, WorkerContext& context) noexcept {
    hash_family(burst, Family::Ipv4, context.flows);
    hash_family(burst, Family::Ipv6, context.flows);
    if (context.steering.mode() == SteeringMode::Single) return;
    for_each(burst.keyed, [&](uint32_t i) {
        const uint16_t owner =
            context.steering.owner_of(burst.packet[i], burst.hash[i], context.worker);
        if (owner == context.worker) return;
        burst.keyed &= ~bit(i);
        burst.verdict[i] = Verdict::Consumed;
        burst.owner[i] = static_cast<uint8_t>(owner);
    });
}

}  // namespace rampart
