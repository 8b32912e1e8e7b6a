// Values of iptables, rewritten for the language: ports, addresses, rates.
//
// Every function returns nothing when the text is not of its kind; the caller says so with a place.
// Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"

namespace rampart {

// The parts between commas; empty parts stay.
std::vector<std::string> split_list(std::string_view text, char separator = ',');
std::string lower_case(std::string_view text);
// Decimal or with 0x.
std::optional<uint32_t> parse_number(std::string_view text);

// "80", "1000:2000", ":1024", "1024:" as "80", "1000-2000", "0-1024", "1024-65535".
std::optional<std::string> port_range_word(std::string_view text);
// A list of them.
std::optional<std::vector<std::string>> port_words(std::string_view list);

// "10.0.0.0/8", "10.0.0.0/255.0.0.0", "2001:db8::/32"; "" for what matches everything. Of IPv6 a
// mask that is no prefix stays as it is.
std::optional<std::string> address_word(std::string_view text, Family family);
// "10.0.0.1-10.0.0.9"
std::optional<std::string> address_range_word(std::string_view text, Family family);

// What both lists allow; empty when nothing, no value when that cannot be said.
std::optional<std::vector<std::string>> common_ports(const std::vector<std::string>& a,
                                                     const std::vector<std::string>& b);
std::optional<std::vector<std::string>> common_addresses(const std::vector<std::string>& a,
                                                         const std::vector<std::string>& b);

// "10/sec", "5/minute", "1/d" as "10/second", "5/minute", "1/day".
std::optional<std::string> rate_word(std::string_view text);

// "0x10" and "0x10/0xff"; a mask of all ones is left out.
std::string mark_word(uint32_t value, uint32_t mask);

// A type or type/code of ICMP; "" for any type; nothing when the word is unknown.
std::optional<std::string> icmp_word(std::string_view text);

// The word, in quotation marks unless YAML and everyone who reads it takes it for plain text.
std::string yaml_word(std::string_view text);
std::string yaml_quoted(std::string_view text);

}  // namespace rampart
