#include "conntrack/helpers/ftp_text.h"

#include <array>

#include "conntrack/helpers/ascii.h"
#include "conntrack/helpers/line_stream.h"

namespace rampart {
namespace {

// RFC 5797's registry, and what clients really begin with.
constexpr std::string_view kCommands[] = {
    "ABOR", "ACCT", "ADAT", "ALGS", "ALLO", "APPE", "AUTH", "AVBL", "CCC",  "CDUP", "CLNT",
    "CONF", "CSID", "CWD",  "DELE", "ENC",  "EPRT", "EPSV", "FEAT", "HELP", "HOST", "LANG",
    "LIST", "LPRT", "LPSV", "MDTM", "MFCT", "MFF",  "MFMT", "MIC",  "MKD",  "MLSD", "MLST",
    "MODE", "NLST", "NOOP", "OPTS", "PASS", "PASV", "PBSZ", "PORT", "PROT", "PWD",  "QUIT",
    "REIN", "REST", "RETR", "RMD",  "RNFR", "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR",
    "STOU", "STRU", "SYST", "TYPE", "USER", "XCUP", "XCWD", "XMKD", "XPWD", "XRMD"};

constexpr uint32_t kByte = 255, kMaxPort = 65535;

// Does `segment` begin with `pattern`, whatever the case? Incomplete when it is only its beginning.
FtpText find(std::string_view segment, std::string_view pattern) noexcept {
    if (segment.size() <= pattern.size())
        return equals_no_case(segment, pattern.substr(0, segment.size())) ? FtpText::Incomplete
                                                                          : FtpText::Other;
    return starts_no_case(segment, pattern) ? FtpText::Announced : FtpText::Other;
}

// A number and the character behind it. Incomplete when the text ends before that.
FtpText take_field(std::string_view& text, uint32_t max, char terminator,
                   uint32_t& value) noexcept {
    if (text.empty()) return FtpText::Incomplete;
    const auto number = take_number(text, max);
    if (!number) return FtpText::Malformed;
    if (text.empty()) return FtpText::Incomplete;
    if (terminator != '\0' && text[0] != terminator) return FtpText::Malformed;
    value = *number;
    return FtpText::Announced;
}

// h1,h2,h3,h4,p1,p2 and `terminator`; '\0': anything that is no digit.
FtpText take_six_numbers(std::string_view& text, char terminator,
                         FtpAnnouncement& announcement) noexcept {
    std::array<uint32_t, 6> numbers{};
    for (size_t i = 0; i < numbers.size(); ++i) {
        if (i > 0) text.remove_prefix(1);
        const FtpText field = take_field(text, kByte, i < 5 ? ',' : terminator, numbers[i]);
        if (field != FtpText::Announced) return field;
    }
    announcement.address.family = Family::Ipv4;
    for (size_t i = 0; i < 4; ++i)
        announcement.address.bytes[i] = static_cast<uint8_t>(numbers[i]);
    announcement.port = be16::from_host(static_cast<uint16_t>(numbers[4] << 8 | numbers[5]));
    return FtpText::Announced;
}

bool is_delimiter(char c) noexcept {
    return c > 32 && c < 127 && !is_digit(c);
}

// d family d address d port d CR
FtpText take_eprt(std::string_view& text, FtpAnnouncement& announcement) noexcept {
    if (text.empty()) return FtpText::Incomplete;
    const char delimiter = text[0];
    if (!is_delimiter(delimiter)) return FtpText::Malformed;
    text.remove_prefix(1);
    uint32_t number = 0;
    FtpText field = take_field(text, 2, delimiter, number);
    if (field != FtpText::Announced) return field;
    text.remove_prefix(1);
    const Family family = number == 1 ? Family::Ipv4 : Family::Ipv6;

    constexpr size_t kLongestAddress = 45;
    const size_t length = text.find(delimiter);
    if (length == text.npos)
        return text.size() > kLongestAddress || text.find('\r') != text.npos ? FtpText::Malformed
                                                                             : FtpText::Incomplete;
    const auto address = IpAddress::parse(text.substr(0, length));
    if (number == 0 || !address || address->family != family) return FtpText::Malformed;
    announcement.address = *address;
    text.remove_prefix(length + 1);
    field = take_field(text, kMaxPort, delimiter, number);
    if (field != FtpText::Announced) return field;
    announcement.port = be16::from_host(static_cast<uint16_t>(number));
    text.remove_prefix(1);
    if (text.empty()) return FtpText::Incomplete;
    return text[0] == '\r' ? FtpText::Announced : FtpText::Malformed;
}

// d d d port d )
FtpText take_epsv(std::string_view& text, FtpAnnouncement& announcement) noexcept {
    if (text.empty()) return FtpText::Incomplete;
    const char delimiter = text[0];
    if (!is_delimiter(delimiter)) return FtpText::Malformed;
    for (int i = 0; i < 3; ++i) {
        if (text.empty()) return FtpText::Incomplete;
        if (text[0] != delimiter) return FtpText::Malformed;
        text.remove_prefix(1);
    }
    uint32_t number = 0;
    const FtpText field = take_field(text, kMaxPort, delimiter, number);
    if (field != FtpText::Announced) return field;
    announcement.port = be16::from_host(static_cast<uint16_t>(number));
    text.remove_prefix(1);
    if (text.empty()) return FtpText::Incomplete;
    return text[0] == ')' ? FtpText::Announced : FtpText::Malformed;
}

// Moves `text` to the first character of its line that `is_wanted`.
FtpText skip_to(std::string_view& text, bool (*is_wanted)(char)) noexcept {
    while (!text.empty() && !is_wanted(text[0])) {
        if (text[0] == '\r' || text[0] == '\n') return FtpText::Malformed;
        text.remove_prefix(1);
    }
    return text.empty() ? FtpText::Incomplete : FtpText::Announced;
}

FtpText read_client(std::string_view segment, FtpAnnouncement& announcement) noexcept {
    constexpr size_t kCommandLength = 5;
    FtpText found = find(segment, "PORT ");
    announcement.form = FtpForm::Port;
    if (found == FtpText::Other) {
        found = find(segment, "EPRT ");
        announcement.form = FtpForm::Eprt;
    }
    if (found != FtpText::Announced) return found;
    std::string_view text = segment.substr(kCommandLength);
    found = announcement.form == FtpForm::Port ? take_six_numbers(text, '\r', announcement)
                                               : take_eprt(text, announcement);
    announcement.offset = kCommandLength;
    announcement.length = static_cast<uint32_t>(segment.size() - text.size() - kCommandLength);
    return found;
}

FtpText read_server(std::string_view segment, FtpAnnouncement& announcement) noexcept {
    constexpr size_t kCodeLength = 4;
    if (starts_no_case(segment, "234 ")) return FtpText::EndOfText;
    FtpText found = find(segment, "227 ");
    announcement.form = FtpForm::Pasv;
    if (found == FtpText::Other) {
        found = find(segment, "229 ");
        announcement.form = FtpForm::Epsv;
    }
    if (found != FtpText::Announced) return found;
    const bool is_pasv = announcement.form == FtpForm::Pasv;
    std::string_view text = segment.substr(kCodeLength);
    found = is_pasv ? skip_to(text, [](char c) { return is_digit(c); })
                    : skip_to(text, [](char c) { return c == '('; });
    if (found != FtpText::Announced) return found;
    if (!is_pasv) text.remove_prefix(1);
    announcement.offset = static_cast<uint32_t>(segment.size() - text.size());
    found = is_pasv ? take_six_numbers(text, '\0', announcement) : take_epsv(text, announcement);
    announcement.length = static_cast<uint32_t>(segment.size() - text.size() - announcement.offset);
    return found;
}

}  // namespace

FtpText read_ftp_line(std::string_view segment, Direction direction,
                      FtpAnnouncement& announcement) noexcept {
    return direction == Direction::Original ? read_client(segment, announcement)
                                            : read_server(segment, announcement);
}

StreamKind judge_ftp_client(std::string_view begin) noexcept {
    size_t length = 0;
    while (length < begin.size() && is_letter(begin[length]))
        ++length;
    constexpr size_t kLongest = 4;
    if (length == begin.size() && length <= kLongest) return StreamKind::Undecided;
    if (begin[length] != ' ' && begin[length] != '\r' && begin[length] != '\n')
        return StreamKind::Foreign;
    for (const std::string_view command : kCommands)
        if (equals_no_case(begin.substr(0, length), command)) return StreamKind::Ours;
    return StreamKind::Foreign;
}

StreamKind judge_ftp_server(std::string_view begin) noexcept {
    for (size_t i = 0; i < begin.size() && i < 3; ++i)
        if (!is_digit(begin[i])) return StreamKind::Foreign;
    if (begin.size() < 4) return StreamKind::Undecided;
    return begin[3] == ' ' || begin[3] == '-' || begin[3] == '\r' ? StreamKind::Ours
                                                                  : StreamKind::Foreign;
}

}  // namespace rampart
