#include "rules/names.h"

#include <algorithm>
#include <fnmatch.h>

namespace rampart {

InterfaceSet Names::find_interfaces(std::string_view name_or_glob) const {
    InterfaceSet set;
    const std::string pattern(name_or_glob);
    const bool is_glob = pattern.find('*') != std::string::npos;
    for (size_t i = 0; i < interfaces.size(); ++i) {
        const std::string& name = interfaces[i].name;
        if (is_glob ? fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0 : name == pattern) {
            set.set(i);
        }
    }
    for (const Zone& zone : zones) {
        if (zone.name == pattern) set |= zone.interfaces;
    }
    return set;
}

bool Names::has_routed_interfaces() const noexcept {
    return std::any_of(interfaces.begin(), interfaces.end(),
                       [](const Interface& interface) { return interface.is_routed; });
}

int Names::find_chain(std::string_view name) const {
    const auto chain = std::find(chains.begin(), chains.end(), name);
    return chain == chains.end() ? -1 : static_cast<int>(chain - chains.begin());
}

std::vector<std::string_view> Names::interface_and_zone_names() const {
    std::vector<std::string_view> names;
    for (const Interface& interface : interfaces)
        names.push_back(interface.name);
    for (const Zone& zone : zones)
        names.push_back(zone.name);
    return names;
}

std::vector<std::string_view> Names::chain_names() const {
    return {chains.begin(), chains.end()};
}

}  // namespace rampart
