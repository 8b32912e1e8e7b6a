// RuleKey: a packet as the classifier sees it, one cache line.
//
//   IPv4   src, dst                  ports, attributes 0..6
//   IPv6   src (4 words), dst (4)    ports, attributes 0..6
//
// Addresses are host-order words, the first the most significant; ports are src << 16 | dst, as the
// tuple has them. Trees read pairs of words as 64-bit windows, so addresses end at an even word.
// Written and read by one worker, on its stack or in its context.
#pragma once

#include <cstdint>

#include "packet/tuple.h"
#include "rules/classifier/attributes.h"
#include "rules/interface.h"

namespace rampart {

inline constexpr unsigned kAddressWords4 = 2, kAddressWords6 = 8;

struct alignas(64) RuleKey {
    uint32_t word[16];
};
static_assert(kAddressWords6 + 1 + kAttributeWords == 16);

// What of a RuleInput the key depends on. No statement changes it.
struct KeySource {
    const Tuple& tuple;
    CtClass ct_class;
    Direction direction;
    InterfaceIndex in;
    InterfaceIndex out;
};

inline void make_key(RuleKey& key, const KeySource& input, const Attributes& attributes) noexcept {
    const Tuple& tuple = input.tuple;
    unsigned at = 0;
    if (tuple.family == Family::Ipv4) {
        key.word[0] = load_host32(tuple.src.data());
        key.word[1] = load_host32(tuple.dst.data());
        at = kAddressWords4;
    } else {
        for (unsigned i = 0; i < 4; ++i) {
            key.word[i] = load_host32(tuple.src.data() + 4 * i);
            key.word[4 + i] = load_host32(tuple.dst.data() + 4 * i);
        }
        at = kAddressWords6;
    }
    key.word[at] = uint32_t{tuple.src_port.host()} << 16 | tuple.dst_port.host();
    attributes.key_bits(
        &key.word[at + 1], tuple.protocol, static_cast<unsigned>(presence_bit(input.in)),
        static_cast<unsigned>(presence_bit(input.out)), ct_state(input.ct_class, input.direction));
}

}  // namespace rampart
