// Names: how the builder turns names in a configuration into indices, and the printer turns them
// back.
//
// One table per configuration; filled by config/build_interfaces and config/build_chains before any
// rule is parsed. Control thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rules/interface.h"

namespace rampart {

struct SetHandle;  // rules/sets/set_use.h

struct Names {
    std::vector<Interface> interfaces;
    std::vector<Zone> zones;
    std::vector<std::shared_ptr<SetHandle>> sets;
    std::vector<std::string> chains;  // index = Ruleset::chains index
    bool has_services = false;        // `services: true`: names of services stand for ports

    // An interface, a zone, or a glob such as "eth*"; empty when nothing is called so.
    InterfaceSet find_interfaces(std::string_view name_or_glob) const;
    // A port that is not one of a bridge pair: packets from it are routed.
    bool has_routed_interfaces() const noexcept;
    // -1 when there is no such chain.
    int find_chain(std::string_view name) const;
    std::vector<std::string_view> interface_and_zone_names() const;
    std::vector<std::string_view> chain_names() const;
};

}  // namespace rampart
