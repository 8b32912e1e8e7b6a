#include "rules/key_fields.h"

#include <cstring>

#include <fmt/format.h>

#include "base/scalar.h"
#include "packet/ip_protocol.h"
#include "rules/protocols.h"
#include "rules/words.h"

namespace rampart {
namespace {

const std::vector<std::string_view>& field_names() {
    static const std::vector<std::string_view> kNames = {"src", "dst", "sport", "dport", "in"};
    return kNames;
}

void copy_prefix(AddressBytes& to, const AddressBytes& from, unsigned bits) noexcept {
    std::memcpy(to.data(), from.data(), bits / 8);
    if (bits % 8 != 0) to[bits / 8] = static_cast<uint8_t>(from[bits / 8] & (0xff00 >> bits % 8));
}

}  // namespace

uint64_t KeyFields::key_of(const RuleInput& input, const KeyedHash& hash) const noexcept {
    const Tuple& tuple = input.tuple;
    const unsigned bits = tuple.family == Family::Ipv4 ? mask4 : mask6;
    FlowKey6 key;
    if (fields & Src) copy_prefix(key.low_address, tuple.src, bits);
    if (fields & Dst) copy_prefix(key.high_address, tuple.dst, bits);
    if (has_ports(tuple.protocol)) {
        if (fields & Sport) key.low_port = tuple.src_port;
        if (fields & Dport) key.high_port = tuple.dst_port;
    }
    if (fields & In) key.zone = static_cast<uint16_t>(input.in + 1);
    key.pad[0] = static_cast<uint8_t>(tuple.family);
    const uint64_t low = hash.hash(key);
    key.pad[1] = 1;
    return uint64_t{hash.hash(key)} << 32 | low;
}

std::string KeyFields::print() const {
    std::string text;
    for (size_t i = 0; i < field_names().size(); ++i)
        if (fields >> i & 1)
            text += fmt::format("{}{}", text.empty() ? "per: [" : ", ", field_names()[i]);
    if (!text.empty()) text += "]";
    if (mask4 != 32) text += fmt::format(", mask: {}", mask4);
    if (mask6 != 128) text += fmt::format(", mask6: {}", mask6);
    return text;
}

std::optional<uint32_t> read_number(const Value::Entry& entry, uint32_t min, uint32_t max,
                                    ParseContext& context) {
    const std::string text = entry.value.is_scalar() ? entry.value.text() : std::string();
    const auto number = parse_decimal(text, max);
    if (number && *number >= min) return static_cast<uint32_t>(*number);
    context.diagnostics.error(
        "E005", entry.value.location(),
        fmt::format("'{}' is a number from {} to {}", entry.key.text(), min, max));
    return std::nullopt;
}

bool read_key_field(const Value::Entry& entry, KeyFields& fields, ParseContext& context,
                    bool& is_good) {
    const std::string& key = entry.key.text();
    if (key == "per") {
        const uint32_t set = parse_word_set(entry.value, "field of 'per'", field_names(), context);
        fields.fields = static_cast<uint8_t>(set);
        is_good = is_good && set != 0;
        return true;
    }
    if (key != "mask" && key != "mask6") return false;
    const auto bits = read_number(entry, 0, key == "mask" ? 32 : 128, context);
    (key == "mask" ? fields.mask4 : fields.mask6) = static_cast<uint8_t>(bits.value_or(0));
    is_good = is_good && bits;
    return true;
}

bool check_key_fields(const Value& map, const KeyFields& fields, ParseContext& context) {
    for (const char* key : {"mask", "mask6"}) {
        const Value::Entry* entry = map.find_entry(key);
        if (entry == nullptr || fields.fields & (KeyFields::Src | KeyFields::Dst)) continue;
        context.diagnostics.error("E016", entry->key.location(),
                                  fmt::format("'{}' needs an address to shorten", key),
                                  "write  per: [src]");
        return false;
    }
    return true;
}

}  // namespace rampart
