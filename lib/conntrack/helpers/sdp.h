// Sdp: the media of a session description that may get pinholes (RFC 8866).
//
// Places are in the text of the whole SIP message. Audio, video and image are what is looked at.
// Pure function, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/ip_address.h"
#include "conntrack/helpers/sip_message.h"

namespace rampart {

struct SdpAddress {
    SipField place;  // not set: there is none
    IpAddress address;
};

enum class SdpType : uint8_t { Audio, Video, Image };

struct SdpMedia {
    SdpType type{};
    SipField port_place;
    uint16_t port = 0;      // 0: the stream is not used
    SdpAddress connection;  // of this medium; overrides the session's
};

struct Sdp {
    static constexpr uint32_t kMaxMedia = 4;

    SdpAddress origin;
    SdpAddress connection;
    std::array<SdpMedia, kMaxMedia> media;
    uint32_t media_count = 0;
};

enum class SdpParse : uint8_t { None, Found, Malformed };
SdpParse parse_sdp(std::string_view message, SipField body, Sdp& sdp) noexcept;

}  // namespace rampart
