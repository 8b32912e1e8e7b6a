#include "ingress.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/endian.h"
#include "packet/packet.h"

namespace rampart {
namespace {

constexpr size_t kTypeOffset = 12;  // of the EtherType in a frame
constexpr size_t kTagBytes = 4;
constexpr int kMaxTags = 2;

Result<InterfaceIndex> find_interface(const Names& names, std::string_view name) {
    std::string known;
    for (size_t i = 0; i < names.interfaces.size(); ++i) {
        if (names.interfaces[i].name == name) return static_cast<InterfaceIndex>(i);
        known += (i == 0 ? "" : ", ") + names.interfaces[i].name;
    }
    return failure(fmt::format("the configuration has no interface '{}'", name),
                   "its interfaces are " + known);
}

std::optional<IpAddress> address_at(std::span<const uint8_t> frame, size_t offset,
                                    Family family) noexcept {
    const size_t size = address_bits(family) / 8;
    if (frame.size() < offset + size) return std::nullopt;
    IpAddress address{{}, family};
    std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(offset), size, address.bytes.begin());
    return address;
}

}  // namespace

Result<Ingress> Ingress::parse(const Names& names, const std::string& from,
                               const std::vector<std::string>& sources) {
    Ingress ingress;
    if (!from.empty()) {
        const auto port = find_interface(names, from);
        if (!port) return tl::unexpected<Error>(port.error());
        ingress.from_ = *port;
    }
    for (const std::string& source : sources) {
        const size_t equals = source.find('=');
        const auto prefix = IpPrefix::parse(std::string_view(source).substr(0, equals));
        if (equals == std::string::npos || !prefix)
            return failure(fmt::format("--source: '{}' is not PREFIX=INTERFACE", source),
                           "for example 192.168.1.0/24=inside or 2001:db8::/32=outside");
        const auto port = find_interface(names, std::string_view(source).substr(equals + 1));
        if (!port) return tl::unexpected<Error>(port.error());
        ingress.sources_.push_back({prefix->range(), *port});
    }
    return ingress;
}

InterfaceIndex Ingress::interface_of(std::span<const uint8_t> frame) const noexcept {
    if (sources_.empty()) return from_;
    const auto address = source_of(frame);
    if (!address) return from_;
    const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const Source& source) {
        return source.range.contains(*address);
    });
    return found == sources_.end() ? from_ : found->port;
}

std::optional<IpAddress> source_of(std::span<const uint8_t> frame) noexcept {
    size_t at = kTypeOffset;
    for (int tags = 0; at + 2 <= frame.size(); ++tags, at += kTagBytes) {
        const size_t payload = at + 2;
        switch (load_host16(&frame[at])) {
            case ether_type::kIpv4:
                return address_at(frame, payload + 12, Family::Ipv4);
            case ether_type::kIpv6:
                return address_at(frame, payload + 8, Family::Ipv6);
            case ether_type::kArp:
                return address_at(frame, payload + 14, Family::Ipv4);
            case ether_type::kVlan:
            case ether_type::kQinQ:
                if (tags < kMaxTags) continue;
                return std::nullopt;
            default:
                return std::nullopt;
        }
    }
    return std::nullopt;
}

}  // namespace rampart
