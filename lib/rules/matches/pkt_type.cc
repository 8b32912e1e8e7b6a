// `pkt_type`: to whom the frame is addressed.

#include "rules/matches/registry.h"
#include "rules/words.h"

namespace rampart {

namespace {

using TypeMask = uint8_t;

const std::vector<std::string_view>& names() {
    static const std::vector<std::string_view> kNames = {"unicast", "broadcast", "multicast"};
    return kNames;
}

Arguments parse(const Value& value, ParseContext& context) {
    const auto mask = static_cast<TypeMask>(parse_word_set(value, "type", names(), context));
    return mask == 0 ? Arguments() : Arguments::make(mask);
}

unsigned type_of(const uint8_t* destination) noexcept {
    if (!(destination[0] & 1)) return 0;
    return load<uint32_t>(destination) == 0xffffffff && load<uint16_t>(destination + 4) == 0xffff
               ? 1
               : 2;
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    return arguments.as<TypeMask>() >> type_of(input.packet.frame) & 1;
}

std::string print(const Arguments& arguments, const Names&) {
    return print_word_set(arguments.as<TypeMask>(), names());
}

}  // namespace

const MatchType kMatchPktType = {
    .key = "pkt_type",
    .dependence = Dependence::Packet,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary = "Whether the frame goes to one station, to all, or to a group: by its "
                       "destination MAC address.",
            .values = "unicast, broadcast, multicast, or a list",
            .example = "{ pkt_type: [broadcast, multicast], action: drop }",
            .iptables = "-m pkttype --pkt-type",
            .nft = "meta pkttype",
        },
};

}  // namespace rampart
