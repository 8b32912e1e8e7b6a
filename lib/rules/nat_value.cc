#include "rules/nat_value.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/scalar.h"
#include "rules/protocols.h"
#include "rules/words.h"

namespace rampart {

namespace {

struct KeyName {
    std::string_view name;
    uint8_t key;
};
constexpr KeyName kKeyNames[] = {
    {"to", nat_key::kTo},         {"ports", nat_key::kPorts},
    {"random", nat_key::kRandom}, {"persistent", nat_key::kPersistent},
    {"shift", nat_key::kShift},   {"checksum_neutral", nat_key::kChecksumNeutral}};
// Of the language, and not of this release.
constexpr std::string_view kKeysNotBuilt[] = {"blocks", "log"};

class NatReader {
  public:
    NatReader(const Value& rule, const NatForm& form, ParseContext& context, NatAction& action)
        : rule_(rule),
          value_(*rule.find(form.target)),
          form_(form),
          context_(context),
          action_(action) {}

    bool run();

  private:
    void read_map();
    void read_key(const Value::Entry& entry);
    void read_to(const Value& value);
    void read_addresses(std::string_view text, const Value& value);
    void read_prefix(const Value& value);
    void read_ports(std::string_view text, const Value& value);
    bool read_flag(const Value::Entry& entry);
    bool read_random(const Value& value);
    void check_protocols();
    void read_shift();
    void fail(const char* code, const Location& at, std::string message, std::string hint = {});
    bool has(uint8_t key) const noexcept { return (form_.keys & key) != 0; }

