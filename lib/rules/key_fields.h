// KeyFields: what packets must have in common to share a bucket or a count, as in
// `per: [src, dport], mask: 24, mask6: 64`.
//
// Masks apply to the addresses that are named. Packets of the two address families never share a
// key. Parsed by the loader, immutable; key_of() is on the packet path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "conntrack/keyed_hash.h"
#include "rules/match.h"

namespace rampart {

struct KeyFields {
    enum Field : uint8_t { Src = 1, Dst = 2, Sport = 4, Dport = 8, In = 16 };
    uint8_t fields = 0;
    uint8_t mask4 = 32;
    uint8_t mask6 = 128;

    bool operator==(const KeyFields&) const = default;

    // Names the key of a packet.
    uint64_t key_of(const RuleInput& input, const KeyedHash& hash) const noexcept;
    // "per: [src, dport], mask: 24"; masks only when they are not the whole address.
    std::string print() const;
};

// Reads `per`, `mask` or `mask6`; false when `entry` is none of them. What is wrong is reported,
// and `is_good` then cleared.
bool read_key_field(const Value::Entry& entry, KeyFields& fields, ParseContext& context,
                    bool& is_good);
// After all entries: a mask needs an address.
bool check_key_fields(const Value& map, const KeyFields& fields, ParseContext& context);
// A whole number between `min` and `max`; reports E005.
std::optional<uint32_t> read_number(const Value::Entry& entry, uint32_t min, uint32_t max,
                                    ParseContext& context);

}  // namespace rampart
