#include "rules/protocols.h"

#include "base/scalar.h"

namespace rampart {

namespace {

struct ProtocolName {
    std::string_view name;
    uint8_t number;
};

constexpr ProtocolName kProtocols[] = {
    {"icmp", 1},    {"igmp", 2},   {"ipip", 4},   {"tcp", 6},       {"egp", 8},   {"udp", 17},
    {"dccp", 33},   {"ipv6", 41},  {"rsvp", 46},  {"gre", 47},      {"esp", 50},  {"ah", 51},
    {"icmpv6", 58}, {"eigrp", 88}, {"ospf", 89},  {"etherip", 97},  {"pim", 103}, {"ipcomp", 108},
    {"vrrp", 112},  {"l2tp", 115}, {"sctp", 132}, {"udplite", 136},
};

}  // namespace

std::optional<uint8_t> parse_protocol(std::string_view text) {
    for (const ProtocolName& protocol : kProtocols) {
        if (protocol.name == text) return protocol.number;
    }
    const auto number = parse_decimal(text, 255);
    if (!number) return std::nullopt;
    return static_cast<uint8_t>(*number);
}

std::string print_protocol(uint8_t number) {
    for (const ProtocolName& protocol : kProtocols) {
        if (protocol.number == number) return std::string(protocol.name);
    }
    return std::to_string(number);
}

std::vector<std::string_view> protocol_names() {
    std::vector<std::string_view> names;
    for (const ProtocolName& protocol : kProtocols)
        names.push_back(protocol.name);
    return names;
}

}  // namespace rampart
