// `route`: the routes that workers follow, and `route get`: where a packet would go.
#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/verbs.h"
#include "control/controller.h"
#include "control/slice_timer.h"

namespace rampart {
namespace {

constexpr size_t kRoutesPerStep = 32;

std::string_view name_of(RouteKind kind) {
    switch (kind) {
        case RouteKind::NoRoute:
            return "throw";
        case RouteKind::Local:
            return "local";
        case RouteKind::OnLink:
        case RouteKind::Gateway:
            return "unicast";
        case RouteKind::Blackhole:
            return "blackhole";
        case RouteKind::Unreachable:
            return "unreachable";
        case RouteKind::Prohibit:
            return "prohibit";
    }
    return "?";
}

std::string name_of(InterfaceIndex index, const Names& names) {
    return index < names.interfaces.size() ? names.interfaces[index].name : "-";
}

std::string hop_text(const Routing::Hop& hop, const Names& names) {
    std::string text;
    if (hop.family != Family::None)
        text += " via " + IpAddress{hop.gateway, hop.family}.to_string();
    if (hop.interface != kNoInterface) text += " dev " + name_of(hop.interface, names);
    return text;
}

// As ip-route(8) writes it.
std::string to_text(const Routing::RouteEntry& route, const Names& names) {
    const bool is_usual = route.kind == RouteKind::OnLink;
    std::string text = is_usual ? "" : std::string(name_of(route.kind)) + " ";
    text += route.prefix.length == 0 ? "default" : route.prefix.to_string();
    if (route.hops.size() == 1) text += hop_text(route.hops[0], names);
    if (route.metric != 0) text += fmt::format(" metric {}", route.metric);
    text += '\n';
    for (size_t i = 0; route.hops.size() > 1 && i < route.hops.size(); ++i)
        text += fmt::format("    nexthop{} weight {}\n", hop_text(route.hops[i], names),
                            route.hops[i].weight);
    return text;
}

Json to_json(const Routing::Hop& hop, const Names& names) {
    Json json = Json::object();
    if (hop.family != Family::None)
        json["gateway"] = IpAddress{hop.gateway, hop.family}.to_string();
    if (hop.interface != kNoInterface) json["interface"] = name_of(hop.interface, names);
    return json;
}

Json to_json(const Routing::RouteEntry& route, const Names& names) {
    Json json{{"destination", route.prefix.to_string()},
              {"kind", name_of(route.kind)},
              {"metric", route.metric},
              {"hops", Json::array()}};
    for (const Routing::Hop& hop : route.hops) {
        Json one = to_json(hop, names);
        one["weight"] = hop.weight;
        json["hops"].push_back(std::move(one));
    }
    return json;
}

// In slices: there may be tens of thousands.
class RouteWalk final : public ReplyStream {
  public:
    RouteWalk(std::vector<Routing::RouteEntry> routes, Names names, bool json)
        : routes_(std::move(routes)), names_(std::move(names)), json_(json) {}

    Next produce(ReplyPiece& piece) override {
        const SliceTimer timer;
        if (at_ == 0 && json_) piece.out += "{\"routes\":[";
        while (at_ < routes_.size()) {
            for (size_t i = 0; i < kRoutesPerStep && at_ < routes_.size(); ++i, ++at_) {
                if (json_ && at_ > 0) piece.out += ',';
                piece.out +=
                    json_ ? to_json(routes_[at_], names_).dump() : to_text(routes_[at_], names_);
            }
            if (timer.is_over() || piece.out.size() >= kPieceBytes) return Next::More;
        }
        if (json_) piece.out += "]}";
        return Next::Done;
    }
    int exit_status() const override { return exit_code::kOk; }

