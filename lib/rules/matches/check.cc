// `check`: the packet came from where no answer would go to (RFC 3704).

#include "base/endian.h"
#include "routing/route_lookup.h"
#include "rules/address_type.h"
#include "rules/matches/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

enum class Check : uint8_t { Strict, Loose };

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> kNames = {"rpf", "rpf_loose"};
    return kNames;
}

Arguments parse(const Value& value, ParseContext& context) {
    if (!check_routed(context)) return {};
    const bool is_list = !value.is_scalar();
    if (is_list) {
        context.diagnostics.error("E005", value.location(), "'check' is rpf or rpf_loose");
        return {};
    }
    const uint32_t word = parse_word_set(value, "check", names(), context);
    if (word == 0) return {};
    return Arguments::make(word == 1 ? Check::Strict : Check::Loose);
}

// Sources that have no route and are none of our business: a host without an address that asks for
// one, and neighbours that speak with their link's addresses.
bool is_exempt(const Tuple& tuple) noexcept {
    if (tuple.family == Family::Ipv4) {
        const bool is_local_group = tuple.dst[0] == 224 && tuple.dst[1] == 0 && tuple.dst[2] == 0;
        return tuple.src[0] == 0 &&
               (is_local_group || load<uint32_t>(tuple.dst.data()) == 0xffffffff);
    }
    const bool is_link_local = tuple.src[0] == 0xfe && (tuple.src[1] & 0xc0) == 0x80;
    return is_link_local || tuple.src == AddressBytes{};
}

// Of a route with several hops each one is right.
bool leads_to(const RouteLookup& routing, const Tuple& tuple, InterfaceIndex interface) noexcept {
    constexpr unsigned kTries = 16;
    constexpr uint32_t kStep = 0x9e3779b9;  // spreads the hashes
    for (unsigned i = 0; i < kTries; ++i) {
        const Route route = routing.find(tuple.family, tuple.src, i * kStep);
        if (route.kind != RouteKind::OnLink && route.kind != RouteKind::Gateway) return false;
        if (route.interface == interface) return true;
    }
    return false;
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    if (input.routing == nullptr || is_exempt(input.tuple)) return false;
    if (arguments.as<Check>() == Check::Strict)
        return !leads_to(*input.routing, input.tuple, input.in);
    const Route route = input.routing->find(input.tuple.family, input.tuple.src, 0);
    return route.kind != RouteKind::OnLink && route.kind != RouteKind::Gateway;
}

std::string print(const Arguments& arguments, const Names&) {
    return std::string(names()[static_cast<size_t>(arguments.as<Check>())]);
}

}  // namespace

const MatchType kMatchCheck = {
    .key = "check",
    .dependence = Dependence::Packet,  // routes change
    .hooks = mask_of(Hook::Raw) | mask_of(Hook::Prerouting) | mask_of(Hook::Input) |
             mask_of(Hook::Forward),
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary = "The packet fails the reverse path check: its source is reached by another "
                       "interface (rpf), or by none at all (rpf_loose).",
            .values = "rpf or rpf_loose",
            .example = "{ in: wan, check: rpf, action: drop }",
            .iptables = "-m rpfilter --invert",
            .nft = "fib saddr . iif oif missing",
        },
};

}  // namespace rampart