    const Value& rule_;
    const Value& value_;
    const NatForm& form_;
    ParseContext& context_;
    NatAction& action_;
    const Value* shift_ = nullptr;
    bool is_good_ = true;
};

void NatReader::fail(const char* code, const Location& at, std::string message, std::string hint) {
    context_.diagnostics.error(code, at, std::move(message), std::move(hint));
    is_good_ = false;
}

bool NatReader::run() {
    if (value_.is_map()) {
        read_map();
    } else if (!value_.is_scalar()) {
        fail(
            "E005", value_.location(),
            fmt::format("'{}' takes a word or a mapping, not {}", form_.target, value_.kind_name()),
            std::string(form_.example));
    } else if (has(nat_key::kToPrefix)) {
        read_prefix(value_);
    } else if (has(nat_key::kTo)) {
        read_to(value_);
    } else if (form_.needs_protocol && value_.text() != "true") {
        read_ports(value_.text(), value_);
    } else if (value_.text() != "true") {
        fail("E005", value_.location(),
             fmt::format("'{}' cannot be {}", form_.target, quoted(value_.text())),
             std::string(form_.example));
    }
    if (is_good_ && action_.has_ports) check_protocols();
    if (is_good_ && shift_ != nullptr) read_shift();
    return is_good_;
}

void NatReader::read_map() {
    if (form_.keys == 0) {
        fail("E005", value_.location(), fmt::format("'{}' takes no mapping", form_.target),
             std::string(form_.example));
        return;
    }
    for (const Value::Entry& entry : value_.entries())
        read_key(entry);
    if ((has(nat_key::kTo) || has(nat_key::kToPrefix)) && value_.find("to") == nullptr)
        fail("E006", value_.location(), fmt::format("'{}' needs 'to'", form_.target),
             std::string(form_.example));
}

void NatReader::read_key(const Value::Entry& entry) {
    const std::string& word = entry.key.text();
    const auto known =
        std::find_if(std::begin(kKeyNames), std::end(kKeyNames), [&](const KeyName& key) {
            const bool is_prefix = key.key == nat_key::kTo && has(nat_key::kToPrefix);
            return key.name == word && (has(key.key) || is_prefix);
        });
    if (known == std::end(kKeyNames)) {
        if (std::count(std::begin(kKeysNotBuilt), std::end(kKeysNotBuilt), word) != 0) {
            fail("E030", entry.key.location(),
                 fmt::format("'{}' is not built yet in this release", word));
            return;
        }
        std::vector<std::string_view> words;
        for (const KeyName& key : kKeyNames)
            if (has(key.key)) words.push_back(key.name);
        std::string hint = did_you_mean(word, words);
        fail("E002", entry.key.location(),
             fmt::format("unknown key {} of '{}'", quoted(word), form_.target),
             hint.empty() ? "one of: " + listed(words) : std::move(hint));
        return;
    }
    switch (known->key) {
        case nat_key::kTo:
            return has(nat_key::kToPrefix) ? read_prefix(entry.value) : read_to(entry.value);
        case nat_key::kPorts:
            return read_ports(entry.value.is_scalar() ? entry.value.text() : "", entry.value);
        case nat_key::kRandom:
            action_.is_random = read_random(entry.value);
            return;
        case nat_key::kPersistent:
            action_.is_persistent = read_flag(entry);
            return;
        case nat_key::kChecksumNeutral:
            action_.is_checksum_neutral = read_flag(entry);
            return;
        default:
            if (read_flag(entry)) shift_ = &entry.value;
    }
}

bool NatReader::read_flag(const Value::Entry& entry) {
    const auto flag = entry.value.is_scalar() ? parse_bool(entry.value.text()) : std::nullopt;
    if (!flag)
        fail("E005", entry.value.location(),
             fmt::format("'{}' is true or false", entry.key.text()));
    return flag.value_or(false);
}

// Linux has two kinds of random; the second replaced the first in all but the name.
bool NatReader::read_random(const Value& value) {
    const std::string word = value.is_scalar() ? value.text() : std::string();
    if (word == "yes" || word == "true" || word == "fully") return true;
    if (word != "no" && word != "false")
        fail("E005", value.location(), "'random' is fully, yes or no", "random: fully");
    return false;
}

// "A", "A-B", "A:PORTS", and with colons in the address "[A]:PORTS", "[A-B]:PORTS".
void NatReader::read_to(const Value& value) {
    if (!value.is_scalar()) {
        fail("E005", value.location(),
             fmt::format("'{}' takes an address, not {}", form_.target, value.kind_name()),
             value.is_map() ? "an IPv6 address needs quotes" : "");
        return;
    }
    std::string_view text = value.text();
    std::string_view ports;
    bool has_ports = false;
    const auto cut = [&](size_t colon) {
        has_ports = true;
        ports = text.substr(colon + 1);
        text = text.substr(0, colon);
    };
    if (text.starts_with('[')) {
        const size_t bracket = text.rfind(']');
        const size_t colon = bracket == text.npos ? text.npos : text.find(':', bracket);
        if (colon != text.npos) cut(colon);
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
        cut(text.find(':'));
    }
    if (has_ports && text.empty()) {
        fail("E008", value.location(), "there is no address before the port",
             fmt::format("to change the port only, write  redirect: {}", ports));
        return;
    }
    if (has_ports && !has(nat_key::kToPorts)) {
        fail("E009", value.location(), fmt::format("'{}' takes no port here", form_.target));
        return;
    }
    read_addresses(text, value);
    if (has_ports) read_ports(ports, value);
}

void NatReader::read_addresses(std::string_view text, const Value& value) {
    const auto unbracketed = [](std::string_view word) {
        if (word.starts_with('[')) word.remove_prefix(1);
        if (word.ends_with(']')) word.remove_suffix(1);
        return word;
    };
    const size_t dash = text.find('-');
    const auto first = IpAddress::parse(unbracketed(text.substr(0, dash)));
    const auto last =
        dash == text.npos ? first : IpAddress::parse(unbracketed(text.substr(dash + 1)));
    if (!first || !last || first->family != last->family) {
        fail("E008", value.location(),
             fmt::format("{} is not an address or a range of addresses", quoted(text)),
             text.find('/') != text.npos ? "a range is written first-last; 'netmap' takes a prefix"
                                         : std::string(form_.example));
        return;
    }
    if (last->bytes < first->bytes) {
        fail("E008", value.location(), fmt::format("the range {} runs backwards", quoted(text)));
        return;
    }
    action_.family = first->family;
    action_.first = first->bytes;
    action_.last = last->bytes;
}

void NatReader::read_prefix(const Value& value) {
    const auto prefix = value.is_scalar() ? IpPrefix::parse(value.text()) : std::nullopt;
    if (!prefix) {
        fail("E008", value.location(),
             fmt::format("'{}' takes a prefix such as 10.0.0.0/24", form_.target));
        return;
    }
    if (prefix->has_host_bits())
        context_.diagnostics.warning(
            "W101", value.location(),
            fmt::format("{} has host bits set; using {}", value.text(), prefix->to_string()));
    const IpRange range = prefix->range();
    action_.family = range.first.family;
    action_.first = range.first.bytes;
    action_.last = range.last.bytes;
}

void NatReader::read_ports(std::string_view text, const Value& value) {
    const auto range = parse_port_range(text);
    if (!range || range->first == 0) {
        fail("E009", value.location(),
             fmt::format("{} is not a port (1-65535) or a range like 8000-8999", quoted(text)));
        return;
    }
    action_.has_ports = true;
    action_.first_port = range->first;
    action_.last_port = range->last;
}

// A pool of ports may stand without a protocol: it is for those that have any.
void NatReader::check_protocols() {
    const RuleScope& scope = context_.scope;
    if (scope.protocol != nullptr && scope.protocols.empty()) return;  // reported
    const bool all_have_ports =
        std::all_of(scope.protocols.begin(), scope.protocols.end(), has_ports);
    if (all_have_ports && (!form_.needs_protocol || scope.protocol != nullptr)) return;
    fail("E015", value_.location(),
         fmt::format("a port in '{}' needs 'proto: tcp', 'udp' or 'sctp' in the same rule",
                     form_.target));
}

// Port n of `dport` becomes port n of the range.
void NatReader::read_shift() {
    const Value* matched = rule_.find("dport");
    const auto range = matched != nullptr && matched->is_scalar()
                           ? parse_port_range(matched->text())
                           : std::nullopt;
    const bool fits = range && action_.has_ports && range->first != 0 &&
                      range->last - range->first == action_.last_port - action_.first_port;
    if (fits) {
        action_.base_port = range->first;
        return;
    }
    fail("E016", shift_->location(),
         "'shift' needs a range in 'dport' and one of the same size in 'to'",
         "dport: 8000-8009, dnat: { to: \"192.0.2.1:9000-9009\", shift: true }");
}

std::string print_addresses(const NatAction& action) {
    const IpAddress first{action.first, action.family};
    const IpAddress last{action.last, action.family};
    if (first == last) return first.to_string();
    return fmt::format("{}-{}", first.to_string(), last.to_string());
}

}  // namespace

bool parse_nat_value(const Value& rule, const NatForm& form, ParseContext& context,
                     NatAction& action) {
    return NatReader(rule, form, context, action).run();
}

std::string print_nat_ports(const NatAction& action) {
    if (action.first_port == action.last_port) return fmt::format("{}", action.first_port);
    return fmt::format("{}-{}", action.first_port, action.last_port);
}

std::string print_nat_range(const NatAction& action) {
    if (action.family == Family::None) return {};
    if (!action.has_ports) return print_addresses(action);
    const std::string addresses = print_addresses(action);
    const std::string ports = print_nat_ports(action);
    if (action.family == Family::Ipv6) return fmt::format("[{}]:{}", addresses, ports);
    return fmt::format("{}:{}", addresses, ports);
}

std::string print_nat_value(const NatAction& action, const NatForm& form) {
    const bool has_pool = action.has_ports && (form.keys & nat_key::kPorts) != 0;
    const bool is_prefix = (form.keys & nat_key::kToPrefix) != 0;
    std::vector<std::string> parts;
    const auto add = [&parts](std::string_view key, const std::string& word) {
        parts.push_back(fmt::format("{}: {}", key, word));
    };
    std::string to;
    if (is_prefix) {
        to = IpRange{{action.first, action.family}, {action.last, action.family}}.to_string();
    } else if (action.family != Family::None) {
        to = has_pool ? print_addresses(action) : print_nat_range(action);
    }
    if (!to.empty()) add("to", print_word(to));
    if (has_pool) add("ports", print_nat_ports(action));
    if (action.is_random) add("random", "fully");
    if (action.is_persistent) add("persistent", "true");
    if (action.base_port != 0) add("shift", "true");
    if (action.is_checksum_neutral) add("checksum_neutral", "true");
    if (parts.empty()) return "true";
    if (parts.size() == 1 && (!to.empty() || form.needs_protocol))
        return parts[0].substr(parts[0].find(' ') + 1);
    std::string text;
    for (const std::string& part : parts)
        text += (text.empty() ? "" : ", ") + part;
    return fmt::format("{{ {} }}", text);
}

Decision translate(const NatAction& action) {
    Decision decision;
    decision.step = Step::Translate;
    decision.nat = std::make_shared<const NatAction>(action);
    return decision;
}

}  // namespace rampart
