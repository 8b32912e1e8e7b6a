#include "rules/sets/set_element.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/diagnostics.h"
#include "base/endian.h"
#include "base/scalar.h"
#include "rules/protocols.h"

namespace rampart {
namespace {

constexpr SetType kTypes[] = {
    {"ip", {SetPart::Ip}, 1},
    {"net", {SetPart::Net}, 1},
    {"port", {SetPart::Port}, 1},
    {"mac", {SetPart::Mac}, 1},
    {"iface", {SetPart::Iface}, 1},
    {"ip,port", {SetPart::Ip, SetPart::Port}, 2},
    {"net,port", {SetPart::Net, SetPart::Port}, 2},
    {"ip,proto,port", {SetPart::Ip, SetPart::Proto, SetPart::Port}, 3},
    {"net,net", {SetPart::Net, SetPart::Net}, 2},
};

using Problem = std::optional<ElementProblem>;

Problem problem(std::string_view code, std::string_view wanted, std::string_view word,
                std::string hint = {}) {
    return ElementProblem{code, wanted, std::string(word), std::move(hint)};
}

AddressBytes masked_bytes(AddressBytes bytes, unsigned length) noexcept {
    for (unsigned i = 0; i < bytes.size(); ++i) {
        const unsigned kept = length > i * 8 ? std::min(length - i * 8, 8u) : 0;
        bytes[i] = static_cast<uint8_t>(bytes[i] & (0xff00 >> kept));
    }
    return bytes;
}

// The prefixes that make up first..last, the largest that fit one after another.
template <typename Word>
void split_range(Word first, Word last, std::vector<IpPrefix>& prefixes) {
    constexpr unsigned kBits = sizeof(Word) * 8;
    constexpr Family kFamily = kBits == 32 ? Family::Ipv4 : Family::Ipv6;
    for (;;) {
        unsigned length = kBits;
        const auto end_of = [first](unsigned bits) {
            return static_cast<Word>(first | PrefixTable<Word>::host_mask(bits));
        };
        while (length > 0 && (first & PrefixTable<Word>::host_mask(length - 1)) == 0 &&
               end_of(length - 1) <= last)
            --length;
        prefixes.push_back({{bytes_of(first), kFamily}, length});
        if (end_of(length) == last) return;
        first = static_cast<Word>(end_of(length) + 1);
    }
}

Problem parse_net(std::string_view text, std::vector<IpPrefix>& prefixes) {
    constexpr std::string_view kWanted = "an address, a prefix or a range a-b";
    const size_t dash = text.find('-');
    if (dash == text.npos) {
        const auto prefix = IpPrefix::parse(text);
        if (!prefix) return problem("E008", kWanted, text);
        prefixes.push_back(*prefix);
        return std::nullopt;
    }
    const auto first = IpAddress::parse(text.substr(0, dash));
    const auto last = IpAddress::parse(text.substr(dash + 1));
    if (!first || !last || first->family != last->family || last->bytes < first->bytes)
        return problem("E008", kWanted, text);
    if (first->family == Family::Ipv4)
        split_range(word4_of(first->bytes), word4_of(last->bytes), prefixes);
    else
        split_range(word6_of(first->bytes), word6_of(last->bytes), prefixes);
    return std::nullopt;
}

// What is true so far of every element that the text stands for, and its parts that are several.
struct Draft {
    SetElement element;
    std::vector<IpPrefix> nets[2];
    PortRange ports;
    InterfaceSet interfaces;
    unsigned addresses = 0;
};

Problem parse_address(SetPart part, std::string_view word, Draft& draft) {
    std::vector<IpPrefix>& nets = draft.nets[draft.addresses];
    if (part == SetPart::Net) {
        if (Problem bad = parse_net(word, nets)) return bad;
    } else {
        const auto address = IpAddress::parse(word);
        const bool is_net = word.find_first_of("/-") != word.npos;
        if (!address)
            return problem("E008", "an address", word,
                           is_net ? "prefixes and ranges need the type net" : "");
        nets.push_back({*address, address_bits(address->family)});
    }
    const Family family = nets.front().address.family;
    if (draft.addresses != 0 && family != draft.element.family)
        return problem("E018", "of the same address family as the first part", word);
    draft.element.family = family;
    ++draft.addresses;
    return std::nullopt;
}

Problem parse_port(const SetType& type, std::string_view word, Draft& draft) {
    const auto ports = parse_port_range(word);
    const bool may_be_range = type.count == 1;
    if (!ports || (!may_be_range && ports->first != ports->last))
        return problem(
            "E009",
            may_be_range ? "a port (0-65535) or a range like 8000-8999" : "a port (0-65535)", word);
    draft.ports = *ports;
    return std::nullopt;
}

Problem parse_part(const SetType& type, SetPart part, std::string_view word, const Names& names,
                   Draft& draft) {
    switch (part) {
        case SetPart::Ip:
        case SetPart::Net:
            return parse_address(part, word, draft);
        case SetPart::Port:
            return parse_port(type, word, draft);
        case SetPart::Proto: {
            const auto protocol = parse_protocol(word);
            if (!protocol) return problem("E007", "a protocol", word);
            draft.element.protocol = *protocol;
            return std::nullopt;
        }
        case SetPart::Mac: {
            const auto mac = parse_mac_address(word);
            if (!mac) return problem("E008", "a MAC address", word, "52:54:00:12:34:56");
            std::copy(mac->begin(), mac->end(), draft.element.address[0].begin());
            return std::nullopt;
        }
        case SetPart::Iface:
            break;
    }
    draft.interfaces = names.find_interfaces(word);
    if (draft.interfaces.any()) return std::nullopt;
    return problem("E011", "an interface or a zone", word,
                   "known: " + listed(names.interface_and_zone_names()));
}

// Every combination of the parts that are several.
void expand(const SetType& type, const Draft& draft, std::vector<SetElement>& elements) {
    SetElement element = draft.element;
    if (type.has(SetPart::Iface)) {
        for (size_t i = 0; i < kMaxInterfaces; ++i) {
            element.interface = static_cast<InterfaceIndex>(i);
            if (draft.interfaces[i]) elements.push_back(element);
        }
        return;
    }
    const std::vector<IpPrefix> none(1);
    const auto set_address = [&element](unsigned which, const IpPrefix& prefix) {
        element.address[which] = masked_bytes(prefix.address.bytes, prefix.length);
        element.length[which] = static_cast<uint8_t>(prefix.length);
    };
    for (const IpPrefix& first : draft.addresses > 0 ? draft.nets[0] : none) {
        if (draft.addresses > 0) set_address(0, first);
        for (const IpPrefix& second : draft.addresses > 1 ? draft.nets[1] : none) {
            if (draft.addresses > 1) set_address(1, second);
            for (unsigned port = draft.ports.first; port <= draft.ports.last; ++port) {
                element.port = static_cast<uint16_t>(port);
                elements.push_back(element);
            }
        }
    }
}

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t\r");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

bool SetType::has(SetPart part) const noexcept {
    return std::find(parts.begin(), parts.begin() + count, part) != parts.begin() + count;
}

std::span<const SetType> set_types() noexcept {
    return kTypes;
}

const SetType* find_set_type(std::string_view name) noexcept {
    for (const SetType& type : kTypes)
        if (type.name == name) return &type;
    return nullptr;
}

std::vector<std::string_view> set_type_names() {
    std::vector<std::string_view> names;
    for (const SetType& type : kTypes)
        names.push_back(type.name);
    return names;
}

SetElement SetElement::masked(uint8_t first_length, uint8_t second_length) const noexcept {
    SetElement element = *this;
    element.address = {masked_bytes(address[0], first_length),
                       masked_bytes(address[1], second_length)};
    element.length = {first_length, second_length};
    return element;
}

SetKey SetElement::key() const noexcept {
    SetKey key;
    std::memcpy(&key.words[0], address[0].data(), 16);
    key.words[2] = static_cast<uint64_t>(family) | uint64_t{protocol} << 8 | uint64_t{port} << 16 |
                   uint64_t{length[0]} << 32 | uint64_t{length[1]} << 40;
    std::memcpy(&key.words[3], address[1].data(), 16);
    return key;
}

SetElement SetElement::from_key(const SetKey& key) noexcept {
    SetElement element;
    std::memcpy(element.address[0].data(), &key.words[0], 16);
    std::memcpy(element.address[1].data(), &key.words[3], 16);
    const uint64_t rest = key.words[2];
    element.family = static_cast<Family>(rest & 0xff);
    element.protocol = static_cast<uint8_t>(rest >> 8);
    element.port = static_cast<uint16_t>(rest >> 16);
    element.length = {static_cast<uint8_t>(rest >> 32), static_cast<uint8_t>(rest >> 40)};
    return element;
}

std::optional<ElementProblem> parse_set_element(const SetType& type, std::string_view text,
                                                const Names& names,
                                                std::vector<SetElement>& elements) {
    Draft draft;
    size_t at = 0;
    for (unsigned i = 0; i < type.count; ++i) {
        const size_t comma = text.find(',', at);
        const bool is_last = i + 1 == type.count;
        if ((comma == text.npos) != is_last)
            return ElementProblem{"E008", "an element of this set's type", std::string(text),
                                  type.count == 1 ? std::string("one element at a time")
                                                  : fmt::format("write {} parts with commas: {}",
                                                                type.count, type.name)};
        const std::string_view word = trimmed(text.substr(at, comma - at));
        if (Problem bad = parse_part(type, type.parts[i], word, names, draft)) return bad;
        at = comma + 1;
    }
    expand(type, draft, elements);
    return std::nullopt;
}

std::string print_set_element(const SetType& type, const SetElement& element, const Names& names) {
    std::string text;
    unsigned addresses = 0;
    for (unsigned i = 0; i < type.count; ++i) {
        if (i != 0) text += ',';
        switch (type.parts[i]) {
            case SetPart::Ip:
            case SetPart::Net:
                text += IpPrefix{{element.address[addresses], element.family},
                                 element.length[addresses]}
                            .to_string();
                ++addresses;
                break;
            case SetPart::Proto:
                text += print_protocol(element.protocol);
                break;
            case SetPart::Port:
                text += std::to_string(element.port);
                break;
            case SetPart::Mac: {
                MacAddress mac;
                std::copy_n(element.address[0].begin(), mac.size(), mac.begin());
                text += to_string(mac);
                break;
            }
            case SetPart::Iface:
                text += element.interface < names.interfaces.size()
                            ? names.interfaces[element.interface].name
                            : std::to_string(element.interface);
        }
    }
    return text;
}

uint32_t word4_of(const AddressBytes& bytes) noexcept {
    return load_host32(bytes.data());
}

Word128 word6_of(const AddressBytes& bytes) noexcept {
    Word128 word = 0;
    for (size_t i = 0; i < 16; i += 4)
        word = word << 32 | load_host32(bytes.data() + i);
    return word;
}

AddressBytes bytes_of(uint32_t word) noexcept {
    AddressBytes bytes{};
    for (unsigned i = 0; i < 4; ++i)
        bytes[i] = static_cast<uint8_t>(word >> (24 - 8 * i));
    return bytes;
}

AddressBytes bytes_of(Word128 word) noexcept {
    AddressBytes bytes{};
    for (unsigned i = 0; i < 16; ++i)
        bytes[i] = static_cast<uint8_t>(word >> (120 - 8 * i));
    return bytes;
}

}  // namespace rampart
