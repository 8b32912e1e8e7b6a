#include "config/build_twins.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"

namespace rampart {
namespace {

constexpr size_t kMaxNameLength = 15;  // the kernel's IFNAMSIZ, less its final zero

bool is_name(std::string_view word) {
    if (word.empty() || word.size() > kMaxNameLength || word == "." || word == "..") return false;
    return std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    });
}

// Set by the system's own clients, such as a DHCP client.
bool is_left_to_system(std::string_view word, bool is_ipv6_only) {
    return word == "dhcp" || (is_ipv6_only && (word == "auto" || word == "dhcp-pd"));
}

// An address that a host may have: of a single host, and not that of its network.
bool is_host_address(const IpPrefix& prefix) {
    const uint8_t first = prefix.address.bytes[0];
    if (prefix.address.family == Family::Ipv6)
        return first != 0xff && prefix.address != IpAddress{{}, Family::Ipv6};
    if (first == 0 || first >= 224 || first == 127) return false;
    if (prefix.length >= 31) return true;
    return prefix.address != prefix.range().first && prefix.address != prefix.range().last;
}

// The kernel's interface that a virtual device makes or joins: `iface=` of its arguments.
std::string_view kernel_interface_of(std::string_view device) {
    constexpr std::string_view kKey = ",iface=";
    const size_t at = device.find(kKey);
    if (at == device.npos) return {};
    const std::string_view name = device.substr(at + kKey.size());
    return name.substr(0, name.find(','));
}

}  // namespace

bool check_interface_name(const Value& word, Diagnostics& diagnostics) {
    if (word.text() == "lo") {
        diagnostics.error("E005", word.location(), "'lo' is the kernel's loopback interface");
        return false;
    }
    if (is_name(word.text())) return true;
    diagnostics.error("E005", word.location(),
                      fmt::format("{} cannot be a name", quoted(word.text())),
                      "names have up to 15 letters, digits, '_', '-' or '.'");
    return false;
}

void TwinBuilder::read(const Section& section, const Value::Entry& entry, DeviceSettings& device) {
    Stated stated;
    stated.mtu = section.find("mtu");
    stated.address = section.find("address");
    if (stated.address == nullptr) stated.address = section.find("address6");
    device.twin.name = device.name;
    read_kernel(section, device, stated);
    read_addresses(section, device.twin);
    read_vlan(section, entry, device);
    stated.parent = section.find("parent");
    stated.vlan = section.find("vlan");
    stated_.push_back(stated);
}

void TwinBuilder::read_kernel(const Section& section, DeviceSettings& device, Stated& stated) {
    const std::string* kernel = section.text("kernel");
    if (kernel == nullptr) return;
    stated.kernel = section.find("kernel");
    stated.has_twin = *kernel != "false";
    if (!stated.has_twin || check_interface_name(*stated.kernel, diagnostics_))
        device.twin.name = stated.has_twin ? *kernel : "";
}

void TwinBuilder::read_addresses(const Section& section, TwinSettings& twin) {
    for (const Value* word : section.words("address"))
        add_address(*word, false, twin);
    for (const Value* word : section.words("address6"))
        add_address(*word, true, twin);
}

void TwinBuilder::add_address(const Value& word, bool is_ipv6_only, TwinSettings& twin) {
    const std::string& text = word.text();
    if (is_left_to_system(text, is_ipv6_only)) {
        twin.left_to_system.push_back(text);
        return;
    }
    const char* example = is_ipv6_only ? "2001:db8::1/64" : "192.0.2.1/24";
    const auto prefix = IpPrefix::parse(text);
    const bool has_length = text.find('/') != text.npos;
    if (!prefix || !has_length) {
        error(word,
              fmt::format("{} is not an address with the length of its network", quoted(text)),
              fmt::format("such as {}{}", example, is_ipv6_only ? ", auto or dhcp" : ", or dhcp"));
        return;
    }
    if (is_ipv6_only && prefix->address.family == Family::Ipv4) {
        error(word, fmt::format("'address6' takes no IPv4 address such as {}", quoted(text)),
              "write it under 'address'");
        return;
    }
    if (!is_host_address(*prefix)) {
        error(word, fmt::format("no host can have the address {}", quoted(text)),
              fmt::format("the interface's own address, such as {}", example));
        return;
    }
    const auto is_same = [&](const IpPrefix& other) { return other.address == prefix->address; };
    if (std::any_of(twin.addresses.begin(), twin.addresses.end(), is_same))
        error(word, fmt::format("the address {} stands here twice", quoted(text)));
    twin.addresses.push_back(*prefix);
}

void TwinBuilder::read_vlan(const Section& section, const Value::Entry& entry,
                            DeviceSettings& device) {
    const auto vlan = section.number("vlan");
    device.twin.vlan = static_cast<uint16_t>(vlan.value_or(0));
    const bool has_parent = section.find("parent") != nullptr;
    const bool has_vlan = section.find("vlan") != nullptr;
    if (has_parent != has_vlan) {
        diagnostics_.error(
            "E006", entry.key.location(),
            fmt::format("interface '{}' has no '{}'", device.name, has_parent ? "vlan" : "parent"),
            "a VLAN has both: { parent: lan, vlan: 30 }");
    }
    if (!has_parent) return;
    for (const char* key : {"device", "members", "bridge", "queues"}) {
        if (const Value* value = section.find(key))
            error(*value, fmt::format("a VLAN has no '{}' of its own", key));
    }
}

