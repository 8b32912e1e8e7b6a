// Key matches: whether a packet's key is that of the flow that the TagIndex proposes.
//
// The index keeps no keys; they are compared where the flow keeps what it needs anyway. A word is
// what the index holds (tag_index.h). Inline: once per packet, without branches where data decide.
// Called by the worker that owns the flows.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "conntrack/flow_arrays.h"
#include "conntrack/table_entry.h"
#include "conntrack/tag_index.h"
#include "packet/packet.h"

namespace rampart {

inline bool is_equal(const FlowKey4& a, const FlowKey4& b) noexcept {
    const auto* first = reinterpret_cast<const uint8_t*>(&a);
    const auto* second = reinterpret_cast<const uint8_t*>(&b);
    return ((load<uint64_t>(first) ^ load<uint64_t>(second)) |
            (load<uint64_t>(first + 8) ^ load<uint64_t>(second + 8))) == 0;
}

// Of a plain entry.
inline bool is_plain_of(const FlowArrays& arrays, uint32_t word, const FlowKey4& key) noexcept {
    const StoredKey& own = arrays.flows[word >> 1].key;
    const auto* wanted = reinterpret_cast<const uint8_t*>(&key);
    return ((own.addresses.load() ^ load<uint64_t>(wanted)) |
            (own.rest.load() ^ load<uint64_t>(wanted + 8))) == 0;
}

inline bool is_plain_of(const FlowArrays& arrays, uint32_t word, const FlowKey6& key) noexcept {
    const auto* wanted = reinterpret_cast<const uint8_t*>(&key);
    if ((arrays.flows[word >> 1].key.rest.load() ^ load<uint64_t>(wanted + 32)) != StoredKey::kIpv6)
        return false;
    const StoredAddresses& own = arrays.addresses6[word >> 1];
    return ((own.words[0].load() ^ load<uint64_t>(wanted)) |
            (own.words[1].load() ^ load<uint64_t>(wanted + 8)) |
            (own.words[2].load() ^ load<uint64_t>(wanted + 16)) |
            (own.words[3].load() ^ load<uint64_t>(wanted + 24))) == 0;
}

// Of a translated flow's entry. What its packets need next tells, of all but ICMP's. False: look
// closer.
inline bool is_one_way_of(const FlowArrays& arrays, uint32_t word, const FlowKey4& key) noexcept {
    const TableEntry entry = TagIndex::entry_of(word);
    if (entry.is_foreign()) return false;
    const bool swapped = !entry.covers(false);
    static_assert(offsetof(Rewrite4, dst) == 4 && offsetof(Rewrite4, src_port) == 8 &&
                  offsetof(Rewrite4, dst_port) == 10);
    const StoredKey& own = arrays.flows[entry.index()].key;
    const auto* forth =
        reinterpret_cast<const uint8_t*>(&arrays.forwarding[entry.index()].rewrite[0]);
    const auto* wanted = reinterpret_cast<const uint8_t*>(&key);
    const uint64_t addresses = own.addresses.load(), rest = own.rest.load();
    // Replies come from where the original packets go. Which of both it is is anybody's guess.
    const int turned = !swapped;
    const uint64_t reply = std::rotl(load<uint64_t>(forth), 32 * turned);
    const uint64_t reply_rest =
        rest >> 32 << 32 | std::rotl(load<uint32_t>(forth + 8), 16 * turned);
    const uint64_t mask =
        0 - static_cast<uint64_t>(entry.toward(swapped).direction() == Direction::Reply);
    return ((addresses ^ ((addresses ^ reply) & mask) ^ load<uint64_t>(wanted)) |
            (rest ^ ((rest ^ reply_rest) & mask) ^ load<uint64_t>(wanted + 8))) == 0 &&
           key.protocol != ip_protocol::kIcmp;
}
inline bool is_one_way_of(const FlowArrays&, uint32_t, const FlowKey6&) noexcept {
    return false;
}

}  // namespace rampart
