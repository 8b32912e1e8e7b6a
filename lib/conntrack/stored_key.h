// StoredKey: the key of a flow, where packets are compared with it and control reads it.
//
//   StoredKey        in the Flow: the addresses of IPv4; ports, zone, protocol and which family
//   StoredAddresses  beside it (another array, same index): the addresses of IPv6
//
// The tuple of a flow is its key, in the order that its first packet had, so that neither is kept
// twice. Laid out as FlowKey4 and FlowKey6 are. The worker writes; each word is read whole, and
// that words belong to one flow FlowRecord tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/endian.h"
#include "base/shared.h"
#include "packet/tuple.h"

namespace rampart {

struct StoredAddresses {
    Shared<uint64_t> words[4];  // worker: rw, control: ro; the lower address, the higher one
};

struct StoredKey {
    Shared<uint64_t> addresses;  // worker: rw, control: ro; zero for IPv6
    Shared<uint64_t> rest;       // worker: rw, control: ro

    // In the last byte of `rest`, which keys of packets leave zero.
    static constexpr uint64_t kIpv6 = uint64_t{1} << 56;
    bool is_ipv6() const noexcept { return rest.load() & kIpv6; }
    uint8_t protocol() const noexcept { return static_cast<uint8_t>(rest.load() >> 48); }

    void store(const FlowKey4& key) noexcept {
        const auto* bytes = reinterpret_cast<const uint8_t*>(&key);
        addresses.store(load<uint64_t>(bytes));
        rest.store(load<uint64_t>(bytes + 8));
    }
    void store(const FlowKey6& key, StoredAddresses& its_addresses) noexcept {
        const auto* bytes = reinterpret_cast<const uint8_t*>(&key);
        for (size_t word = 0; word < 4; ++word)
            its_addresses.words[word].store(load<uint64_t>(bytes + 8 * word));
        addresses.store(0);
        rest.store(load<uint64_t>(bytes + 32) | kIpv6);
    }
    FlowKey4 key4() const noexcept {
        const uint64_t words[] = {addresses.load(), rest.load()};
        FlowKey4 key;
        std::memcpy(static_cast<void*>(&key), words, sizeof(words));
        return key;
    }
    FlowKey6 key6(const StoredAddresses& its_addresses) const noexcept {
        const uint64_t words[] = {its_addresses.words[0].load(), its_addresses.words[1].load(),
                                  its_addresses.words[2].load(), its_addresses.words[3].load(),
                                  rest.load() & ~kIpv6};
        FlowKey6 key;
        std::memcpy(static_cast<void*>(&key), words, sizeof(words));
        return key;
    }
};
static_assert(offsetof(FlowKey4, protocol) == 14 && offsetof(FlowKey4, pad) == 15);
static_assert(offsetof(FlowKey6, low_port) == 32 && offsetof(FlowKey6, protocol) == 38);

}  // namespace rampart