  private:
    std::vector<Routing::RouteEntry> routes_;
    Names names_;
    bool json_;
    size_t at_ = 0;
};

CommandOutput not_routed() {
    return CommandOutput::failed(exit_code::kFailure,
                                 "no port is routed: there are no routes to follow\n");
}

CommandOutput run_list(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("The routes that packets follow, mirrored from the kernel.");
    bool only4 = false, only6 = false;
    parser.flag("-4", only4, "only IPv4");
    parser.flag("-6", only6, "only IPv6");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    KernelPath* path = controller.datapath().kernel_path();
    if (path == nullptr) return not_routed();
    std::vector<Routing::RouteEntry> routes;
    path->run_inside([&] { routes = path->routing().routes(); });
    std::erase_if(routes, [&](const Routing::RouteEntry& route) {
        const bool is_ipv4 = route.prefix.address.family == Family::Ipv4;
        return only4 != only6 && is_ipv4 != only4;
    });
    CommandOutput output;
    output.stream = std::make_unique<RouteWalk>(
        std::move(routes), controller.publisher().current().ruleset.names, request.json);
    return output;
}

// What a worker would learn.
struct Way {
    Route route;
    AddressBytes source{};
    bool has_source = false;
    NeighbourWord neighbour;
};

Way find_way(const Routing& routing, const IpAddress& destination) {
    Way way;
    way.route = routing.find(destination.family, destination.bytes, 0);
    const bool is_gateway = way.route.kind == RouteKind::Gateway;
    if (!is_gateway && way.route.kind != RouteKind::OnLink) return way;
    const Family family = is_gateway ? way.route.next_hop_family : destination.family;
    const AddressBytes& hop = is_gateway ? way.route.next_hop : destination.bytes;
    way.has_source =
        routing.source_address(way.route.interface, destination.family,
                               family == destination.family ? hop : destination.bytes, way.source);
    const NeighbourSlot slot = routing.find_neighbour({way.route.interface, family, hop});
    if (slot != kNoNeighbour) way.neighbour = routing.neighbour(slot);
    return way;
}

CommandOutput run_get(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Where a packet to this address would go.");
    std::string text;
    parser.required("address", text, "an IPv4 or IPv6 address");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    const auto destination = IpAddress::parse(text);
    if (!destination)
        return CommandOutput::failed(
            exit_code::kUsage, fmt::format("route get: {} is no address\n", rampart::quoted(text)));
    KernelPath* path = controller.datapath().kernel_path();
    if (path == nullptr) return not_routed();
    Way way;
    path->run_inside([&] { way = find_way(path->routing(), *destination); });

    const Names& names = controller.publisher().current().ruleset.names;
    const bool is_gateway = way.route.kind == RouteKind::Gateway;
    const Routing::Hop hop{way.route.interface,
                           is_gateway ? way.route.next_hop_family : Family::None,
                           way.route.next_hop, 1};
    const std::string kind(way.route.kind == RouteKind::NoRoute ? "no route"
                                                                : name_of(way.route.kind));
    CommandOutput output;
    output.result = to_json(hop, names);
    output.result["destination"] = text;
    output.result["kind"] = kind;
    output.out =
        fmt::format("{}{}{}", kind == "unicast" ? "" : kind + " ", text, hop_text(hop, names));
    if (way.has_source) {
        const std::string source = IpAddress{way.source, destination->family}.to_string();
        output.result["source"] = source;
        output.out += " src " + source;
    }
    if (way.neighbour.is_resolved()) {
        MacAddress mac{};
        way.neighbour.copy_mac(mac.data());
        output.result["mac"] = to_string(mac);
        output.out += " lladdr " + to_string(mac);
    }
    output.out += '\n';
    return output;
}

constexpr CommandVerb kVerbs[] = {
    {"list", run_list, "list [-4] [-6]: the routes that packets follow"},
    {"get", run_get, "get ADDRESS: where a packet to it would go"},
};

}  // namespace

CommandOutput run_route(const ApiRequest& request, Controller& controller) {
    return run_verb(request, controller, kVerbs,
                    "The routes that packets follow, mirrored from the kernel.", "list");
}

}  // namespace rampart
