// RouteList: routes that a test writes down; the longest prefix wins.
//
//   RouteList routes;
//   routes.add("192.0.2.0/24", {.kind = RouteKind::OnLink, .interface = 1});
//
// Several routes to one prefix are the hops of one route. Tests only.
#pragma once

#include <stdexcept>
#include <string_view>
#include <vector>

#include "routing/route_lookup.h"

namespace rampart::test {

class RouteList final : public RouteLookup {
  public:
    void add(std::string_view prefix, const Route& route) {
        const auto parsed = IpPrefix::parse(prefix);
        if (!parsed) throw std::invalid_argument("bad prefix in a test");
        routes_.push_back({*parsed, route});
    }
    Route find(Family family, const AddressBytes& destination,
               uint32_t flow_hash) const noexcept override {
        const IpAddress address{destination, family};
        std::vector<Route> best;
        unsigned length = 0;
        for (const Entry& entry : routes_) {
            if (!entry.prefix.range().contains(address)) continue;
            if (!best.empty() && entry.prefix.length < length) continue;
            if (entry.prefix.length > length) best.clear();
            length = entry.prefix.length;
            best.push_back(entry.route);
        }
        return best.empty() ? Route{} : best[(flow_hash >> 16) % best.size()];
    }

  private:
    struct Entry {
        IpPrefix prefix;
        Route route;
    };
    std::vector<Entry> routes_;
};

}  // namespace rampart::test
