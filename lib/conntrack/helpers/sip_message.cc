#include "conntrack/helpers/sip_message.h"

#include <algorithm>

#include "conntrack/helpers/ascii.h"

namespace rampart {
namespace {

constexpr uint32_t kMaxHeaders = 128;
constexpr uint32_t kMaxBody = 65535;
constexpr std::string_view kVersion = "SIP/2.0";

struct MethodName {
    std::string_view name;
    SipMethod method;
};
constexpr MethodName kMethods[] = {
    {"INVITE", SipMethod::Invite},     {"ACK", SipMethod::Ack},
    {"BYE", SipMethod::Bye},           {"CANCEL", SipMethod::Cancel},
    {"UPDATE", SipMethod::Update},     {"PRACK", SipMethod::Prack},
    {"REGISTER", SipMethod::Register}, {"OPTIONS", SipMethod::Other},
    {"SUBSCRIBE", SipMethod::Other},   {"NOTIFY", SipMethod::Other},
    {"REFER", SipMethod::Other},       {"INFO", SipMethod::Other},
    {"MESSAGE", SipMethod::Other},     {"PUBLISH", SipMethod::Other}};

enum class Header : uint8_t { Other, Via, From, To, Contact, CSeq, Expires, ContentLength };
struct HeaderName {
    std::string_view name;
    std::string_view compact;
    Header header;
};
constexpr HeaderName kHeaders[] = {{"Via", "v", Header::Via},
                                   {"From", "f", Header::From},
                                   {"To", "t", Header::To},
                                   {"Contact", "m", Header::Contact},
                                   {"CSeq", "CSeq", Header::CSeq},
                                   {"Expires", "Expires", Header::Expires},
                                   {"Content-Length", "l", Header::ContentLength}};

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

SipField field_of(std::string_view text, std::string_view part) noexcept {
    return {static_cast<uint32_t>(part.data() - text.data()), static_cast<uint32_t>(part.size())};
}

// The line at `offset`, without its end; `next` is where the following one begins.
std::string_view line_at(std::string_view text, size_t offset, size_t& next) noexcept {
    const size_t end = text.find('\n', offset);
    next = end == text.npos ? text.size() : end + 1;
    std::string_view line = text.substr(offset, (end == text.npos ? text.size() : end) - offset);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

bool parse_status_line(std::string_view line, SipMessage& message) noexcept {
    line.remove_prefix(kVersion.size());
    if (line.empty() || line[0] != ' ') return false;
    line.remove_prefix(1);
    const auto status = take_number(line, 699);
    if (!status || *status < 100) return false;
    message.status = static_cast<uint16_t>(*status);
    return line.empty() || line[0] == ' ';
}

bool parse_request_line(std::string_view line, SipMessage& message) noexcept {
    const size_t method_end = line.find(' ');
    const size_t uri_end = line.rfind(' ');
    if (method_end == line.npos || uri_end <= method_end + 1) return false;
    if (!equals_no_case(line.substr(uri_end + 1), kVersion)) return false;
    message.is_request = true;
    message.method = sip_method_of(line.substr(0, method_end));
    message.request_uri =
        field_of(message.text, line.substr(method_end + 1, uri_end - method_end - 1));
    return true;
}

Header header_of(std::string_view name) noexcept {
    for (const HeaderName& header : kHeaders)
        if (equals_no_case(name, header.name) || equals_no_case(name, header.compact))
            return header.header;
    return Header::Other;
}

// A header's whole value as one number.
std::optional<uint32_t> number_of(std::string_view value, uint32_t max) noexcept {
    const auto number = take_number(value, max);
    return value.empty() ? number : std::nullopt;
}

bool parse_cseq(std::string_view value, SipMessage& message) noexcept {
    message.cseq = take_number(value, UINT32_MAX);
    if (!message.cseq || value.empty() || !is_blank(value[0])) return false;
    if (!message.is_request) message.method = sip_method_of(trim(value));
    return true;
}

// The values of a Contact header are separated by commas, which may also stand in quoted names.
void add_contacts(std::string_view value, SipMessage& message) noexcept {
    bool is_quoted = false, is_bracketed = false;
    size_t begin = 0;
    for (size_t i = 0; i <= value.size(); ++i) {
        const char c = i < value.size() ? value[i] : ',';
        if (c == '"') is_quoted = !is_quoted;
        if (c == '<' || c == '>') is_bracketed = c == '<';
        if (c != ',' || (i < value.size() && (is_quoted || is_bracketed))) continue;
        const std::string_view contact = trim(value.substr(begin, i - begin));
        begin = i + 1;
        if (contact.empty() || message.contact_count == SipMessage::kMaxContacts) continue;
        message.contacts[message.contact_count++] = field_of(message.text, contact);
    }
}

bool set_once(SipField& field, SipField value) noexcept {
    if (field.is_set()) return false;
    field = value;
    return true;
}

// False: malformed.
bool take_header(std::string_view line, SipMessage& message) noexcept {
    const size_t colon = line.find(':');
    if (colon == line.npos) return false;
    const Header header = header_of(trim(line.substr(0, colon)));
    const std::string_view value = trim(line.substr(colon + 1));
    const SipField field = field_of(message.text, value);
    switch (header) {
        case Header::Other:
            return true;
        case Header::Via:
            set_once(message.via, field);
            return true;
        case Header::From:
            return set_once(message.from, field);
        case Header::To:
            return set_once(message.to, field);
        case Header::Contact:
            add_contacts(value, message);
            return true;
        case Header::CSeq:
            return !message.cseq && parse_cseq(value, message);
        case Header::Expires:
            message.expires = number_of(value, UINT32_MAX);
            return message.expires.has_value();
        case Header::ContentLength:
            message.has_content_length = number_of(value, kMaxBody).has_value();
            return message.has_content_length && set_once(message.content_length, field);
    }
    return true;
}

SipParse take_body(size_t offset, SipMessage& message) noexcept {
    message.body = {static_cast<uint32_t>(offset),
                    static_cast<uint32_t>(message.text.size() - offset)};
    if (!message.has_content_length) return SipParse::Whole;
    const auto length = number_of(message.content_length.in(message.text), kMaxBody);
    if (*length > message.body.length) return SipParse::Incomplete;
    message.body.length = *length;
    message.text = message.text.substr(0, message.body.end());
    return SipParse::Whole;
}

}  // namespace

SipMethod sip_method_of(std::string_view name) noexcept {
    for (const MethodName& known : kMethods)
        if (equals_no_case(name, known.name)) return known.method;
    return SipMethod::Other;
}

bool begins_as_sip(std::string_view text) noexcept {
    const auto agrees = [text](std::string_view word) {
        const size_t length = std::min(text.size(), word.size());
        return starts_no_case(text, word.substr(0, length)) &&
               (text.size() <= word.size() || text[word.size()] == ' ');
    };
    for (const MethodName& method : kMethods)
        if (agrees(method.name)) return true;
    return agrees(kVersion);
}

SipParse parse_sip(std::string_view text, SipMessage& message) noexcept {
    message = SipMessage{};
    message.text = text;
    if (!begins_as_sip(text)) return SipParse::Foreign;
    if (text.find('\n') == text.npos) return SipParse::Incomplete;
    size_t next = 0;
    const std::string_view start = line_at(text, 0, next);
    const bool is_response = starts_no_case(start, kVersion);
    if (!(is_response ? parse_status_line(start, message) : parse_request_line(start, message)))
        return SipParse::Foreign;

    for (uint32_t headers = 0; next < text.size(); ++headers) {
        const size_t at = next;
        const std::string_view line = line_at(text, at, next);
        if (text[next - 1] != '\n') return SipParse::Incomplete;
        if (line.empty()) return take_body(next, message);
        const bool is_folded = is_blank(line[0]);
        if (headers == kMaxHeaders || is_folded || line.find('\0') != line.npos)
            return SipParse::Hostile;
        if (!take_header(line, message)) return SipParse::Malformed;
    }
    return message.has_content_length ? SipParse::Incomplete : take_body(text.size(), message);
}

namespace {

// ADDRESS, [ADDRESS], with or without :PORT, at `at`.
SipEndpointParse read_endpoint(std::string_view text, size_t at, size_t end,
                               SipEndpoint& endpoint) noexcept {
    std::string_view rest = text.substr(at, end - at);
    const bool is_bracketed = !rest.empty() && rest[0] == '[';
    size_t length = 0;
    if (is_bracketed) {
        const size_t bracket = rest.find(']');
        if (bracket == rest.npos) return SipEndpointParse::Malformed;
        length = bracket + 1;
    } else {
        while (length < rest.size() && (is_digit(rest[length]) || rest[length] == '.'))
            ++length;
    }
    const auto address =
        IpAddress::parse(is_bracketed ? rest.substr(1, length - 2) : rest.substr(0, length));
    if (!address || (address->family == Family::Ipv6) != is_bracketed)
        return SipEndpointParse::None;
    // A name may begin with something like an address.
    if (length < rest.size() && (is_letter(rest[length]) || rest[length] == '-'))
        return SipEndpointParse::None;
    endpoint = SipEndpoint{};
    endpoint.address = *address;
    rest.remove_prefix(length);
    if (!rest.empty() && rest[0] == ':') {
        rest.remove_prefix(1);
        const bool has_zero = !rest.empty() && rest[0] == '0';
        const auto port = take_number(rest, 65535);
        if (has_zero || !port) return SipEndpointParse::Malformed;
        endpoint.port = static_cast<uint16_t>(*port);
    }
    endpoint.place = {static_cast<uint32_t>(at), static_cast<uint32_t>(end - rest.size() - at)};
    return SipEndpointParse::Found;
}

size_t find_no_case(std::string_view text, std::string_view word) noexcept {
    for (size_t i = 0; i + word.size() <= text.size(); ++i)
        if (starts_no_case(text.substr(i), word)) return i;
    return text.npos;
}

}  // namespace

SipEndpointParse find_uri(std::string_view text, SipField field, SipEndpoint& endpoint) noexcept {
    const std::string_view value = field.in(text);
    constexpr std::string_view kScheme = "sip:";
    const size_t scheme = find_no_case(value, kScheme);
    if (scheme == value.npos) return SipEndpointParse::None;
    size_t at = scheme + kScheme.size();
    // The user part, if there is one, ends with @ (RFC 3261, 19.1).
    const size_t user = value.find_first_of("@>,\"", at);
    if (user != value.npos && value[user] == '@') at = user + 1;
    return read_endpoint(text, field.offset + at, field.end(), endpoint);
}

SipEndpointParse find_via(std::string_view text, SipField field, SipEndpoint& endpoint) noexcept {
    const std::string_view value = field.in(text);
    if (!starts_no_case(value, "SIP/2.0/UDP") && !starts_no_case(value, "SIP/2.0/TCP"))
        return SipEndpointParse::None;
    const size_t host = value.find_first_not_of(" \t", std::string_view("SIP/2.0/UDP").size());
    if (host == value.npos) return SipEndpointParse::None;
    return read_endpoint(text, field.offset + host, field.end(), endpoint);
}

SipField find_parameter(std::string_view text, SipField field, uint32_t from,
                        std::string_view name) noexcept {
    std::string_view rest = text.substr(from, field.end() - from);
    for (size_t semicolon; (semicolon = rest.find_first_of(";,")) != rest.npos;) {
        if (rest[semicolon] == ',') break;
        rest.remove_prefix(semicolon + 1);
        rest = rest.substr(std::min(rest.find_first_not_of(" \t"), rest.size()));
        if (!starts_no_case(rest, name) || rest.size() <= name.size() || rest[name.size()] != '=')
            continue;
        const std::string_view value = rest.substr(name.size() + 1);
        return field_of(text, value.substr(0, value.find_first_of(";,> \t")));
    }
    return {};
}

}  // namespace rampart
