// `set_dscp`: writes the differentiated services code point (RFC 2474).

#include "packet/checksum.h"
#include "rules/dscp.h"
#include "rules/statements/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

struct Dscp {
    uint8_t number = 0;
    std::string written;
};

Arguments parse(const Value& value, ParseContext& context) {
    const auto range = value.is_scalar() ? parse_number_range(value.text(), kDscpSyntax)
                                         : std::optional<NumberRange>();
    if (range && range->first == range->last)
        return Arguments::make(Dscp{static_cast<uint8_t>(range->first), value.text()});
    context.diagnostics.error("E005", value.location(), "'set_dscp' takes one DSCP",
                              "a name such as ef, or a number 0-63");
    return {};
}

// The two bits of ECN stay (RFC 3168).
void execute(const Arguments& arguments, RuleInput& input) noexcept {
    const uint8_t dscp = arguments.as<Dscp>().number;
    uint8_t* ip = input.packet.l3();
    const uint16_t old = load<uint16_t>(ip);
    if (input.packet.family == Family::Ipv4) {
        ip[1] = static_cast<uint8_t>(dscp << 2 | (ip[1] & 3));
        store(ip + 10, checksum_replace(load<uint16_t>(ip + 10), old, load<uint16_t>(ip)));
    } else {
        ip[0] = static_cast<uint8_t>((ip[0] & 0xf0) | dscp >> 2);
        ip[1] = static_cast<uint8_t>(dscp << 6 | (ip[1] & 0x3f));
    }
}

std::string print(const Arguments& arguments, const Names&) {
    return print_word(arguments.as<Dscp>().written);
}

}  // namespace

const StatementType kStatementSetDscp = {
    .key = "set_dscp",
    .hooks = kFilterHooks,
    .parse = parse,
    .execute = execute,
    .print = print,
    .help =
        {
            .summary = "Writes the DSCP field of the packet.",
            .values = "a name (ef, cs1, af21 ...) or a number 0-63",
            .example = "{ proto: udp, dport: 5060, set_dscp: cs3 }",
            .iptables = "-j DSCP --set-dscp, --set-dscp-class",
            .nft = "ip dscp set, ip6 dscp set",
        },
};

}  // namespace rampart
