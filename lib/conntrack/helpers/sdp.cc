#include "conntrack/helpers/sdp.h"

#include "conntrack/helpers/ascii.h"

namespace rampart {
namespace {

struct TypeName {
    std::string_view name;
    SdpType type;
};
constexpr TypeName kTypes[] = {
    {"audio ", SdpType::Audio}, {"video ", SdpType::Video}, {"image ", SdpType::Image}};

// Walks over the lines of the description, which may be a part of a body of several.
class Reader {
  public:
    Reader(std::string_view message, SipField body, Sdp& sdp) noexcept
        : message_(message), at_(body.offset), end_(body.end()), sdp_(sdp) {}

    SdpParse read() noexcept {
        bool has_begun = false;
        for (std::string_view line; next_line(line);) {
            if (!has_begun) {
                has_begun = line.substr(0, 2) == "v=";
            } else if (line.size() < 2 || line[1] != '=') {
                break;  // the end of this part
            } else if (!take(line)) {
                return SdpParse::Malformed;
            }
        }
        return has_begun ? SdpParse::Found : SdpParse::None;
    }

  private:
    bool next_line(std::string_view& line) noexcept {
        if (at_ >= end_) return false;
        std::string_view rest = message_.substr(at_, end_ - at_);
        const size_t end = rest.find('\n');
        is_whole_ = end != rest.npos;
        line = rest.substr(0, end);
        at_ += is_whole_ ? end + 1 : rest.size();
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        return true;
    }

    bool take(std::string_view line) noexcept {
        switch (line[0]) {
            case 'o':
                take_address(line, sdp_.origin);
                return true;
            case 'c':
                if (!has_media_)
                    take_address(line, sdp_.connection);
                else if (media_ != nullptr)
                    take_address(line, media_->connection);
                return true;
            case 'm':
                return take_media(line);
            default:
                return true;
        }
    }

    // ... IN IP4 ADDRESS. The first counts.
    void take_address(std::string_view line, SdpAddress& target) noexcept {
        if (target.place.is_set()) return;
        size_t at = line.find("IN IP4 ");
        if (at == line.npos) at = line.find("IN IP6 ");
        if (at == line.npos) return;
        at += std::string_view("IN IP4 ").size();
        std::string_view text = line.substr(at);
        text = text.substr(0, text.find_first_of(" /"));
        const auto address = IpAddress::parse(text);
        if (!address) return;
        target.address = *address;
        target.place = {static_cast<uint32_t>(text.data() - message_.data()),
                        static_cast<uint32_t>(text.size())};
    }

    bool take_media(std::string_view line) noexcept {
        has_media_ = true;
        media_ = nullptr;
        std::string_view text = line.substr(2);
        for (const TypeName& known : kTypes) {
            if (text.substr(0, known.name.size()) != known.name) continue;
            if (sdp_.media_count == Sdp::kMaxMedia) return true;
            text.remove_prefix(known.name.size());
            const std::string_view digits = text;
            const auto port = take_number(text, 65535);
            const bool has_zeros = digits.size() > 1 && digits[0] == '0' && is_digit(digits[1]);
            // A number that ends where the text does may be cut.
            if (!port || has_zeros || (text.empty() && !is_whole_)) return false;
            if (!text.empty() && text[0] != ' ' && text[0] != '/') return false;
            media_ = &sdp_.media[sdp_.media_count++];
            media_->type = known.type;
            media_->port = static_cast<uint16_t>(*port);
            media_->port_place = {static_cast<uint32_t>(digits.data() - message_.data()),
                                  static_cast<uint32_t>(digits.size() - text.size())};
            return true;
        }
        return true;
    }

    std::string_view message_;
    size_t at_;
    size_t end_;
    Sdp& sdp_;
    SdpMedia* media_ = nullptr;  // that `c=` belongs to; null: to one that is not looked at
    bool has_media_ = false;
    bool is_whole_ = false;  // the current line has an end
};

}  // namespace

SdpParse parse_sdp(std::string_view message, SipField body, Sdp& sdp) noexcept {
    sdp = Sdp{};
    return Reader(message, body, sdp).read();
}

}  // namespace rampart
