// The names of conntrack's options, for getopt_long(), and which go with which command.
//
// Constants, any thread. Used by conntrack_options.cc alone.
#pragma once

#include <cstdint>
#include <getopt.h>
#include <span>
#include <string_view>

namespace rampart::conntrack_option {

// In the order in which conntrack-tools complains about them.
enum Option : uint8_t {
    Src,
    Dst,
    ReplySrc,
    ReplyDst,
    Protocol,
    Timeout,
    Status,
    Zero,
    EventMask,
    TupleSrc,
    TupleDst,
    MaskSrc,
    MaskDst,
    Mark,
    Id,
    Family,
    SrcNat,
    DstNat,
    Output,
    Secmark,
    BufferSize,
    AnyNat,
    Zone,
    OrigZone,
    ReplyZone,
    kCount,
};

// The name in "Illegal option `--NAME' with this command".
std::string_view name_of(Option option) noexcept;

// What getopt_long() returns: a letter for a command, else one of these.
inline constexpr int kOptionBase = 0x100;    // + Option
inline constexpr int kProtocolBase = 0x200;  // + ProtocolField
inline constexpr int kLabel = 0x300;         // labels do not exist
inline constexpr int kYes = 0x301;

enum ProtocolField : uint8_t {
    SrcPort,
    DstPort,
    ReplySrcPort,
    ReplyDstPort,
    State,
    IcmpType,
    IcmpCode,
    IcmpId,
    SrcKey,
    DstKey,
    ReplySrcKey,
    ReplyDstKey,
};

// The letters, with a leading colon: a missing argument is told from an unknown option.
inline constexpr const char* kLetters =
    ":LIDUGEFACSVhR:s:d:r:q:p:t:u:e:m:i:f:o:n::g::j::w:l:b:c:<:z";

// What kLetters stand for; a letter that is an option has no kOptionBase.
int option_of_letter(int letter) noexcept;

std::span<const option> common_options() noexcept;
// The further options that -p allows.
std::span<const option> protocol_options(uint8_t protocol) noexcept;

// Bit of each option that a command (its letter) takes.
uint32_t allowed_options(char command) noexcept;

}  // namespace rampart::conntrack_option
