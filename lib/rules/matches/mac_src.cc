// `mac_src`: the source MAC address of the frame.

#include <cstring>

#include <fmt/format.h>

#include "base/mac_address.h"
#include "rules/matches/registry.h"
#include "rules/sets/set_use.h"
#include "rules/words.h"

namespace rampart {

namespace {

struct MacAddresses {
    std::vector<MacAddress> addresses;
    SetUses sets;
};

Arguments parse(const Value& value, ParseContext& context) {
    MacAddresses macs;
    bool good = true;
    for (const Value* item : scalars_of(value, "a MAC address", context)) {
        if (read_set_use(*item, SetField::MacSrc, macs.sets, good, context)) continue;
        if (const auto mac = parse_mac_address(item->text())) {
            macs.addresses.push_back(*mac);
            continue;
        }
        good = false;
        context.diagnostics.error("E008", item->location(),
                                  fmt::format("{} is not a MAC address", quoted(item->text())),
                                  "write \"52:54:00:12:34:56\", in quotes");
    }
    if (!good || (macs.addresses.empty() && macs.sets.is_empty())) return {};
    return Arguments::make(std::move(macs));
}

bool evaluate(const Arguments& arguments, const RuleInput& input) noexcept {
    const auto& macs = arguments.as<MacAddresses>();
    for (const MacAddress& mac : macs.addresses)
        if (std::memcmp(mac.data(), input.packet.frame + 6, mac.size()) == 0) return true;
    return macs.sets.holds(input);
}

std::string print(const Arguments& arguments, const Names&) {
    std::vector<std::string> words;
    for (const MacAddress& mac : arguments.as<MacAddresses>().addresses)
        words.push_back(to_string(mac));
    arguments.as<MacAddresses>().sets.append_words(words);
    return print_words(words);
}

const SetUses* sets(const Arguments& arguments) noexcept {
    return &arguments.as<MacAddresses>().sets;
}

}  // namespace

const MatchType kMatchMacSrc = {
    .key = "mac_src",
    .dependence = Dependence::Packet,
    .hooks = kAllHooks,
    .parse = parse,
    .evaluate = evaluate,
    .print = print,
    .families = nullptr,
    .help =
        {
            .summary = "The source MAC address of the frame.",
            .values = "an address in quotes, \"@set\", or a list",
            .example = "{ mac_src: \"52:54:00:12:34:56\", action: accept }",
            .iptables = "-m mac --mac-source",
            .nft = "ether saddr",
        },
    .sets = sets,
};

}  // namespace rampart
