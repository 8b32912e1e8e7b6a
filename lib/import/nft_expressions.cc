#include "import/nft_expressions.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/join.h"
#include "base/scalar.h"
#include "import/nft_translation.h"
#include "import/nft_values.h"
#include "import/set_catalogue.h"
#include "import/values.h"
#include "rules/protocols.h"

namespace rampart {

namespace {

using nlohmann::json;

struct Field {
    std::string_view group;  // "meta", "ct", or the protocol of a payload expression
    std::string_view name;
    std::string_view key;    // of the language
    Family family;           // that the packet must have; None: any
    std::string_view proto;  // that the packet must have; empty: any
};
constexpr Field kFields[] = {
    {"meta", "iifname", "in", Family::None, ""},
    {"meta", "iif", "in", Family::None, ""},
    {"meta", "oifname", "out", Family::None, ""},
    {"meta", "oif", "out", Family::None, ""},
    {"meta", "nfproto", "family", Family::None, ""},
    {"meta", "l4proto", "proto", Family::None, ""},
    {"meta", "mark", "mark", Family::None, ""},
    {"meta", "pkttype", "pkt_type", Family::None, ""},
    {"meta", "length", "length", Family::None, ""},
    {"ct", "state", "state", Family::None, ""},
    {"ct", "status", "ct_status", Family::None, ""},
    {"ct", "direction", "ct_dir", Family::None, ""},
    {"ct", "mark", "ct_mark", Family::None, ""},
    {"ct", "helper", "ct_helper", Family::None, ""},
    {"ether", "saddr", "mac_src", Family::None, ""},
    {"ip", "saddr", "src", Family::Ipv4, ""},
    {"ip", "daddr", "dst", Family::Ipv4, ""},
    {"ip", "protocol", "proto", Family::Ipv4, ""},
    {"ip", "dscp", "dscp", Family::Ipv4, ""},
    {"ip", "ttl", "ttl", Family::Ipv4, ""},
    {"ip", "length", "length", Family::Ipv4, ""},
    {"ip6", "saddr", "src", Family::Ipv6, ""},
    {"ip6", "daddr", "dst", Family::Ipv6, ""},
    {"ip6", "nexthdr", "proto", Family::Ipv6, ""},
    {"ip6", "dscp", "dscp", Family::Ipv6, ""},
    {"ip6", "hoplimit", "ttl", Family::Ipv6, ""},
    {"tcp", "sport", "sport", Family::None, "tcp"},
    {"tcp", "dport", "dport", Family::None, "tcp"},
    {"tcp", "flags", "tcp_flags", Family::None, "tcp"},
    {"udp", "sport", "sport", Family::None, "udp"},
    {"udp", "dport", "dport", Family::None, "udp"},
    {"udplite", "sport", "sport", Family::None, "udplite"},
    {"udplite", "dport", "dport", Family::None, "udplite"},
    {"sctp", "sport", "sport", Family::None, "sctp"},
    {"sctp", "dport", "dport", Family::None, "sctp"},
    {"th", "sport", "sport", Family::None, ""},
    {"th", "dport", "dport", Family::None, ""},
    {"icmp", "type", "icmp", Family::Ipv4, "icmp"},
    {"icmpv6", "type", "icmpv6", Family::Ipv6, "icmpv6"},
};

struct IcmpName {
    std::string_view word;
    std::string_view own;
};
// Types that nft and the language spell differently.
constexpr IcmpName kIcmpNames[] = {
    {"nd-router-solicit", "router-solicitation"},
    {"nd-router-advert", "router-advertisement"},
    {"nd-neighbor-solicit", "neighbour-solicitation"},
    {"nd-neighbor-advert", "neighbour-advertisement"},
    {"nd-redirect", "redirect"},
    {"mld-listener-reduction", "mld-listener-done"},
    {"ind-neighbor-solicit", "inverse-neighbour-solicitation"},
    {"ind-neighbor-advert", "inverse-neighbour-advertisement"},
};

std::string own_icmp_name(const std::string& word) {
    for (const IcmpName& name : kIcmpNames) {
        if (name.word == word) return std::string(name.own);
    }
    return word;
}

// "@name" of the ruleset's sets; the catalogue knows their types.
bool is_set_name(const std::string& word) {
    return word.starts_with('@');
}

class ExpressionReader {
  public:
    ExpressionReader(RuleDraft& draft, const ChainLookup& chains)
        : draft_(draft), chains_(chains) {}

