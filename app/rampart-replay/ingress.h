// Ingress: the port by which a captured packet enters, which a capture file does not tell.
//
// The first `--source PREFIX=IFACE` whose prefix holds the packet's source decides (for ARP, its
// sender), else the default interface. Immutable once parsed, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "rules/names.h"

namespace rampart {

class Ingress {
  public:
    // `from` may be empty: the first interface. Errors are about the words of the command line.
    static Result<Ingress> parse(const Names& names, const std::string& from,
                                 const std::vector<std::string>& sources);

    InterfaceIndex interface_of(std::span<const uint8_t> frame) const noexcept;

  private:
    struct Source {
        IpRange range;
        InterfaceIndex port;
    };
    std::vector<Source> sources_;
    InterfaceIndex from_ = 0;
};

// The source of an IP packet or the sender of an ARP packet, behind up to two VLAN tags.
std::optional<IpAddress> source_of(std::span<const uint8_t> frame) noexcept;

}  // namespace rampart
