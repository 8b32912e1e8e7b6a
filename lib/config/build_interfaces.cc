#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/build_twins.h"
#include "config/device_name.h"
#include "config/schema.h"
#include "config/section.h"

namespace rampart {

namespace {

constexpr uint64_t kMaxQueues = 64;

// One builder for the section: the bridge pairs can only be closed when all ports are known.
class InterfaceBuilder {
  public:
    InterfaceBuilder(SystemSettings& system, Names& names, Diagnostics& diagnostics)
        : system_(system),
          names_(names),
          diagnostics_(diagnostics),
          twins_(system, names, diagnostics) {}

    void add(const Value::Entry& entry);
    void join_pairs();
    void add_zone(const Value::Entry& entry);

  private:
    void read_device(const Section& section, const Value::Entry& entry, DeviceSettings& device);
    void read_queues(const Section& section, DeviceSettings& device);
    void join(size_t index, const Value& peer_name);
    int find(std::string_view name) const;

    SystemSettings& system_;
    Names& names_;
    Diagnostics& diagnostics_;
    TwinBuilder twins_;
    std::map<size_t, const Value*> stated_peers_;
    std::map<std::string, Location> devices_;
};

void InterfaceBuilder::add(const Value::Entry& entry) {
    const std::string& name = entry.key.text();
    if (!check_interface_name(entry.key, diagnostics_)) return;
    if (names_.interfaces.size() == kMaxInterfaces) {
        if (system_.devices.size() == kMaxInterfaces) {
            diagnostics_.error("E005", entry.key.location(),
                               fmt::format("more than {} interfaces", kMaxInterfaces));
            system_.devices.emplace_back();  // said once
        }
        return;
    }
    const Section section(&entry.value, "interfaces.*", fmt::format("interface '{}'", name),
                          diagnostics_);
    DeviceSettings device;
    device.name = name;
    device.location = entry.key.location();
    if (entry.value.is_map()) read_device(section, entry, device);
    read_queues(section, device);
    if (const auto mtu = section.number("mtu")) device.mtu = static_cast<uint16_t>(*mtu);
    const uint16_t mtu = device.mtu;
    const std::string* peer = section.text("bridge");
    const bool is_vlan = section.find("parent") != nullptr;
    if (peer != nullptr && !is_vlan)
        stated_peers_[names_.interfaces.size()] = section.find("bridge");
    twins_.read(section, entry, device);
    system_.devices.push_back(std::move(device));
    names_.interfaces.push_back({.name = name,
                                 .mtu = mtu,
                                 .tcp_loose = section.flag("tcp_loose"),
                                 .tcp_be_liberal = section.flag("tcp_be_liberal")});
}

void InterfaceBuilder::read_device(const Section& section, const Value::Entry& entry,
                                   DeviceSettings& device) {
    const Value* value = section.find("device");
    if (value == nullptr) {
        // A VLAN has no device; bonds were reported as not built.
        if (section.find("parent") || section.find("members")) return;
        diagnostics_.error("E006", entry.key.location(),
                           fmt::format("interface '{}' has no 'device'", device.name),
                           "a PCI address in quotes, or \"vdev:net_tap0,iface=x\"");
        return;
    }
    const auto parsed = parse_device_name(*value, diagnostics_);
    if (!parsed) return;
    device.device = parsed->device;
    device.is_virtual = parsed->is_virtual;
    const auto [first, is_new] = devices_.emplace(parsed->identity, value->location());
    if (is_new) return;
    diagnostics_.error(
        "E027", value->location(),
        fmt::format("device {} is claimed twice", quoted(parsed->identity)),
        "first claimed at " + diagnostics_.seen_from(value->location(), first->second));
}

void InterfaceBuilder::read_queues(const Section& section, DeviceSettings& device) {
    const std::string* text = section.text("queues");
    if (text == nullptr || *text == "auto") return;
    const auto queues = parse_decimal(*text, kMaxQueues);
    if (!queues || *queues == 0) {
        diagnostics_.error("E005", section.find("queues")->location(),
                           fmt::format("{} is not a number of queues", quoted(*text)),
                           fmt::format("auto, or a number from 1 to {}", kMaxQueues));
        return;
    }
    device.queues = static_cast<uint16_t>(*queues);
}

int InterfaceBuilder::find(std::string_view name) const {
    for (size_t i = 0; i < names_.interfaces.size(); ++i) {
        if (names_.interfaces[i].name == name) return static_cast<int>(i);
    }
    return -1;
}

void InterfaceBuilder::join_pairs() {
    for (const auto& [index, peer_name] : stated_peers_)
        join(index, *peer_name);
    for (size_t i = 0; i < names_.interfaces.size(); ++i) {
        Interface& interface = names_.interfaces[i];
        interface.is_routed = interface.bridge_peer == kNoInterface && !stated_peers_.contains(i);
    }
    twins_.finish();
}

void InterfaceBuilder::join(size_t index, const Value& peer_name) {
    Interface& interface = names_.interfaces[index];
    const int found = find(peer_name.text());
    if (found < 0) {
        std::vector<std::string_view> known;
        for (const Interface& other : names_.interfaces)
            known.push_back(other.name);
        std::string hint = did_you_mean(peer_name.text(), known);
        if (hint.empty()) hint = "known interfaces: " + listed(known);
        diagnostics_.error("E011", peer_name.location(),
                           fmt::format("no interface named {}", quoted(peer_name.text())),
                           std::move(hint));
        return;
    }
    const auto peer_index = static_cast<size_t>(found);
    if (peer_index == index) {
        diagnostics_.error("E005", peer_name.location(), "an interface cannot be its own peer");
        return;
    }
    Interface& peer = names_.interfaces[peer_index];
    const auto is_free = [](const Interface& port, size_t other) {
        return port.bridge_peer == kNoInterface || port.bridge_peer == other;
    };
    if (!is_free(interface, peer_index) || !is_free(peer, index)) {
        const Interface& taken = is_free(peer, index) ? interface : peer;
        diagnostics_.error("E005", peer_name.location(),
                           fmt::format("'{}' is already paired with '{}'", taken.name,
                                       names_.interfaces[taken.bridge_peer].name),
                           "a transparent pair has two ports");
        return;
    }
    interface.bridge_peer = static_cast<InterfaceIndex>(peer_index);
    peer.bridge_peer = static_cast<InterfaceIndex>(index);
}

void InterfaceBuilder::add_zone(const Value::Entry& entry) {
    const std::string& name = entry.key.text();
    if (!check_interface_name(entry.key, diagnostics_)) return;
    if (find(name) >= 0) {
        diagnostics_.error("E021", entry.key.location(),
                           fmt::format("'{}' is the name of an interface and of a zone", name));
        return;
    }
    Zone zone{.name = name, .interfaces = {}};
    const bool is_good = entry.value.is_scalar() || entry.value.is_list();
    const std::vector<Value> single{entry.value};
    for (const Value& word : entry.value.is_list() ? entry.value.items() : single) {
        const int index = word.is_scalar() ? find(word.text()) : -1;
        if (index >= 0) {
            zone.interfaces.set(static_cast<size_t>(index));
        } else if (word.is_scalar()) {
            std::vector<std::string_view> known;
            for (const Interface& other : names_.interfaces)
                known.push_back(other.name);
            diagnostics_.error("E011", word.location(),
                               fmt::format("no interface named {}", quoted(word.text())),
                               did_you_mean(word.text(), known));
        }
    }
    if (!is_good || (entry.value.is_list() && entry.value.items().empty())) {
        diagnostics_.error("E005", entry.value.location(),
                           fmt::format("zone '{}' takes a list of interfaces", name));
    }
    names_.zones.push_back(std::move(zone));
}

}  // namespace

void build_interfaces(const Value& document, SystemSettings& system, Names& names,
                      Diagnostics& diagnostics) {
    const Value* interfaces = document.find("interfaces");
    if (interfaces == nullptr || !interfaces->is_map() || interfaces->entries().empty()) {
        diagnostics.error("E006", interfaces ? interfaces->location() : document.location(),
                          "the configuration has no 'interfaces'",
                          "interfaces: { lan: { device: \"0000:3b:00.0\", bridge: wan }, ... }");
        return;
    }
    InterfaceBuilder builder(system, names, diagnostics);
    for (const Value::Entry& entry : interfaces->entries())
        builder.add(entry);
    builder.join_pairs();

    const Value* zones = document.find("zones");
    if (zones == nullptr) return;
    if (!zones->is_map()) {
        diagnostics.error("E005", zones->location(), "'zones' takes a mapping");
        return;
    }
    for (const Value::Entry& entry : zones->entries())
        builder.add_zone(entry);
}

}  // namespace rampart
