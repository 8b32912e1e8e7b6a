// AddressType: what an address is to this box, by its routes: the values of `src_type`, `dst_type`.
//
// As Linux tells addresses apart (RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST, RTN_UNICAST): whatever
// is none of the first three is unicast, whether there is a route to it or not. Parsed by the
// loader, immutable; type_of() is on the packet path.
#pragma once

#include <cstdint>
#include <string>

#include "rules/match.h"

namespace rampart {

enum class AddressType : uint8_t { Local, Broadcast, Multicast, Unicast };

AddressType type_of(Family family, const AddressBytes& address,
                    const RouteLookup& routing) noexcept;
bool is_multicast_address(Family family, const AddressBytes& address) noexcept;

Arguments parse_address_types(const Value& value, ParseContext& context);
std::string print_address_types(const Arguments& arguments, const Names& names);
// False without routes.
bool evaluate_address_types(const Arguments& arguments, const RuleInput& input,
                            const AddressBytes& address) noexcept;

// E016 where nothing is routed: the match that is being parsed would never hold.
bool check_routed(ParseContext& context);

}  // namespace rampart
