// SetElement: one element of a set as control handles it, and what a packet is looked up by.
//
// The text form joins the parts with commas: "10.0.0.0/8", "192.0.2.1,udp,53". A range of
// addresses becomes the prefixes that make it up. Any thread; the text forms control only.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/mac_address.h"
#include "rules/names.h"
#include "rules/sets/prefix_table.h"
#include "rules/sets/set_key.h"

namespace rampart {

enum class SetPart : uint8_t { Ip, Net, Proto, Port, Mac, Iface };

struct SetType {
    std::string_view name;
    std::array<SetPart, 3> parts;
    uint8_t count;

    bool has(SetPart part) const noexcept;
};

std::span<const SetType> set_types() noexcept;
const SetType* find_set_type(std::string_view name) noexcept;
std::vector<std::string_view> set_type_names();

struct SetElement {
    std::array<AddressBytes, 2> address{};  // host bits are zero; a MAC address stands in the first
    std::array<uint8_t, 2> length{};        // of the prefixes
    Family family = Family::None;
    uint8_t protocol = 0;
    uint16_t port = 0;  // host order
    InterfaceIndex interface = 0;

    // As if each prefix were no longer than the given ones.
    SetElement masked(uint8_t first_length, uint8_t second_length) const noexcept;
    SetKey key() const noexcept;
    static SetElement from_key(const SetKey& key) noexcept;
    bool operator==(const SetElement&) const = default;
};

// Why a text is no element. `word` is the part that is wrong, for messages that may show it.
struct ElementProblem {
    std::string_view code;  // "E008"
    std::string_view wanted;
    std::string word;
    std::string hint;
};

// Appends what `text` stands for: usually one element.
std::optional<ElementProblem> parse_set_element(const SetType& type, std::string_view text,
                                                const Names& names,
                                                std::vector<SetElement>& elements);
std::string print_set_element(const SetType& type, const SetElement& element, const Names& names);

// Addresses as numbers.
uint32_t word4_of(const AddressBytes& bytes) noexcept;
Word128 word6_of(const AddressBytes& bytes) noexcept;
AddressBytes bytes_of(uint32_t word) noexcept;
AddressBytes bytes_of(Word128 word) noexcept;

}  // namespace rampart
