#include "dataplane/steering.h"

#include <rte_thash.h>

#include "packet/parser.h"

namespace rampart {

// The quoted packet's own tuple and its inverse have the same hash under a symmetric key, so it
// does not matter which of the two directions is computed.
uint16_t Steering::hardware_owner(const Packet& packet, uint16_t self) const noexcept {
    return hardware_owner(packet.is_icmp_error ? embedded_tuple_of(packet) : tuple_of(packet),
                          self);
}

uint16_t Steering::hardware_owner(const Tuple& tuple, uint16_t self) const noexcept {
    const bool has_ports =
        tuple.protocol == ip_protocol::kTcp || tuple.protocol == ip_protocol::kUdp;
    uint32_t input[9];
    uint32_t words = 0;
    const size_t bytes = tuple.family == Family::Ipv4 ? 4 : 16;
    for (const AddressBytes* address : {&tuple.src, &tuple.dst})
        for (size_t at = 0; at < bytes; at += 4)
            input[words++] = load_host32(address->data() + at);
    if (has_ports) input[words++] = uint32_t{tuple.src_port.host()} << 16 | tuple.dst_port.host();
    const uint32_t hash = rte_softrss(input, words, rss_.key.data());
    const uint16_t queue = rss_.queues[hash % rss_.queues.size()];
    return queue < workers_ ? queue : self;
}

}  // namespace rampart
