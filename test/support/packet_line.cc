#include "support/packet_line.h"

#include <algorithm>
#include <map>
#include <sstream>

#include "support/fragment_frame.h"
#include "support/packet_words.h"

namespace rampart::test {
namespace {

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
    bool read_sctp(const std::string& word);
    bool read_gre(const std::string& word);
    bool read_redirect(const std::string& word);
    bool read_link_word(const std::string& word);
    bool read_ip_word(const std::string& word);
    bool read_transport_word(const std::string& word);
    void read_quote();

    std::vector<std::string> words_;
    size_t at_ = 0;
    size_t chunk_at_ = 0;  // SCTP: where the last chunk begins in the payload
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
        if (spec_.transport == Transport::Sctp && read_sctp(word)) continue;
        if (spec_.transport == Transport::Gre && read_gre(word)) continue;
        if (spec_.transport == Transport::Icmp && read_redirect(word)) continue;
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
    static const std::map<std::string, Transport> kKinds = {
        {"tcp", Transport::Tcp},   {"udp", Transport::Udp},   {"udplite", Transport::UdpLite},
        {"icmp", Transport::Icmp}, {"sctp", Transport::Sctp}, {"gre", Transport::Gre},
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
    if (spec_.transport != Transport::Other && spec_.transport != Transport::Icmp &&
        spec_.transport != Transport::Gre) {
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
    Bytes quote = build_ip_packet(inner.parse());
    if (quote_size_ && *quote_size_ < quote.size()) quote.resize(*quote_size_);
    spec_.payload.insert(spec_.payload.end(), quote.begin(), quote.end());
}

// "redirect-to ADDRESS option TYPE UNITS about PACKET" (RFC 4861, 4.5): target and destination, and
// the head of an option.
bool LineParser::read_redirect(const std::string& word) {
    if (word == "redirect-to") {
        spec_.icmp_type = 137;
        const IpAddress target = address_of(next());
        for (int i = 0; i < 2; ++i)
            spec_.payload.insert(spec_.payload.end(), target.bytes.begin(), target.bytes.end());
    } else if (word == "option") {
        const uint8_t type = next8();
        const Bytes header = {type, next8(), 0, 0, 0, 0, 0, 0};
        spec_.payload.insert(spec_.payload.end(), header.begin(), header.end());
    } else {
        return false;
    }
    return true;
}

// Chunks with plausible contents (RFC 9260, 3.3), and words that change the last of them.
bool LineParser::read_sctp(const std::string& word) {
    static const std::map<std::string, std::pair<uint8_t, size_t>> kChunks = {
        {"data", {0, 20}},
        {"init", {1, 16}},
        {"init-ack", {2, 16}},
        {"sack", {3, 12}},
        {"heartbeat", {4, 8}},
        {"heartbeat-ack", {5, 8}},
        {"abort", {6, 0}},
        {"shutdown", {7, 4}},
        {"shutdown-ack", {8, 0}},
        {"error", {9, 4}},
        {"cookie-echo", {10, 8}},
        {"cookie-ack", {11, 0}},
        {"shutdown-complete", {14, 0}}};
    const auto found = kChunks.find(word);
    if (found != kChunks.end() || word == "chunk") {
        const uint8_t type = found != kChunks.end() ? found->second.first : next8();
        const size_t size = found != kChunks.end() ? found->second.second : next_number(1400);
        chunk_at_ = spec_.payload.size();
        const size_t length = size + 4;
        const Bytes header = {type, 0, static_cast<uint8_t>(length >> 8),
                              static_cast<uint8_t>(length)};
        spec_.payload.insert(spec_.payload.end(), header.begin(), header.end());
        spec_.payload.resize((chunk_at_ + length + 3) / 4 * 4);
    } else if (word == "vtag") {
        spec_.verification_tag = next_number();
    } else if (word == "tag") {  // the one that INIT and INIT ACK announce
        const Bytes tag = big_endian(next_number(), 4);
        std::copy(tag.begin(), tag.end(), spec_.payload.begin() + static_cast<long>(chunk_at_) + 4);
    } else if (word == "reflected") {
        spec_.payload.at(chunk_at_ + 1) |= 1;
    } else if (word == "chunk-length") {
        const Bytes length = big_endian(next16(), 2);
        std::copy(length.begin(), length.end(),
                  spec_.payload.begin() + static_cast<long>(chunk_at_) + 2);
    } else {
        return false;
    }
    return true;
}

bool LineParser::read_gre(const std::string& word) {
    if (word == "call") {  // as PPTP's
        spec_.gre_version = 1;
        spec_.gre_payload = 0x880b;
        spec_.call_id = next16();
    } else if (word == "gre-version") {
        spec_.gre_version = next8();
    } else if (word == "carries") {
        spec_.gre_payload = next16();
    } else if (word == "key") {
        spec_.gre_key = next_number();
    } else {
        return false;
    }
    return true;
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
    } else if (word == "coverage") {
        spec_.coverage = next16();
    } else if (word == "sum-as") {
        spec_.sum_as = next8();
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
