#include "dataplane/context.h"

namespace rampart {

void WorkerContext::use_interfaces(const std::vector<Interface>& interfaces) noexcept {
    routed_ports = 0;
    vlan_count = 0;
    if (routing == nullptr) return;
    for (size_t i = 0; i < interfaces.size(); ++i) {
        if (interfaces[i].is_routed) routed_ports |= uint64_t{1} << i;
        if (interfaces[i].parent != kNoInterface)
            vlans[vlan_count++] = {interfaces[i].parent, static_cast<InterfaceIndex>(i),
                                   interfaces[i].vlan};
    }
}

InterfaceIndex WorkerContext::interface_of(InterfaceIndex port, uint16_t vlan) const noexcept {
    if (vlan == 0) return port;
    for (uint32_t at = 0; at < vlan_count; ++at) {
        if (vlans[at].port == port && vlans[at].id == vlan) return vlans[at].interface;
    }
    return kNoInterface;
}

}  // namespace rampart
