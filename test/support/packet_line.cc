#include "support/packet_line.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>

#include "support/fragment_frame.h"

namespace rampart::test {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what);
}

uint32_t number_of(const std::string& word, uint64_t max = 0xffffffff) {
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

void append_option(Bytes& out, uint8_t kind, const Bytes& data) {
    out.push_back(kind);
    out.push_back(static_cast<uint8_t>(data.size() + 2));
    out.insert(out.end(), data.begin(), data.end());
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

class LineParser {
  public:
    explicit LineParser(std::vector<std::string> words) : words_(std::move(words)) {}

    FrameSpec parse();

  private:
    bool at_end() const { return at_ == words_.size(); }
    const std::string& next() {
        if (at_end()) fail("the line ends too early");
        return words_[at_++];
    }
    uint32_t next_number(uint64_t max = 0xffffffff) { return number_of(next(), max); }
    uint16_t next16() { return static_cast<uint16_t>(next_number(0xffff)); }
    uint8_t next8() { return static_cast<uint8_t>(next_number(0xff)); }

    void read_head(const std::string& kind);
    void read_endpoint(IpAddress& address, uint16_t& port);
    void read_icmp(const std::string& word);
    bool read_link_word(const std::string& word);
    bool read_ip_word(const std::string& word);
    bool read_transport_word(const std::string& word);
    void read_quote();

    std::vector<std::string> words_;
    size_t at_ = 0;
    FrameSpec spec_;
    std::optional<uint32_t> quote_size_;
};

FrameSpec LineParser::parse() {
    const std::string kind = next();
    if (kind == "raw") {
        spec_.raw = hex_of(next());
    } else if (kind == "arp") {
        spec_.payload_type = 0x0806;
        spec_.payload = Bytes(46, 0);
    } else if (kind == "ether") {
        spec_.payload_type = static_cast<uint16_t>(next_number(0xffff));
        spec_.payload = Bytes(46, 0);
    } else {
        read_head(kind);
    }
    while (!at_end()) {
        const std::string word = next();
        if (read_link_word(word) || read_ip_word(word) || read_transport_word(word)) continue;
        if (spec_.transport == Transport::Tcp)
            spec_.tcp_flags = flags_of(word);
        else if (spec_.transport == Transport::Icmp)
            read_icmp(word);
        else
            fail("unknown word '" + word + "'");
    }
    return spec_;
}

void LineParser::read_head(const std::string& kind) {
    static const std::map<std::string, Transport> kKinds = {{"tcp", Transport::Tcp},
                                                            {"udp", Transport::Udp},
                                                            {"icmp", Transport::Icmp},
                                                            {"ip", Transport::Other}};
    const auto found = kKinds.find(kind);
    if (found == kKinds.end()) fail("unknown kind of packet '" + kind + "'");
    spec_.transport = found->second;
    read_endpoint(spec_.src, spec_.src_port);
    if (next() != ">") fail("expected '>' between source and destination");
    read_endpoint(spec_.dst, spec_.dst_port);
    if (spec_.src.family != spec_.dst.family) fail("source and destination differ in family");
}

// "10.0.0.2:80", "[2001:db8::1]:80"; without ports just the address.
void LineParser::read_endpoint(IpAddress& address, uint16_t& port) {
    std::string word = next();
    if (spec_.transport == Transport::Tcp || spec_.transport == Transport::Udp) {
        const size_t colon = word.rfind(':');
        if (colon == std::string::npos) fail("no port in '" + word + "'");
        port = static_cast<uint16_t>(number_of(word.substr(colon + 1), 0xffff));
        word.resize(colon);
        if (word.starts_with('[') && word.ends_with(']')) word = word.substr(1, word.size() - 2);
    }
    address = address_of(word);
}

// "echo-request", "13/0", or "error 3/3"; the last is followed by "about PACKET".
void LineParser::read_icmp(const std::string& word) {
    const bool is_ipv4 = spec_.src.family == Family::Ipv4;
    for (const IcmpName& name : kIcmpNames) {
        if (name.name != word) continue;
        spec_.icmp_type = is_ipv4 ? name.type4 : name.type6;
        return;
    }
    if (word == "about") return read_quote();
    const std::string numbers = word == "error" ? next() : word;
    const size_t slash = numbers.find('/');
    if (slash == std::string::npos) fail("unknown ICMP message '" + word + "'");
    spec_.icmp_type = static_cast<uint8_t>(number_of(numbers.substr(0, slash), 0xff));
    spec_.icmp_code = static_cast<uint8_t>(number_of(numbers.substr(slash + 1), 0xff));
}

void LineParser::read_quote() {
    LineParser inner({words_.begin() + static_cast<long>(at_), words_.end()});
    at_ = words_.size();
    spec_.payload = build_ip_packet(inner.parse());
    if (quote_size_ && *quote_size_ < spec_.payload.size()) spec_.payload.resize(*quote_size_);
}

bool LineParser::read_link_word(const std::string& word) {
    if (word == "vlan") {
        spec_.tags.push_back({0x8100, next16()});
    } else if (word == "service-vlan") {
        spec_.tags.push_back({0x88a8, next16()});
    } else if (word == "from-mac") {
        spec_.src_mac = mac_of(next());
    } else if (word == "to-mac") {
        spec_.dst_mac = mac_of(next());
    } else if (word == "type") {
        spec_.ether_type = next16();
    } else if (word == "pad") {
        spec_.pad = next_number(2000);
    } else if (word == "cut") {
        spec_.cut = next_number(2000);
    } else {
        return false;
    }
    return true;
}

bool LineParser::read_ip_word(const std::string& word) {
    if (word == "proto") {
        spec_.protocol = next8();
    } else if (word == "ttl") {
        spec_.ttl = next8();
    } else if (word == "tos") {
        spec_.tos = next8();
    } else if (word == "df") {
        spec_.dont_fragment = true;
    } else if (word == "mf") {
        spec_.more_fragments = true;
    } else if (word == "frag") {
        spec_.fragment_offset = static_cast<uint16_t>(next_number(0x1fff));
    } else if (word == "ip-options") {
        spec_.ip_options = hex_of(next());
    } else if (word == "version") {
        spec_.version = next8();
    } else if (word == "ihl") {
        spec_.header_words = next8();
    } else if (word == "ip-length") {
        spec_.ip_length = next16();
    } else if (word == "bad-ip-checksum") {
        spec_.bad_ip_checksum = true;
    } else if (word == "ext") {
        spec_.extensions.push_back(extension_of(next()));
    } else if (word == "exts") {  // COUNT EXTENSION
        const uint32_t count = next_number(64);
        const FrameSpec::Extension extension = extension_of(next());
        spec_.extensions.insert(spec_.extensions.end(), count, extension);
    } else if (word == "next-header") {
        spec_.next_header = next8();
    } else {
        return false;
    }
    return true;
}

bool LineParser::read_transport_word(const std::string& word) {
    if (word == "len") {
        spec_.payload.assign(next_number(65000), 0x61);
    } else if (word == "data") {
        spec_.payload = hex_of(next());
    } else if (word == "seq") {
        const uint32_t value = next_number();
        spec_.seq = value;
        spec_.icmp_seq = static_cast<uint16_t>(value);
    } else if (word == "ack") {
        spec_.ack = next_number();
    } else if (word == "win") {
        spec_.window = next16();
    } else if (word == "opt") {
        spec_.tcp_options = tcp_options_of(next());
    } else if (word == "data-offset") {
        spec_.data_offset = next8();
    } else if (word == "udp-length") {
        spec_.udp_length = next16();
    } else if (word == "id") {
        spec_.icmp_id = next16();
    } else if (word == "bad-checksum") {
        spec_.checksum = ChecksumAs::Wrong;
    } else if (word == "no-checksum") {
        spec_.checksum = ChecksumAs::Zero;
    } else if (word == "transport-cut") {
        spec_.transport_cut = next_number(2000);
    } else if (word == "quote") {
        quote_size_ = next_number(1500);
    } else {
        return false;
    }
    return true;
}

}  // namespace

std::vector<std::string> words_of(std::string_view line) {
    std::stringstream stream{std::string(line)};
    std::vector<std::string> words;
    for (std::string word; stream >> word;)
        words.push_back(word);
    return words;
}

FrameSpec parse_packet_line(std::string_view line) {
    return LineParser(words_of(line)).parse();
}

Bytes frame_of(std::string_view line) {
    std::vector<std::string> words = words_of(line);
    const auto piece = std::find(words.begin(), words.end(), "piece");
    const std::vector<std::string> packet(words.begin(), piece);
    const Bytes frame = build_frame(LineParser(packet).parse());
    if (piece == words.end()) return frame;
    return fragment_frame(frame, parse_piece({piece + 1, words.end()}));
}

}  // namespace rampart::test
