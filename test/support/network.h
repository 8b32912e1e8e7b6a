// Network: what the kernel would know in a test, in the words of ip(8).
//
//   addresses   {lan: [192.168.1.1/24]}; each brings the routes that the kernel makes for it
//   routes      "192.0.2.0/24 dev wan", "default via 192.0.2.254 dev wan", "blackhole 10.0.0.0/8"
//   neighbours  "192.168.1.10 dev lan 02:00:00:00:00:10", "192.168.1.11 dev lan failed"
//   mtus        {wan: 1400}
//
// Every interface has kPeerMac, to which the frames of tests go, and is up. Throws
// std::runtime_error. Tests only, one thread; needs EAL.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routing/routing.h"
#include "rules/names.h"

namespace rampart::test {

struct NetworkSpec {
    std::map<std::string, std::vector<std::string>> addresses;
    std::vector<std::string> routes;
    std::optional<std::vector<std::string>> neighbours;  // none: whoever is introduced is known
    std::map<std::string, uint16_t> mtus;
};

class Network {
  public:
    Network(const NetworkSpec& spec, const std::vector<Interface>& interfaces);

    Routing& routing() { return *routing_; }
    // Its link address is known from now on, if it is a neighbour and the spec names none itself.
    void introduce(const IpAddress& address);
    void set_neighbour(const std::string& line);
    // 02:01 and the last four bytes of the address.
    static MacAddress mac_of(const IpAddress& address);

  private:
    InterfaceIndex index_of(const std::string& name) const;
    void add_addresses(const std::string& name, const std::vector<std::string>& prefixes);
    void add_route(const std::string& line);

    std::vector<Interface> interfaces_;
    bool introduces_ = true;
    std::unique_ptr<Routing> routing_;
    std::vector<IpAddress> gateways_;
};

}  // namespace rampart::test
