#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"
#include "config/build.h"
#include "config/section.h"
#include "packet/packet.h"

namespace rampart {

namespace {

struct EtherTypeName {
    std::string_view name;
    uint16_t number;
};
constexpr EtherTypeName kEtherTypes[] = {
    {"arp", ether_type::kArp},
    {"rarp", 0x8035},
    {"lldp", 0x88cc},
    {"eapol", 0x888e},
    {"mpls", 0x8847},
    {"macsec", 0x88e5},
    {"ptp", 0x88f7},
    {"profinet", 0x8892},
    {"goose", 0x88b8},
    {"ethercat", 0x88a4},
    {"pppoe-discovery", 0x8863},
    {"pppoe-session", 0x8864},
};
constexpr uint16_t kLeastEtherType = 0x0600;  // below it the field is a length (IEEE 802.3)

std::optional<uint16_t> parse_ether_type(std::string_view text) {
    for (const EtherTypeName& type : kEtherTypes) {
        if (type.name == text) return type.number;
    }
    // Everyone writes EtherTypes in hexadecimal: a decimal number would be a mistake.
    if (!text.starts_with("0x")) return std::nullopt;
    const auto number = parse_hex_or_decimal(text);
    if (!number || *number < kLeastEtherType || *number > 0xffff) return std::nullopt;
    return static_cast<uint16_t>(*number);
}

void add_ether_type(const Value& word, LinkSettings& link, Diagnostics& diagnostics) {
    if (word.text() == "all") {
        diagnostics.error("E005", word.location(), "'all' stands alone", "write  pass: all");
        return;
    }
    const auto type = parse_ether_type(word.text());
    if (!type) {
        std::vector<std::string_view> known;
        for (const EtherTypeName& name : kEtherTypes)
            known.push_back(name.name);
        std::string hint = did_you_mean(word.text(), known);
        if (hint.empty())
            hint = fmt::format("known: {}, or a number such as 0x88cc", listed(known));
        diagnostics.error("E007", word.location(),
                          fmt::format("unknown EtherType {}", quoted(word.text())),
                          std::move(hint));
        return;
    }
    if (*type == ether_type::kIpv4 || *type == ether_type::kIpv6) {
        diagnostics.error("E005", word.location(),
                          "IP packets are judged by the rules of 'chains'");
        return;
    }
    if (*type == ether_type::kVlan || *type == ether_type::kQinQ) {
        diagnostics.error("E005", word.location(), "a VLAN tag is not an EtherType that can pass",
                          "name the type that follows the tag");
        return;
    }
    if (std::find(link.pass.begin(), link.pass.end(), *type) == link.pass.end()) {
        link.pass.push_back(*type);
    }
}

}  // namespace

void build_link(const Value& document, LinkSettings& link, Ruleset& ruleset,
                Diagnostics& diagnostics) {
    const Section section(document.find("bridge"), "bridge", "'bridge'", diagnostics);
    ruleset.allow_neighbour_discovery = !section.flag("strict_nd").value_or(false);
    const Value* pass = section.find("pass");
    if (pass == nullptr) {
        link.pass = {ether_type::kArp};
        return;
    }
    if (pass->is_scalar() && pass->text() == "all") {
        link.pass_all = true;
        return;
    }
    for (const Value* word : section.words("pass"))
        add_ether_type(*word, link, diagnostics);
}

}  // namespace rampart