    // False: a verdict map, which the caller expands.
    void read(const json& expression);
    void match(const json& left, const std::string& op, const json& right);

  private:
    const Field* find_field(const json& left);
    void require_protocol(std::string_view protocol);
    void match_field(const Field& field, std::vector<std::string> words, bool negated);
    void match_masked(const json& operands, const std::string& op, const json& right);
    void match_flags(const json& mask, const json& set, bool negated);
    bool rewrite(const Field& field, std::vector<std::string>& words);
    void compare(const Field& field, const std::string& op, const json& right);
    void read_limit(const json& value);
    void read_reject(const json& reject);
    void read_mangle(const json& mangle);
    void read_verdict(const std::string& name, const json& value);

    RuleDraft& draft_;
    const ChainLookup& chains_;
};

const Field* ExpressionReader::find_field(const json& left) {
    std::string group;
    std::string name;
    if (left.is_object() && left.contains("meta")) {
        group = "meta";
        name = left["meta"].at("key").get<std::string>();
    } else if (left.is_object() && left.contains("ct")) {
        group = "ct";
        name = left["ct"].at("key").get<std::string>();
        if (left["ct"].contains("dir")) return nullptr;
    } else if (left.is_object() && left.contains("payload") &&
               left["payload"].contains("protocol")) {
        group = left["payload"].at("protocol").get<std::string>();
        name = left["payload"].at("field").get<std::string>();
    }
    for (const Field& field : kFields) {
        if (field.group == group && field.name == name) return &field;
    }
    return nullptr;
}

// nft leaves out the match on the protocol where a field implies it.
void ExpressionReader::require_protocol(std::string_view protocol) {
    if (!protocol.empty()) draft_.match("proto", {std::string(protocol)});
}

// Words of nft that the language spells otherwise; false: refused.
bool ExpressionReader::rewrite(const Field& field, std::vector<std::string>& words) {
    for (std::string& word : words) {
        if (is_set_name(word)) continue;
        if (field.key == "proto") {
            const auto number = parse_protocol(word == "ipv6-icmp" ? "icmpv6" : lower_case(word));
            if (!number) return draft_.refuse("unknown protocol " + word), false;
            word = print_protocol(*number);
        } else if (field.key == "icmp" || field.key == "icmpv6") {
            word = own_icmp_name(word);
            const auto type = icmp_word(word);
            if (!type) return draft_.refuse("unknown ICMP type " + word), false;
            word = *type;
        } else if (field.key == "src" || field.key == "dst") {
            const auto address = address_range_word(word, field.family);
            if (!address) return draft_.refuse(word + " is no address"), false;
            word = *address;
        } else if (field.key == "mark" || field.key == "ct_mark") {
            const auto number = parse_number(word);
            if (!number) return draft_.refuse(word + " is no mark"), false;
            word = mark_word(*number, 0xffffffff);
        } else if (field.key == "pkt_type" && word == "host") {
            word = "unicast";
        } else if (field.key == "ct_status") {
            word = word == "seen-reply" ? "seen_reply" : word;
        }
    }
    return true;
}

void ExpressionReader::match_field(const Field& field, std::vector<std::string> words,
                                   bool negated) {
    if (field.family != Family::None) draft_.require_family(field.family);
    require_protocol(field.proto);
    for (const std::string& word : words) {
        if (is_set_name(word) && draft_.sets().find(word.substr(1)) == nullptr)
            return draft_.refuse("the set " + word +
                                 " is not known or not of a type that rules "
                                 "can use");
    }
    if (!rewrite(field, words)) return;
    if (field.key == "family") {
        if (words.size() != 1) return;  // both
        const bool is_v4 = (words[0] == "ipv4") != negated;
        return draft_.require_family(is_v4 ? Family::Ipv4 : Family::Ipv6);
    }
    draft_.match(field.key, std::move(words), negated);
}

void ExpressionReader::match_flags(const json& mask, const json& set, bool negated) {
    const auto examined = nft_words(mask);
    const bool is_none = set.is_number_integer() && set.get<int>() == 0;
    const auto wanted = is_none ? std::vector<std::string>{"none"} : nft_words(set);
    if (!examined || !wanted) return draft_.refuse("these are no TCP flags");
    require_protocol("tcp");
    draft_.match("tcp_flags", {join(*wanted, ",") + "/" + join(*examined, ",")}, negated);
}

// `tcp flags & (syn | ack) == syn`, `meta mark & 0xff == 0x10`
void ExpressionReader::match_masked(const json& operands, const std::string& op,
                                    const json& right) {
    const Field* field = find_field(operands.at(0));
    const bool negated = op == "!=";
    if (field == nullptr || (op != "==" && op != "!="))
        return draft_.refuse("this match under a mask has no counterpart");
    if (field->key == "tcp_flags") return match_flags(operands.at(1), right, negated);
    const auto mask = nft_word(operands.at(1));
    const auto value = nft_word(right);
    const auto mask_bits = mask ? parse_number(*mask) : std::nullopt;
    const auto value_bits = value ? parse_number(*value) : std::nullopt;
    if ((field->key != "mark" && field->key != "ct_mark") || !mask_bits || !value_bits)
        return draft_.refuse("this match under a mask has no counterpart");
    draft_.match(field->key, {mark_word(*value_bits, *mask_bits)}, negated);
}

// `tcp dport >= 1024`
void ExpressionReader::compare(const Field& field, const std::string& op, const json& right) {
    const bool is_port = field.key == "sport" || field.key == "dport";
    const uint64_t most = is_port || field.key == "length" ? 65535 : 255;
    const auto word = nft_word(right);
    const uint64_t bound = parse_decimal(word.value_or(""), most).value_or(most + 1);
    if ((!is_port && field.key != "length" && field.key != "ttl") || bound > most)
        return draft_.refuse(fmt::format("'{} {}' has no counterpart", field.name, op));
    const bool is_below = op.starts_with('<');
    const uint64_t strict = op.size() == 1 ? 1 : 0;
    if (strict != 0 && bound == (is_below ? 0 : most))
        return draft_.never_matches("no value is beyond its bound");
    const uint64_t first = is_below ? 0 : bound + strict;
    const uint64_t last = is_below ? bound - strict : most;
    match_field(field, {fmt::format("{}-{}", first, last)}, false);
}

void ExpressionReader::match(const json& left, const std::string& op, const json& right) {
    if (left.is_object() && left.contains("&")) return match_masked(left["&"], op, right);
    if (left.is_object() && left.contains("fib"))
        return read_nft_fib(left["fib"], op, right, draft_);
    const Field* field = find_field(left);
    if (field == nullptr)
        return draft_.refuse(fmt::format("a match on {} has no counterpart", left.dump()));
    if (op == "<" || op == ">" || op == "<=" || op == ">=") return compare(*field, op, right);
    if (field->key == "tcp_flags" && op == "in")
        return draft_.refuse("any of some TCP flags has no counterpart",
                             "write tcp flags & (...) == ...");
    if (field->key == "tcp_flags")
        return match_flags(json::array({"fin", "syn", "rst", "psh", "ack", "urg"}), right,
                           op == "!=");
    auto words = nft_words(right);
    if (!words || (op != "==" && op != "!=" && op != "in"))
        return draft_.refuse(fmt::format("{} has no counterpart", right.dump()));
    match_field(*field, std::move(*words), op == "!=");
}

void ExpressionReader::read_limit(const json& value) {
    const auto limit = nft_limit(value);
    if (!limit) return draft_.refuse("this rate has no counterpart");
    if (value.value("inv", false))
        return draft_.match_flow("limit", fmt::format("{{ rate: {}, burst: {}, over: true }}",
                                                      limit->rate, limit->burst));
    draft_.match("limit", {fmt::format("{} burst {}", limit->rate, limit->burst)});
}

void ExpressionReader::read_reject(const json& reject) {
    draft_.verdict("action", "reject");
    const std::string type = reject.is_object() ? reject.value("type", "") : "";
    if (type == "tcp reset") return draft_.verdict_option("reject_with", "tcp-reset");
    std::string with = reject.is_object() ? reject.value("expr", "") : "";
    if (with.empty()) with = "port-unreachable";
    if (with == "addr-unreachable") with = "host-unreachable";
    if (with == "no-route") with = "net-unreachable";
    if (with == "prot-unreachable") with = "proto-unreachable";
    draft_.verdict_option("reject_with", with);
}

void ExpressionReader::read_mangle(const json& mangle) {
    const Field* field = find_field(mangle.at("key"));
    const auto value = nft_word(mangle.at("value"));
    const auto number = value ? parse_number(*value) : std::nullopt;
    if (field != nullptr && number && field->key == "mark")
        return draft_.statement("set_mark", mark_word(*number, 0xffffffff));
    if (field != nullptr && number && field->key == "ct_mark")
        return draft_.statement("set_ct_mark", mark_word(*number, 0xffffffff));
    if (field != nullptr && value && field->key == "dscp")
        return draft_.statement("set_dscp", *value);
    draft_.refuse(fmt::format("setting {} has no counterpart", mangle.dump()));
}

void ExpressionReader::read_verdict(const std::string& name, const json& value) {
    if (name != "jump" && name != "goto") {
        if (name != "continue") draft_.verdict("action", name);
        return;
    }
    const std::string target = value.at("target").get<std::string>();
    if (const auto chain = chains_(target)) return draft_.verdict(name, *chain);
    draft_.refuse("there is no chain " + target);
}

void ExpressionReader::read(const json& expression) {
    const std::string name = expression.items().begin().key();
    const json& value = expression.items().begin().value();
    if (name == "match")
        return match(value.at("left"), value.at("op").get<std::string>(), value.at("right"));
    if (name == "accept" || name == "drop" || name == "return" || name == "continue" ||
        name == "jump" || name == "goto")
        return read_verdict(name, value);
    if (name == "notrack") return draft_.verdict("action", "notrack");
    if (name == "ct helper" && value.is_string())
        return draft_.statement("helper", value.get<std::string>());
    if (name == "reject") return read_reject(value);
    if (name == "limit") return read_limit(value);
    if (name == "mangle") return read_mangle(value);
    if (name == "snat" || name == "dnat" || name == "masquerade" || name == "redirect")
        return read_nft_translation(name, value, draft_);
    if (name == "counter") {
        if (value.is_object())
            draft_.counters(DumpCounters{value.value("packets", uint64_t{0}),
                                         value.value("bytes", uint64_t{0})});
        return;
    }
    if (name == "log") {
        const std::string prefix = value.is_object() ? value.value("prefix", "") : "";
        return draft_.statement_flow(
            "log", fmt::format("{{ prefix: {}, limit: none }}", yaml_quoted(prefix)));
    }
    draft_.refuse(name == "xt" ? "it is a rule of iptables that nft cannot print; use iptables-save"
                               : fmt::format("'{}' has no counterpart", name));
}

// The element of a verdict map that this rule is for.
struct MapElement {
    const json* key;      // what is looked up
    const json* value;    // what it is
    const json* verdict;  // what follows
};

ImportedRule read_one(const json& expressions, RuleDraft draft, const std::string& comment,
                      const ChainLookup& chains, const MapElement* element) {
    if (!comment.empty()) draft.comment(comment);
    try {
        ExpressionReader reader(draft, chains);
        for (const json& expression : expressions) {
            if (!expression.contains("vmap")) {
                reader.read(expression);
                continue;
            }
            reader.match(*element->key, "==", *element->value);
            reader.read(*element->verdict);
        }
    } catch (const json::exception&) {
        draft.refuse("an expression of this rule has a form that is not known");
    }
    return draft.rule();
}

}  // namespace

std::vector<ImportedRule> read_nft_rule(const json& expressions, Family family, Origin origin,
                                        const std::string& comment, const ChainLookup& chains,
                                        DraftContext context) {
    const json* map = nullptr;
    for (const json& expression : expressions) {
        if (expression.is_object() && expression.contains("vmap")) map = &expression["vmap"];
    }
    if (map == nullptr)
        return {
            read_one(expressions, RuleDraft(family, origin, context), comment, chains, nullptr)};
    const json empty = json::array();
    const json& data = map->contains("data") ? (*map)["data"] : empty;
    if (!data.is_object() || !data.contains("set") || !map->contains("key")) {
        RuleDraft draft(family, origin, context);
        draft.refuse("named verdict maps are not imported", "write the map into the rule");
        return {draft.rule()};
    }
    std::vector<ImportedRule> rules;
    for (const json& pair : data["set"]) {
        const MapElement element{&(*map)["key"], &pair.at(0), &pair.at(1)};
        rules.push_back(
            read_one(expressions, RuleDraft(family, origin, context), comment, chains, &element));
        if (rules.size() > 1) rules.back().counters.reset();
    }
    return rules;
}

}  // namespace rampart
