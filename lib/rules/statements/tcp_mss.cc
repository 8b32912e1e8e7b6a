// `tcp_mss`: lowers the maximum segment size that a SYN announces (RFC 9293, 3.7.1).

#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"
#include "packet/checksum.h"
#include "rules/names.h"
#include "rules/statements/registry.h"

namespace rampart {

namespace {

constexpr uint16_t kClamp = 0;  // to the MTU of the ports
constexpr uint32_t kMaxMss = 65495;
constexpr uint8_t kEndOfOptions = 0, kNoOperation = 1, kMssOption = 2, kMssOptionBytes = 4;
constexpr uint32_t kTcpBytes = 20;

Arguments parse(const Value& value, ParseContext& context) {
    const RuleScope& scope = context.scope;
    const bool is_reported = scope.protocol != nullptr && scope.protocols.empty();
    const bool is_tcp = scope.protocols.size() == 1 && scope.protocols[0] == ip_protocol::kTcp;
    if (!is_tcp && !is_reported)
        context.diagnostics.error("E015", context.key_location,
                                  "'tcp_mss' needs 'proto: tcp' in the same rule");
    if (value.is_scalar() && value.text() == "clamp") return Arguments::make(kClamp);
    const auto number = value.is_scalar() ? parse_decimal(value.text(), kMaxMss) : std::nullopt;
    if (number && *number != 0) return Arguments::make(static_cast<uint16_t>(*number));
    context.diagnostics.error("E005", value.location(),
                              fmt::format("'tcp_mss' is clamp or a number, 1-{}", kMaxMss));
    return {};
}

// Where the two bytes of the announced size stand in the segment; null: it announces none.
uint8_t* find_mss(const Packet& packet, uint8_t* tcp) noexcept {
    const uint32_t readable = packet.frame_contiguous - uint32_t{packet.l4_offset};
    const uint32_t header = std::min({(tcp[12] >> 4) * 4u, readable, uint32_t{packet.l4_length}});
    for (uint32_t at = kTcpBytes; at + 1 < header;) {
        const uint8_t kind = tcp[at];
        if (kind == kEndOfOptions) return nullptr;
        if (kind == kNoOperation) {
            ++at;
            continue;
        }
        const uint8_t length = tcp[at + 1];
        if (length < 2 || at + length > header) return nullptr;
        if (kind == kMssOption) return length == kMssOptionBytes ? tcp + at + 2 : nullptr;
        at += length;
    }
    return nullptr;
}

// The ports' smaller MTU without the headers.
uint16_t clamped(const RuleInput& input) noexcept {
    uint32_t mtu = UINT16_MAX;
    for (const InterfaceIndex port : {input.in, input.out})
        if (port < input.interfaces.size())
            mtu = std::min<uint32_t>(mtu, input.interfaces[port].mtu);
    const uint32_t headers = (input.packet.family == Family::Ipv4 ? 20 : 40) + kTcpBytes;
    return static_cast<uint16_t>(mtu > headers ? mtu - headers : 1);
}

void execute(const Arguments& arguments, RuleInput& input) noexcept {
    Packet& packet = input.packet;
    if (packet.protocol != ip_protocol::kTcp || !(packet.tcp_flags & tcp_flag::kSyn)) return;
    uint8_t* field = find_mss(packet, packet.l4());
    if (field == nullptr) return;
    uint16_t mss = arguments.as<uint16_t>();
    if (mss == kClamp) mss = clamped(input);
    const uint16_t old = load_host16(field);
    if (old <= mss) return;  // never raised
    store_host16(field, mss);
    uint8_t* checksum = packet.l4() + 16;
    // Words of the checksum may straddle the option (RFC 1624 counts in whole 16-bit words).
    const bool is_odd = (field - packet.l4()) & 1;
    const uint16_t from = be16::from_host(is_odd ? __builtin_bswap16(old) : old).raw;
    const uint16_t to = be16::from_host(is_odd ? __builtin_bswap16(mss) : mss).raw;
    store(checksum, checksum_replace(load<uint16_t>(checksum), from, to));
}

std::string print(const Arguments& arguments, const Names&) {
    const uint16_t mss = arguments.as<uint16_t>();
    return mss == kClamp ? "clamp" : std::to_string(mss);
}

}  // namespace

const StatementType kStatementTcpMss = {
    .key = "tcp_mss",
    .hooks = static_cast<HookMask>(Hook::Input) | static_cast<HookMask>(Hook::Forward) |
             static_cast<HookMask>(Hook::Output),
    .parse = parse,
    .execute = execute,
    .print = print,
    .help =
        {
            .summary = "Lowers the maximum segment size that a SYN announces; never raises it, and "
                       "adds none.",
            .values = "clamp (to the smaller MTU of the two ports), or a number",
            .example = "{ proto: tcp, tcp_flags: \"syn/syn,rst\", tcp_mss: clamp }",
            .iptables = "-j TCPMSS --set-mss, --clamp-mss-to-pmtu",
            .nft = "tcp option maxseg size set",
        },
};

}  // namespace rampart