void TwinBuilder::finish() {
    for (size_t i = 0; i < stated_.size(); ++i) {
        if (stated_[i].parent != nullptr && stated_[i].parent->is_scalar()) join_parent(i);
    }
    for (size_t i = 0; i < stated_.size(); ++i)
        check_twin(i);
}

std::string TwinBuilder::parents_hint() const {
    std::vector<std::string_view> ports;
    for (size_t i = 0; i < stated_.size(); ++i) {
        if (stated_[i].parent == nullptr && names_.interfaces[i].is_routed)
            ports.push_back(names_.interfaces[i].name);
    }
    return ports.empty() ? "" : "ports that can: " + listed(ports);
}

void TwinBuilder::join_parent(size_t index) {
    const Value& word = *stated_[index].parent;
    const auto found = std::find_if(names_.interfaces.begin(), names_.interfaces.end(),
                                    [&](const Interface& i) { return i.name == word.text(); });
    if (found == names_.interfaces.end()) {
        diagnostics_.error("E011", word.location(),
                           fmt::format("no interface named {}", quoted(word.text())),
                           parents_hint());
        return;
    }
    const auto parent = static_cast<size_t>(found - names_.interfaces.begin());
    names_.interfaces[index].parent = static_cast<InterfaceIndex>(parent);
    names_.interfaces[index].vlan = system_.devices[index].twin.vlan;
    system_.devices[index].twin.parent = static_cast<InterfaceIndex>(parent);
    check_vlan(index, parent);
}

void TwinBuilder::check_vlan(size_t index, size_t parent) {
    const Value& word = *stated_[index].parent;
    if (stated_[parent].parent != nullptr) {
        error(word, fmt::format("{} is a VLAN itself", quoted(word.text())), parents_hint());
        return;
    }
    if (!names_.interfaces[parent].is_routed) {
        error(word,
              fmt::format("{} is a port of a transparent pair, which passes VLANs as they are",
                          quoted(word.text())),
              parents_hint());
        return;
    }
    if (!stated_[parent].has_twin)
        error(word, fmt::format("{} has no twin that could carry a VLAN", quoted(word.text())),
              fmt::format("leave 'kernel: false' out at '{}'", word.text()));
    for (size_t i = 0; i < index; ++i) {
        const TwinSettings& other = system_.devices[i].twin;
        if (!(other.parent == parent && other.vlan == system_.devices[index].twin.vlan)) continue;
        error(*stated_[index].vlan, fmt::format("VLAN {} of {} is '{}' already", other.vlan,
                                                quoted(word.text()), names_.interfaces[i].name));
    }
    DeviceSettings& device = system_.devices[index];
    const uint16_t most = system_.devices[parent].mtu;
    if (stated_[index].mtu == nullptr) {
        device.mtu = most;
        names_.interfaces[index].mtu = most;
    } else if (device.mtu > most) {
        error(*stated_[index].mtu,
              fmt::format("the MTU of {}, {}, leaves no room for this", quoted(word.text()), most));
    }
}

void TwinBuilder::check_twin(size_t index) {
    const Stated& stated = stated_[index];
    DeviceSettings& device = system_.devices[index];
    const bool is_vlan = stated.parent != nullptr;
    device.is_routed = names_.interfaces[index].is_routed;
    if (!names_.interfaces[index].is_routed && !is_vlan) {
        const Value* useless = stated.address != nullptr ? stated.address : stated.kernel;
        if (useless != nullptr && (useless != stated.kernel || stated.has_twin))
            error(*useless, "a port of a transparent pair has no twin in the kernel",
                  "leave 'bridge' out, and the port is routed");
        device.twin.name.clear();
        return;
    }
    if (is_vlan && !names_.interfaces[index].is_routed)
        error(*stated.parent, "a VLAN is no port of a transparent pair");
    if (is_vlan && !stated.has_twin)
        error(*stated.kernel, "a VLAN is an interface in the kernel, on its parent's twin");
    else if (!stated.has_twin && stated.address != nullptr)
        error(*stated.address, "addresses are put on the twin, and this port has none");
    if (!device.twin.name.empty()) check_name(index);
}

void TwinBuilder::check_name(size_t index) {
    const DeviceSettings& device = system_.devices[index];
    const Value* stated = stated_[index].kernel;
    const Location& at = stated != nullptr ? stated->location() : device.location;
    for (size_t i = 0; i < system_.devices.size() && i < stated_.size(); ++i) {
        const DeviceSettings& other = system_.devices[i];
        if (i < index && other.twin.name == device.twin.name)
            diagnostics_.error("E021", at,
                               fmt::format("the twin of '{}' is named {}, too", other.name,
                                           quoted(device.twin.name)),
                               "name one of them with 'kernel'");
        if (kernel_interface_of(other.device) == device.twin.name)
            diagnostics_.error("E021", at,
                               fmt::format("{} is the kernel's interface of the device of '{}'",
                                           quoted(device.twin.name), other.name),
                               "name the twin otherwise with 'kernel'");
    }
}

}  // namespace rampart
