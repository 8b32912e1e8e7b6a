#include "control/conntrack_option_table.h"

#include <iterator>

#include "control/conntrack_names.h"
#include "packet/packet.h"

namespace rampart::conntrack_option {
namespace {

constexpr std::string_view kNames[] = {
    "src",     "dst",        "reply-src", "reply-dst",  "protonum", "timeout",  "status",
    "zero",    "event-mask", "tuple-src", "tuple-dst",  "mask-src", "mask-dst", "mark",
    "id",      "family",     "src-nat",   "dst-nat",    "output",   "secmark",  "buffer-size",
    "any-nat", "zone",       "orig-zone", "reply-zone",
};
static_assert(std::size(kNames) == kCount);

struct Letter {
    char letter;
    Option option;
};
constexpr Letter kOptionLetters[] = {
    {'s', Src},     {'d', Dst},        {'r', ReplySrc},  {'q', ReplyDst}, {'p', Protocol},
    {'t', Timeout}, {'u', Status},     {'e', EventMask}, {'m', Mark},     {'i', Id},
    {'f', Family},  {'o', Output},     {'n', SrcNat},    {'g', DstNat},   {'j', AnyNat},
    {'w', Zone},    {'b', BufferSize}, {'c', Secmark},   {'z', Zero},
};

constexpr int kNone = no_argument, kOne = required_argument, kMaybe = optional_argument;

constexpr option kCommon[] = {
    {"dump", kNone, nullptr, 'L'},
    {"create", kNone, nullptr, 'I'},
    {"add", kNone, nullptr, 'A'},
    {"delete", kNone, nullptr, 'D'},
    {"update", kNone, nullptr, 'U'},
    {"get", kNone, nullptr, 'G'},
    {"flush", kNone, nullptr, 'F'},
    {"event", kNone, nullptr, 'E'},
    {"counter", kNone, nullptr, 'C'},
    {"stats", kNone, nullptr, 'S'},
    {"version", kNone, nullptr, 'V'},
    {"help", kNone, nullptr, 'h'},
    {"load-file", kOne, nullptr, 'R'},
    {"orig-src", kOne, nullptr, kOptionBase + Src},
    {"src", kOne, nullptr, kOptionBase + Src},
    {"orig-dst", kOne, nullptr, kOptionBase + Dst},
    {"dst", kOne, nullptr, kOptionBase + Dst},
    {"reply-src", kOne, nullptr, kOptionBase + ReplySrc},
    {"reply-dst", kOne, nullptr, kOptionBase + ReplyDst},
    {"protonum", kOne, nullptr, kOptionBase + Protocol},
    {"timeout", kOne, nullptr, kOptionBase + Timeout},
    {"status", kOne, nullptr, kOptionBase + Status},
    {"zero", kNone, nullptr, kOptionBase + Zero},
    {"event-mask", kOne, nullptr, kOptionBase + EventMask},
    {"tuple-src", kOne, nullptr, kOptionBase + TupleSrc},
    {"tuple-dst", kOne, nullptr, kOptionBase + TupleDst},
    {"mask-src", kOne, nullptr, kOptionBase + MaskSrc},
    {"mask-dst", kOne, nullptr, kOptionBase + MaskDst},
    {"mark", kOne, nullptr, kOptionBase + Mark},
    {"id", kOne, nullptr, kOptionBase + Id},
    {"family", kOne, nullptr, kOptionBase + Family},
    {"src-nat", kMaybe, nullptr, kOptionBase + SrcNat},
    {"dst-nat", kMaybe, nullptr, kOptionBase + DstNat},
    {"any-nat", kMaybe, nullptr, kOptionBase + AnyNat},
    {"output", kOne, nullptr, kOptionBase + Output},
    {"secmark", kOne, nullptr, kOptionBase + Secmark},
    {"buffer-size", kOne, nullptr, kOptionBase + BufferSize},
    {"zone", kOne, nullptr, kOptionBase + Zone},
    {"orig-zone", kOne, nullptr, kOptionBase + OrigZone},
    {"reply-zone", kOne, nullptr, kOptionBase + ReplyZone},
    {"label", kOne, nullptr, kLabel},
    {"label-add", kOne, nullptr, kLabel},
    {"label-del", kMaybe, nullptr, kLabel},
    {"yes", kNone, nullptr, kYes},
};

constexpr option kPorts[] = {
    {"orig-port-src", kOne, nullptr, kProtocolBase + SrcPort},
    {"sport", kOne, nullptr, kProtocolBase + SrcPort},
    {"orig-port-dst", kOne, nullptr, kProtocolBase + DstPort},
    {"dport", kOne, nullptr, kProtocolBase + DstPort},
    {"reply-port-src", kOne, nullptr, kProtocolBase + ReplySrcPort},
    {"reply-port-dst", kOne, nullptr, kProtocolBase + ReplyDstPort},
    {"state", kOne, nullptr, kProtocolBase + State},  // not for UDP: see protocol_options()
};
constexpr option kIcmp[] = {
    {"icmp-type", kOne, nullptr, kProtocolBase + IcmpType},
    {"icmp-code", kOne, nullptr, kProtocolBase + IcmpCode},
    {"icmp-id", kOne, nullptr, kProtocolBase + IcmpId},
};
constexpr option kIcmpv6[] = {
    {"icmpv6-type", kOne, nullptr, kProtocolBase + IcmpType},
    {"icmpv6-code", kOne, nullptr, kProtocolBase + IcmpCode},
    {"icmpv6-id", kOne, nullptr, kProtocolBase + IcmpId},
};
constexpr option kGre[] = {
    {"orig-key-src", kOne, nullptr, kProtocolBase + SrcKey},
    {"srckey", kOne, nullptr, kProtocolBase + SrcKey},
    {"orig-key-dst", kOne, nullptr, kProtocolBase + DstKey},
    {"dstkey", kOne, nullptr, kProtocolBase + DstKey},
    {"reply-key-src", kOne, nullptr, kProtocolBase + ReplySrcKey},
    {"reply-key-dst", kOne, nullptr, kProtocolBase + ReplyDstKey},
};

constexpr uint32_t bits(std::initializer_list<Option> options) noexcept {
    uint32_t set = 0;
    for (const Option option : options)
        set |= 1u << option;
    return set;
}
constexpr uint32_t kAddresses = bits({Src, Dst, ReplySrc, ReplyDst, Protocol});
constexpr uint32_t kSelecting = kAddresses | bits({MaskSrc, MaskDst, Mark, Family, SrcNat, DstNat,
                                                   Output, Zone, OrigZone, ReplyZone});

}  // namespace

std::string_view name_of(Option option) noexcept {
    return kNames[option];
}

int option_of_letter(int letter) noexcept {
    for (const Letter& known : kOptionLetters) {
        if (known.letter == letter) return kOptionBase + known.option;
    }
    return letter == 'l' || letter == '<' ? kLabel : letter;
}

std::span<const option> common_options() noexcept {
    return kCommon;
}

std::span<const option> protocol_options(uint8_t protocol) noexcept {
    const std::span<const option> ports(kPorts);
    switch (protocol) {
        case ip_protocol::kTcp:
        case ip_protocol::kSctp:
            return ports;
        case ip_protocol::kUdp:
        case ip_protocol::kUdpLite:
            return ports.first(ports.size() - 1);
        case ip_protocol::kIcmp:
            return kIcmp;
        case ip_protocol::kIcmpv6:
            return kIcmpv6;
        case ip_protocol::kGre:
            return kGre;
        default:
            return {};
    }
}

uint32_t allowed_options(char command) noexcept {
    switch (command) {
        case 'L':
            return kSelecting | bits({Status, Zero, AnyNat, Secmark});
        case 'D':
            return kSelecting | bits({Timeout, Status, Id});
        case 'E':
            return kSelecting | bits({EventMask, BufferSize, AnyNat, Secmark});
        case 'G':
            return kAddresses | bits({Id, Output});
        case 'F':
            return bits({Family});
        default:
            return 0;
    }
}

}  // namespace rampart::conntrack_option
