// The four announcements of FTP: PORT and PASV (RFC 959), EPRT and EPSV (RFC 2428).
//
// Pure functions on the bytes of one segment that begins a line. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/endian.h"
#include "base/ip_address.h"
#include "conntrack/ct_class.h"
#include "conntrack/helpers/line_stream.h"

namespace rampart {

enum class FtpForm : uint8_t { Port, Eprt, Pasv, Epsv };
enum class FtpText : uint8_t {
    Other,       // nothing is announced
    Announced,   // `FtpAnnouncement` is filled
    Incomplete,  // the segment ends within an announcement
    Malformed,
    EndOfText  // 234: what follows is encrypted (RFC 4217)
};

struct FtpAnnouncement {
    FtpForm form{};
    IpAddress address;  // of Epsv: not set
    be16 port{};
    uint32_t offset = 0;  // of what is rewritten, in the segment
    uint32_t length = 0;
};

// Original: what the client says; Reply: what the server says.
FtpText read_ftp_line(std::string_view segment, Direction direction,
                      FtpAnnouncement& announcement) noexcept;
// The first bytes of a direction: Foreign unless a command of FTP or a reply's code is there.
StreamKind judge_ftp_client(std::string_view begin) noexcept;
StreamKind judge_ftp_server(std::string_view begin) noexcept;

}  // namespace rampart
