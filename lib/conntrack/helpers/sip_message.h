// SipMessage: the parts of a SIP message that matter to a firewall, as places in its text (RFC
// 3261).
//
// Long and compact header names. What only attackers and broken software send (NUL bytes, folded
// lines, more headers than anybody needs) is Hostile as a whole. Bounded time in the text's length.
// Pure functions, any thread. The text must outlive the message.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ip_address.h"

namespace rampart {

enum class SipMethod : uint8_t { Other, Invite, Ack, Bye, Cancel, Update, Prack, Register };

// A part of the message's text.
struct SipField {
    uint32_t offset = 0;
    uint32_t length = 0;

    bool is_set() const noexcept { return length != 0; }
    uint32_t end() const noexcept { return offset + length; }
    std::string_view in(std::string_view text) const noexcept {
        return text.substr(offset, length);
    }
};

struct SipMessage {
    static constexpr uint32_t kMaxContacts = 8;

    std::string_view text;  // from the start line to the end of the body
    bool is_request = false;
    bool has_content_length = false;
    SipMethod method = SipMethod::Other;  // of a response: of CSeq
    uint16_t status = 0;                  // of a response
    std::optional<uint32_t> cseq;
    std::optional<uint32_t> expires;
    SipField request_uri;
    SipField via;  // the topmost
    SipField from, to;
    SipField content_length;  // its digits
    std::array<SipField, kMaxContacts> contacts;
    uint32_t contact_count = 0;
    SipField body;
};

enum class SipParse : uint8_t {
    Whole,
    Foreign,     // no SIP
    Incomplete,  // its body is announced, but not all here
    Malformed,
    Hostile
};
SipParse parse_sip(std::string_view text, SipMessage& message) noexcept;
// Does a message begin here? Tells from its first kSipBegin bytes, or less if it is not one.
inline constexpr size_t kSipBegin = 10;
bool begins_as_sip(std::string_view text) noexcept;
SipMethod sip_method_of(std::string_view name) noexcept;

// An address, with its port if there is one.
struct SipEndpoint {
    SipField place;  // address and port
    IpAddress address;
    uint16_t port = 5060;
};
enum class SipEndpointParse : uint8_t { Found, None, Malformed };
// In `sip:user@ADDRESS:PORT;...`, wherever that begins within the field. None: a name, no SIP URI.
SipEndpointParse find_uri(std::string_view text, SipField field, SipEndpoint& endpoint) noexcept;
// In `SIP/2.0/UDP ADDRESS:PORT;...`.
SipEndpointParse find_via(std::string_view text, SipField field, SipEndpoint& endpoint) noexcept;
// The value of `;name=...` in [from, field.end()), up to the next parameter or value.
SipField find_parameter(std::string_view text, SipField field, uint32_t from,
                        std::string_view name) noexcept;

}  // namespace rampart
