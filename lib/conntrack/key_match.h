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
    return is_equal(arrays.flows[word >> 1].key, key);
}

// The key is written as the original tuple, or as its opposite; the lowest bit says which.
inline bool is_plain_of(const FlowArrays& arrays, uint32_t word, const FlowKey6& key) noexcept {
    static_assert(offsetof(Tuple, dst) == 16 && offsetof(Tuple, src_port) == 32 &&
                  offsetof(Tuple, protocol) == 36 && offsetof(Tuple, family) == 37 &&
                  offsetof(Tuple, zone) == 38);
    static_assert(offsetof(FlowKey6, low_port) == 32 && offsetof(FlowKey6, zone) == 36 &&
                  offsetof(FlowKey6, protocol) == 38);
    static_assert(offsetof(FlowInfo, original) == 0);
    const SeqCell<FlowInfo>& info = arrays.info[word >> 1];
    const auto* wanted = reinterpret_cast<const uint8_t*>(&key);
    const unsigned turned = word & 1;
    const uint64_t rest = info.own_word(4);
    const uint32_t ports = std::rotl(static_cast<uint32_t>(rest), static_cast<int>(16 * turned));
    const uint64_t zone = rest >> 48, protocol = rest >> 32 & 0xff, family = rest >> 40 & 0xff;
    return ((info.own_word(2 * turned) ^ load<uint64_t>(wanted)) |
            (info.own_word(2 * turned + 1) ^ load<uint64_t>(wanted + 8)) |
            (info.own_word(2 - 2 * turned) ^ load<uint64_t>(wanted + 16)) |
            (info.own_word(3 - 2 * turned) ^ load<uint64_t>(wanted + 24)) |
            ((ports | zone << 32 | protocol << 48) ^ load<uint64_t>(wanted + 32)) |
            (family ^ static_cast<uint64_t>(Family::Ipv6))) == 0;
}

// Of a translated flow's entry. What its packets need next tells, of all but ICMP's. False: look
// closer.
inline bool is_one_way_of(const FlowArrays& arrays, uint32_t word, const FlowKey4& key) noexcept {
    const TableEntry entry = TagIndex::entry_of(word);
    if (entry.is_foreign()) return false;
    const bool swapped = !entry.covers(false);
    static_assert(offsetof(Rewrite4, dst) == 4 && offsetof(Rewrite4, src_port) == 8 &&
                  offsetof(Rewrite4, dst_port) == 10);
    const auto* original = reinterpret_cast<const uint8_t*>(&arrays.flows[entry.index()].key);
    const auto* forth =
        reinterpret_cast<const uint8_t*>(&arrays.forwarding[entry.index()].rewrite[0]);
    const auto* wanted = reinterpret_cast<const uint8_t*>(&key);
    const uint64_t addresses = load<uint64_t>(original), rest = load<uint64_t>(original + 8);
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
