// Rule sets in the manner of ClassBench (Taylor and Turner, INFOCOM 2005), and packets for them.
//
// Three flavours: acl (an access list of a provider: specific destinations, exact ports), fw (a
// firewall: one side often open, ranges of ports), ipc (chains of Linux hosts: a mixture).
// Prefixes come from a tree of networks, so they nest and overlap. Deterministic by seed.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "rules/classifier/projection.h"

namespace rampart::bench {

struct Filter {
    AddressBytes src{}, dst{};  // network order, host bits clear
    unsigned src_length = 0, dst_length = 0;
    uint16_t first_src_port = 0, last_src_port = 0xffff;
    uint16_t first_dst_port = 0, last_dst_port = 0xffff;
    int protocol = -1;  // -1: any
};

struct Header {
    AddressBytes src{}, dst{};
    uint16_t src_port = 0, dst_port = 0;
    uint8_t protocol = 0;
};

enum class Flavour : uint8_t { Acl, Fw, Ipc };
inline constexpr Flavour kFlavours[] = {Flavour::Acl, Flavour::Fw, Flavour::Ipc};
std::string_view to_string(Flavour flavour) noexcept;

// `count` different filters, in order of priority.
std::vector<Filter> make_filters(Flavour flavour, Family family, size_t count, uint64_t seed);
// A header inside a filter drawn at random.
Header header_inside(const Filter& filter, Family family, std::mt19937_64& random);
Projection projection_of(const Filter& filter, Family family);

// CPU time of this thread: what other programs do meanwhile does not count.
double thread_ms() noexcept;

}  // namespace rampart::bench
