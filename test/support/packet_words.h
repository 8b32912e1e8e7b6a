// The words of a packet line that stand for values: numbers, hex digits, addresses, TCP flags and
// options, IPv6 extension headers. All throw std::runtime_error for what they cannot read.
#pragma once

#include <cstdint>
#include <string>

#include "support/frame.h"

namespace rampart::test {

[[noreturn]] void fail(const std::string& what);
uint32_t number_of(const std::string& word, uint64_t max = 0xffffffff);  // decimal, or 0x...
Bytes hex_of(const std::string& word);
Bytes big_endian(uint32_t value, unsigned size);
IpAddress address_of(const std::string& word);
Mac mac_of(const std::string& word);
uint8_t flags_of(const std::string& word);
Bytes tcp_options_of(const std::string& word);  // "mss=1460,wscale=7,sackok"
FrameSpec::Extension extension_of(const std::string& word);

}  // namespace rampart::test
