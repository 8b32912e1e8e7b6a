#include "support/network.h"

#include <algorithm>
#include <stdexcept>

#include "support/dpdk_session.h"
#include "support/frame.h"
#include "support/packet_line.h"

namespace rampart::test {
namespace {

[[noreturn]] void fail(const std::string& line) {
    throw std::runtime_error("not understood: '" + line + "'");
}

IpPrefix prefix_of(const std::string& text) {
    const auto prefix = IpPrefix::parse(text);
    if (!prefix) fail(text);
    return *prefix;
}

IpAddress parsed_address(const std::string& text) {
    const auto address = IpAddress::parse(text);
    if (!address) fail(text);
    return *address;
}

bool is_link_local(const IpAddress& address) {
    return address.family == Family::Ipv6 && address.bytes[0] == 0xfe &&
           (address.bytes[1] & 0xc0) == 0x80;
}

std::unique_ptr<Routing> make_routing() {
    DpdkSession::get();
    auto routing = Routing::create({.max_routes4 = 256, .max_routes6 = 256, .compact = true});
    if (!routing) throw std::runtime_error(routing.error().message);
    return std::move(*routing);
}

}  // namespace

Network::Network(const NetworkSpec& spec, const std::vector<Interface>& interfaces)
    : interfaces_(interfaces), introduces_(!spec.neighbours), routing_(make_routing()) {
    for (size_t i = 0; i < interfaces.size(); ++i) {
        const auto mtu = spec.mtus.find(interfaces[i].name);
        routing_->set_link(static_cast<InterfaceIndex>(i), true,
                           mtu == spec.mtus.end() ? uint16_t{1500} : mtu->second, {kPeerMac});
    }
    for (const auto& [name, prefixes] : spec.addresses)
        add_addresses(name, prefixes);
    for (const std::string& line : spec.routes)
        add_route(line);
    routing_->apply([] {});
    if (spec.neighbours)
        for (const std::string& line : *spec.neighbours)
            set_neighbour(line);
    for (const IpAddress& gateway : gateways_)
        introduce(gateway);
}

MacAddress Network::mac_of(const IpAddress& address) {
    const size_t first = address.family == Family::Ipv4 ? 0 : 12;
    const AddressBytes& bytes = address.bytes;
    return {2, 1, bytes[first], bytes[first + 1], bytes[first + 2], bytes[first + 3]};
}

InterfaceIndex Network::index_of(const std::string& name) const {
    for (size_t i = 0; i < interfaces_.size(); ++i)
        if (interfaces_[i].name == name) return static_cast<InterfaceIndex>(i);
    throw std::runtime_error("no interface named '" + name + "'");
}

void Network::add_addresses(const std::string& name, const std::vector<std::string>& prefixes) {
    const InterfaceIndex interface = index_of(name);
    std::vector<InterfaceAddress> addresses;
    for (const std::string& text : prefixes) {
        const IpPrefix prefix = prefix_of(text);
        addresses.push_back({prefix.address, prefix.length, is_link_local(prefix.address)});
        const IpRange range = prefix.range();
        const unsigned bits = address_bits(prefix.address.family);
        routing_->add({.prefix = {range.first, prefix.length},
                       .kind = RouteKind::OnLink,
                       .hops = {{.interface = interface}}});
        routing_->add({.prefix = {prefix.address, bits},
                       .kind = RouteKind::Local,
                       .hops = {{.interface = interface}}});
        if (bits != 32 || prefix.length > 30) continue;
        routing_->add({.prefix = {range.last, bits},
                       .kind = RouteKind::Local,
                       .hops = {{.interface = interface}},
                       .is_broadcast = true});
    }
    routing_->set_addresses(interface, std::move(addresses));
}

void Network::add_route(const std::string& line) {
    static const std::map<std::string, RouteKind> kKinds = {{"blackhole", RouteKind::Blackhole},
                                                            {"unreachable", RouteKind::Unreachable},
                                                            {"prohibit", RouteKind::Prohibit}};
    const std::vector<std::string> words = words_of(line);
    if (words.size() == 2 && kKinds.contains(words[0])) {
        routing_->add({.prefix = prefix_of(words[1]), .kind = kKinds.at(words[0])});
        return;
    }
    Routing::Hop hop;
    for (size_t at = 1; at + 1 < words.size(); at += 2) {
        if (words[at] == "dev") {
            hop.interface = index_of(words[at + 1]);
        } else if (words[at] == "via") {
            gateways_.push_back(parsed_address(words[at + 1]));
            hop.family = gateways_.back().family;
            hop.gateway = gateways_.back().bytes;
        } else {
            fail(line);
        }
    }
    if (words.size() % 2 == 0 || hop.interface == kNoInterface) fail(line);
    std::string destination = words[0];
    if (destination == "default") destination = hop.family == Family::Ipv6 ? "::/0" : "0.0.0.0/0";
    routing_->add({.prefix = prefix_of(destination), .kind = RouteKind::OnLink, .hops = {hop}});
}

void Network::set_neighbour(const std::string& line) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() != 4 || words[1] != "dev") fail(line);
    const IpAddress address = parsed_address(words[0]);
    const NeighbourKey key{index_of(words[2]), address.family, address.bytes};
    const auto mac = parse_mac_address(words[3]);
    if (!mac && words[3] != "failed") fail(line);
    routing_->set_neighbour(key,
                            mac ? NeighbourWord::State::Resolved : NeighbourWord::State::Failed,
                            mac.value_or(MacAddress{}));
}

void Network::introduce(const IpAddress& address) {
    if (!introduces_) return;
    const Route route = routing_->find(address.family, address.bytes, 0);
    if (route.kind != RouteKind::OnLink) return;
    const NeighbourKey key{route.interface, address.family, address.bytes};
    if (routing_->find_neighbour(key) == kNoNeighbour)
        routing_->set_neighbour(key, NeighbourWord::State::Resolved, mac_of(address));
}

}  // namespace rampart::test
