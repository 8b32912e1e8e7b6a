#include "support/packet_words.h"

#include <charconv>
#include <map>
#include <sstream>
#include <stdexcept>

namespace rampart::test {
namespace {

void append_option(Bytes& out, uint8_t kind, const Bytes& data) {
    out.push_back(kind);
    out.push_back(static_cast<uint8_t>(data.size() + 2));
    out.insert(out.end(), data.begin(), data.end());
}

}  // namespace

void fail(const std::string& what) {
    throw std::runtime_error(what);
}

uint32_t number_of(const std::string& word, uint64_t max) {
    uint64_t value = 0;
    const bool is_hex = word.starts_with("0x");
    const char* first = word.data() + (is_hex ? 2 : 0);
    const char* last = word.data() + word.size();
    const auto [end, error] = std::from_chars(first, last, value, is_hex ? 16 : 10);
    if (error != std::errc{} || end != last || value > max) fail("not a number: '" + word + "'");
    return static_cast<uint32_t>(value);
}

Bytes hex_of(const std::string& word) {
    if (word.size() % 2 != 0) fail("odd number of hex digits: '" + word + "'");
    Bytes out;
    for (size_t i = 0; i < word.size(); i += 2)
        out.push_back(static_cast<uint8_t>(number_of("0x" + word.substr(i, 2))));
    return out;
}

IpAddress address_of(const std::string& word) {
    const auto address = IpAddress::parse(word);
    if (!address) fail("not an address: '" + word + "'");
    return *address;
}

Mac mac_of(const std::string& word) {
    Mac mac{};
    if (word.size() != 17) fail("not a MAC address: '" + word + "'");
    for (size_t i = 0; i < 6; ++i)
        mac[i] = static_cast<uint8_t>(number_of("0x" + word.substr(i * 3, 2)));
    return mac;
}

uint8_t flags_of(const std::string& word) {
    static const std::map<char, uint8_t> kFlags = {{'F', 0x01}, {'S', 0x02}, {'R', 0x04},
                                                   {'P', 0x08}, {'.', 0x10}, {'A', 0x10},
                                                   {'U', 0x20}, {'E', 0x40}, {'C', 0x80}};
    if (word == "none") return 0;
    uint8_t flags = 0;
    for (const char c : word) {
        const auto found = kFlags.find(c);
        if (found == kFlags.end()) fail("not TCP flags: '" + word + "'");
        flags |= found->second;
    }
    return flags;
}

Bytes big_endian(uint32_t value, unsigned size) {
    Bytes out;
    for (unsigned i = size; i-- > 0;)
        out.push_back(static_cast<uint8_t>(value >> (i * 8)));
    return out;
}

// "mss=1460,wscale=7,sackok,sack=100-200,ts,nop,hex=0204"
Bytes tcp_options_of(const std::string& word) {
    Bytes out;
    std::stringstream list(word);
    for (std::string item; std::getline(list, item, ',');) {
        const size_t equals = item.find('=');
        const std::string name = item.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : item.substr(equals + 1);
        if (name == "mss") {
            append_option(out, 2, big_endian(value.empty() ? 1460 : number_of(value), 2));
        } else if (name == "wscale") {
            append_option(out, 3, big_endian(number_of(value), 1));
        } else if (name == "sackok") {
            append_option(out, 4, {});
        } else if (name == "sack") {
            const size_t dash = value.find('-');
            Bytes block = big_endian(number_of(value.substr(0, dash)), 4);
            const Bytes right = big_endian(number_of(value.substr(dash + 1)), 4);
            block.insert(block.end(), right.begin(), right.end());
            append_option(out, 5, block);
        } else if (name == "ts") {
            append_option(out, 8, Bytes(8, 1));
        } else if (name == "nop") {
            out.push_back(1);
        } else if (name == "hex") {
            const Bytes bytes = hex_of(value);
            out.insert(out.end(), bytes.begin(), bytes.end());
        } else {
            fail("unknown TCP option '" + item + "'");
        }
    }
    return out;
}

FrameSpec::Extension extension_of(const std::string& word) {
    static const std::map<std::string, uint8_t> kTypes = {
        {"hop-by-hop", 0}, {"routing", 43}, {"fragment", 44}, {"ah", 51}, {"destination", 60}};
    const size_t equals = word.find('=');
    const auto found = kTypes.find(word.substr(0, equals));
    if (found == kTypes.end()) fail("unknown extension header '" + word + "'");
    // Eight bytes: next header, length 0, then PadN for the options of two of them.
    Bytes bytes = {0, 0, 1, 4, 0, 0, 0, 0};
    if (found->second == 51)
        bytes = {0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    if (found->second == 44) bytes = {0, 0, 0, 0, 0, 0, 0, 1};
    if (found->second == 43) bytes = {0, 0, 2, 0, 0, 0, 0, 0};
    if (equals != std::string::npos) {
        bytes = hex_of(word.substr(equals + 1));
        bytes.insert(bytes.begin(), 0);
    }
    return {found->second, bytes};
}

}  // namespace rampart::test
