#include "scenario/runner/leaving_packet.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "packet/parser.h"
#include "support/packet_line.h"

namespace rampart::test {
namespace {

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

// Behind the '$' at `at`.
std::string name_at(const std::string& text, size_t at) {
    size_t end = at + 1;
    while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0)
        ++end;
    if (end == at + 1) throw std::runtime_error("no name behind '$' in '" + text + "'");
    return text.substr(at + 1, end - at - 1);
}

bool is_within(const std::string& value, const std::string& range) {
    const size_t dash = range.find('-');
    if (dash == std::string::npos) throw std::runtime_error("no range: '" + range + "'");
    const std::string first = range.substr(0, dash), last = range.substr(dash + 1);
    const auto address = IpAddress::parse(value);
    if (!address) {
        const unsigned long number = std::stoul(value);
        return std::stoul(first) <= number && number <= std::stoul(last);
    }
    const auto low = IpAddress::parse(first), high = IpAddress::parse(last);
    if (!low || !high) throw std::runtime_error("no range of addresses: '" + range + "'");
    return IpRange{*low, *high}.contains(*address);
}

}  // namespace

std::string Chosen::put_into(const std::string& line) const {
    std::string out = line;
    for (size_t at = out.find('$'); at != std::string::npos; at = out.find('$', at + 1)) {
        const std::string name = name_at(out, at);
        const size_t length = name.size() + 1;
        if (at + length < out.size() && out[at + length] == '(') continue;
        const auto value = values_.find(name);
        if (value == values_.end()) throw std::runtime_error("nothing was chosen for $" + name);
        out.replace(at, length, value->second);
    }
    return out;
}

bool Chosen::read(std::string& line, const Bytes& frame) {
    if (line.find('$') == std::string::npos) return true;
    Packet packet;
    Bytes copy = frame;
    const auto size = static_cast<uint32_t>(copy.size());
    if (parse_frame(packet, copy.data(), size, size, {}).kind != FrameKind::Ip) return false;
    const Tuple tuple = tuple_of(packet);
    std::vector<std::string> words = words_of(line);
    bool is_right = true;
    for (size_t i = 0; i < words.size(); ++i) {
        std::string& word = words[i];
        const size_t at = word.find('$');
        if (at == std::string::npos) continue;
        const std::string name = name_at(word, at);
        const size_t open = at + name.size() + 1, close = word.find(')', open);
        if (close == std::string::npos) throw std::runtime_error("no range in '" + word + "'");
        const bool is_source = i + 1 < words.size() && words[i + 1] == ">";
        const bool is_id = i > 0 && words[i - 1] == "id";
        std::string value;
        if (is_id || at > 1)
            value = std::to_string((is_source || is_id ? tuple.src_port : tuple.dst_port).host());
        else
            value = (is_source ? tuple.src_address() : tuple.dst_address()).to_string();
        is_right = is_within(value, word.substr(open + 1, close - open - 1)) && is_right;
        word.replace(at, close + 1 - at, value);
        values_[name] = value;
    }
    line = joined(words);
    return is_right;
}

std::string with_endpoints(const std::string& line, const std::vector<std::string>& words,
                           size_t first) {
    std::vector<std::string> out = words_of(line);
    if (out.size() < 4 || words.size() < first + 3)
        throw std::runtime_error("'SRC > DST' is for packets that have them");
    out[1] = words[first];
    out[3] = words[first + 2];
    const auto about = std::find(out.begin(), out.end(), "about");
    out.insert(about, words.begin() + static_cast<long>(first) + 3, words.end());
    return joined(out);
}

std::vector<IpAddress> addresses_in(const std::string& line) {
    std::vector<IpAddress> addresses;
    for (std::string word : words_of(line)) {
        auto address = IpAddress::parse(word);
        if (!address && word.rfind(':') != std::string::npos) {
            word.resize(word.rfind(':'));
            if (word.starts_with('[') && word.ends_with(']'))
                word = word.substr(1, word.size() - 2);
            address = IpAddress::parse(word);
        }
        if (address) addresses.push_back(*address);
    }
    return addresses;
}

}  // namespace rampart::test
