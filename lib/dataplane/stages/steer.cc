// steer: every packet to the worker that owns its flow.
#include "dataplane/datagram_mark.h"
#include "dataplane/stages.h"

namespace rampart {
namespace {

// Keeps the batch's own packets and marks the others for their owners.
void keep_own(Burst& burst, KeyBatch& batch, const WorkerContext& context) noexcept {
    batch.keep_if([&](uint32_t i, uint32_t hash) {
        const bool was_handed = burst.is_handed && !(burst.arrived & bit(i));
        const bool is_unspread =
            was_handed || is_datagram(burst.mbuf[i]) || burst.from_kernel & bit(i);
        const uint16_t owner =
            context.steering.owner_of(burst.packet[i], is_unspread, hash, context.worker);
        if (owner == context.worker) return true;
        if (was_handed) {  // whoever handed it over knew more
            burst.visiting |= bit(i);
            return true;
        }
        burst.verdict[i] = Verdict::Consumed;
        burst.owner[i] = static_cast<uint8_t>(owner);
        return false;
    });
}

}  // namespace

void steer(Burst& burst, WorkerContext& context) noexcept {
    const KeyTable& keys = context.flows.keys();
    if (burst.keys4.count != 0) keys.hash(burst.keys4, Family::Ipv4);
    if (burst.keys6.count != 0) keys.hash(burst.keys6, Family::Ipv6);
    if (context.steering.mode() == SteeringMode::Single) return;
    keep_own(burst, burst.keys4, context);
    keep_own(burst, burst.keys6, context);
}

}  // namespace rampart
