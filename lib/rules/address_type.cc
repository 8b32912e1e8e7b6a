#include "rules/address_type.h"

#include <fmt/format.h>

#include "base/endian.h"
#include "routing/route_lookup.h"
#include "rules/words.h"

namespace rampart {

namespace {

using TypeMask = uint8_t;

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> kNames = {"local", "broadcast", "multicast",
                                                         "unicast"};
    return kNames;
}

}  // namespace

bool is_multicast_address(Family family, const AddressBytes& address) noexcept {
    return family == Family::Ipv4 ? (address[0] & 0xf0) == 0xe0 : address[0] == 0xff;
}

AddressType type_of(Family family, const AddressBytes& address,
                    const RouteLookup& routing) noexcept {
    if (is_multicast_address(family, address)) return AddressType::Multicast;
    const bool is_v4 = family == Family::Ipv4;
    if (is_v4 && (address[0] == 0 || load<uint32_t>(address.data()) == 0xffffffff))
        return AddressType::Broadcast;
    const Route route = routing.find(family, address, 0);
    if (route.kind != RouteKind::Local) return AddressType::Unicast;
    return route.is_broadcast ? AddressType::Broadcast : AddressType::Local;
}

Arguments parse_address_types(const Value& value, ParseContext& context) {
    const bool is_routed = check_routed(context);
    const auto mask = static_cast<TypeMask>(parse_word_set(value, "type", names(), context));
    return mask == 0 || !is_routed ? Arguments() : Arguments::make(mask);
}

std::string print_address_types(const Arguments& arguments, const Names&) {
    return print_word_set(arguments.as<TypeMask>(), names());
}

bool evaluate_address_types(const Arguments& arguments, const RuleInput& input,
                            const AddressBytes& address) noexcept {
    if (input.routing == nullptr) return false;
    const AddressType type = type_of(input.tuple.family, address, *input.routing);
    return arguments.as<TypeMask>() >> static_cast<unsigned>(type) & 1;
}

bool check_routed(ParseContext& context) {
    if (context.names.has_routed_interfaces()) return true;
    context.diagnostics.error(
        "E016", context.key_location,
        fmt::format("'{}' asks the routes, and all interfaces are bridged", context.key),
        "an interface without 'bridge' is routed");
    return false;
}

}  // namespace rampart
