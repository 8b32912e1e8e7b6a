#include "config/rule_space.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/scalar.h"
#include "rules/protocols.h"

namespace rampart {

namespace {

// Headers that no statement changes: a rule cannot hold one time and fail the next.
constexpr std::string_view kStableKeys[] = {"icmp",    "icmpv6", "tcp_flags", "ttl",     "length",
                                            "mac_src", "vlan",   "frag",      "pkt_type"};
constexpr size_t kDirections = 2;

// "[a, b]" or "a", quotes removed.
std::vector<std::string> words_of(std::string_view text) {
    if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
    std::vector<std::string> words;
    while (!text.empty()) {
        const size_t end = std::min(text.find(", "), text.size());
        std::string_view word = text.substr(0, end);
        if (word.size() >= 2 && word.starts_with('"') && word.ends_with('"'))
            word = word.substr(1, word.size() - 2);
        words.emplace_back(word);
        text.remove_prefix(std::min(end + 2, text.size()));
    }
    return words;
}

void sort_and_merge(Runs& runs) {
    std::sort(runs.begin(), runs.end(),
              [](const Run& a, const Run& b) { return a.first < b.first; });
    Runs merged;
    for (const Run& run : runs) {
        const bool touches = !merged.empty() && (run.first <= merged.back().last ||
                                                 run.first == merged.back().last + 1);
        if (touches)
            merged.back().last = std::max(merged.back().last, run.last);
        else
            merged.push_back(run);
    }
    runs = std::move(merged);
}

Wide number_of(const IpAddress& address) {
    Wide number = 0;
    for (size_t i = 0; i < address_bits(address.family) / 8; ++i)
        number = number << 8 | address.bytes[i];
    return number;
}

IpAddress address_of(Wide number, Family family) {
    IpAddress address{.bytes = {}, .family = family};
    for (size_t i = address_bits(family) / 8; i-- > 0; number >>= 8)
        address.bytes[i] = static_cast<uint8_t>(number);
    return address;
}

std::optional<IpRange> parse_range(const std::string& word) {
    if (const auto prefix = IpPrefix::parse(word)) return prefix->range();
    const size_t dash = word.find('-');
    if (dash == word.npos) return std::nullopt;
    const auto first = IpAddress::parse(word.substr(0, dash));
    const auto last = IpAddress::parse(word.substr(dash + 1));
    if (!first || !last || first->family != last->family) return std::nullopt;
    return IpRange{*first, *last};
}

// One key of a rule: what its words leave of a field. Nothing: not understood.
using Reading = std::optional<std::array<Runs, 2>>;  // by family

Reading both(Runs runs) {
    sort_and_merge(runs);
    return std::array<Runs, 2>{runs, runs};
}

Reading read_addresses(const std::vector<std::string>& words) {
    std::array<Runs, 2> result;
    for (const std::string& word : words) {
        const auto range = parse_range(word);
        if (!range) return std::nullopt;
        Runs& runs = result[range->first.family == Family::Ipv4 ? 0 : 1];
        runs.push_back({number_of(range->first), number_of(range->last)});
    }
    for (Runs& runs : result)
        sort_and_merge(runs);
    return result;
}

Reading read_ports(const std::vector<std::string>& words) {
    Runs runs;
    for (const std::string& word : words) {
        const auto range = parse_port_range(word);
        if (!range) return std::nullopt;
        runs.push_back({range->first, range->last});
    }
    return both(std::move(runs));
}

Reading read_protocols(const std::vector<std::string>& words) {
    Runs runs;
    for (const std::string& word : words) {
        const auto number = parse_protocol(word);
        if (!number) return std::nullopt;
        runs.push_back({*number, *number});
    }
    return both(std::move(runs));
}

Reading read_interfaces(const std::vector<std::string>& words, const Names& names) {
    InterfaceSet set;
    for (const std::string& word : words) {
        const InterfaceSet found = names.find_interfaces(word);
        if (found.none()) return std::nullopt;
        set |= found;
    }
    Runs runs;
    for (size_t i = 0; i < kMaxInterfaces; ++i) {
        if (set[i]) runs.push_back({i, i});
    }
    return both(std::move(runs));
}

Reading read_states(const std::vector<std::string>& words) {
    Runs runs;
    for (const std::string& word : words) {
        const auto name = std::find(std::begin(kCtClassNames), std::end(kCtClassNames), word);
        if (name == std::end(kCtClassNames)) return std::nullopt;
        const auto state = static_cast<size_t>(name - std::begin(kCtClassNames)) * kDirections;
        runs.push_back({state, state + kDirections - 1});
    }
    return both(std::move(runs));
}

// Only connections have directions.
Reading read_directions(const std::vector<std::string>& words) {
    Runs runs;
    for (const std::string& word : words) {
        if (word != "original" && word != "reply") return std::nullopt;
        for (const CtClass ct_class : {CtClass::New, CtClass::Established, CtClass::Related}) {
            const size_t state =
                static_cast<size_t>(ct_class) * kDirections + (word == "reply" ? 1 : 0);
            runs.push_back({state, state});
        }
    }
    return both(std::move(runs));
}

struct Reader {
    std::string_view key;
    Field field;
    Reading (*read)(const std::vector<std::string>& words);
};
constexpr Reader kReaders[] = {
    {"src", Field::Src, read_addresses},       {"dst", Field::Dst, read_addresses},
    {"sport", Field::Sport, read_ports},       {"dport", Field::Dport, read_ports},
    {"proto", Field::Proto, read_protocols},   {"state", Field::State, read_states},
    {"ct_dir", Field::State, read_directions},
};

class SpaceBuilder {
  public:
    explicit SpaceBuilder(const Names& names) : names_(names) {
        space_.families = {Space{}, Space{}};
    }

    void add(const Match& match);
    RuleSpace take() {
        std::sort(space_.conditions.begin(), space_.conditions.end());
        return std::move(space_);
    }

  private:
    bool add_field(std::string_view key, const std::string& text, bool negated);
    void narrow(Field field, const std::array<Runs, 2>& runs, bool negated);
    void narrow_families(const std::vector<std::string>& words, bool negated);

    const Names& names_;
    RuleSpace space_;
};

void SpaceBuilder::add(const Match& match) {
    const std::string_view key = match.type->key;
    const std::string text = match.type->print(match.arguments, names_);
    if (add_field(key, text, match.negated)) return;
    const bool is_stable =
        std::find(std::begin(kStableKeys), std::end(kStableKeys), key) != std::end(kStableKeys);
    if (is_stable)
        space_.conditions.push_back(fmt::format("{}{} {}", match.negated ? "!" : "", key, text));
    else
        space_.is_stable = false;
    // These name a protocol of one family even where it is left open elsewhere.
    if (key == "icmp" && !match.negated) space_.families[1].reset();
    if (key == "icmpv6" && !match.negated) space_.families[0].reset();
}

bool SpaceBuilder::add_field(std::string_view key, const std::string& text, bool negated) {
    const std::vector<std::string> words = words_of(text);
    if (key == "family") {
        narrow_families(words, negated);
        return true;
    }
    if (key == "in" || key == "out") {
        const auto runs = read_interfaces(words, names_);
        if (runs) narrow(key == "in" ? Field::In : Field::Out, *runs, negated);
        return runs.has_value();
    }
    for (const Reader& reader : kReaders) {
        if (reader.key != key) continue;
        const auto runs = reader.read(words);
        if (runs) narrow(reader.field, *runs, negated);
        return runs.has_value();
    }
    return false;
}

void SpaceBuilder::narrow_families(const std::vector<std::string>& words, bool negated) {
    for (size_t i = 0; i < kFamilies.size(); ++i) {
        const bool is_named =
            std::find(words.begin(), words.end(), to_string(kFamilies[i])) != words.end();
        if (is_named == negated) space_.families[i].reset();
    }
}

void SpaceBuilder::narrow(Field field, const std::array<Runs, 2>& runs, bool negated) {
    for (size_t i = 0; i < kFamilies.size(); ++i) {
        auto& space = space_.families[i];
        if (!space) continue;
        const Wide end = greatest(field, kFamilies[i]);
        const Runs now = spelled_out((*space)[field], end);
        Runs left = negated ? without(now, runs[i]) : common(now, runs[i]);
        if (left.empty()) {
            space.reset();
        } else {
            if (left.size() == 1 && left[0] == Run{0, end}) left.clear();
            (*space)[field] = std::move(left);
        }
    }
}

std::string_view key_of(Field field) {
    constexpr std::string_view kKeys[] = {"src",   "dst", "sport", "dport",
                                          "proto", "in",  "out",   "state"};
    return kKeys[static_cast<size_t>(field)];
}

std::string print_run(Field field, const Run& run, Family family, const Names& names) {
    switch (field) {
        case Field::Src:
        case Field::Dst:
            return IpRange{address_of(run.first, family), address_of(run.last, family)}.to_string();
        case Field::Proto:
            return print_protocol(static_cast<uint8_t>(run.first));
        case Field::In:
        case Field::Out:
            return run.first < names.interfaces.size()
                       ? names.interfaces[static_cast<size_t>(run.first)].name
                       : "no interface";
        case Field::State:
            return std::string(kCtClassNames[static_cast<size_t>(run.first) / kDirections]);
        case Field::Sport:
        case Field::Dport:
            break;
    }
    const auto first = static_cast<uint16_t>(run.first), last = static_cast<uint16_t>(run.last);
    return first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
}

}  // namespace

RuleSpace space_of(const Rule& rule, const Names& names) {
    SpaceBuilder builder(names);
    for (const Match& match : rule.matches)
        builder.add(match);
    return builder.take();
}

bool contains(const Runs& runs, Wide value) {
    if (runs.empty()) return true;
    const auto after = std::upper_bound(runs.begin(), runs.end(), value,
                                        [](Wide v, const Run& run) { return v < run.first; });
    return after != runs.begin() && value <= std::prev(after)->last;
}

bool contains(const Runs& outer, const Runs& inner) {
    if (outer.empty()) return true;
    if (inner.empty()) return false;
    for (size_t o = 0; const Run& run : inner) {
        while (o < outer.size() && outer[o].last < run.first)
            ++o;
        if (o == outer.size() || run.first < outer[o].first || run.last > outer[o].last)
            return false;
    }
    return true;
}

bool contains(const Space& space, const Point& point) {
    return std::all_of(kFields.begin(), kFields.end(), [&](Field field) {
        return contains(space[field], point[static_cast<size_t>(field)]);
    });
}

bool covers(const Space& outer, const Space& inner) {
    return std::all_of(kFields.begin(), kFields.end(),
                       [&](Field field) { return contains(outer[field], inner[field]); });
}

bool implies(const RuleSpace& inner, const RuleSpace& outer) {
    return outer.is_stable && std::includes(inner.conditions.begin(), inner.conditions.end(),
                                            outer.conditions.begin(), outer.conditions.end());
}

Wide greatest(Field field, Family family) {
    switch (field) {
        case Field::Src:
        case Field::Dst:
            return family == Family::Ipv4 ? Wide{0xffffffff} : ~Wide{0};
        case Field::Sport:
        case Field::Dport:
            return 65535;
        case Field::Proto:
            return 255;
        case Field::In:
        case Field::Out:
            return kMaxInterfaces;  // the last: no interface
        case Field::State:
            break;
    }
    return kCtClassCount * kDirections - 1;
}

Runs spelled_out(const Runs& runs, Wide greatest) {
    return runs.empty() ? Runs{{0, greatest}} : runs;
}

Runs common(const Runs& a, const Runs& b) {
    Runs result;
    for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
        const Wide first = std::max(a[i].first, b[j].first);
        const Wide last = std::min(a[i].last, b[j].last);
        if (first <= last) result.push_back({first, last});
        a[i].last < b[j].last ? ++i : ++j;
    }
    return result;
}

Runs without(const Runs& from, const Runs& removed) {
    Runs result;
    size_t j = 0;
    for (Run run : from) {
        while (j < removed.size() && removed[j].last < run.first)
            ++j;
        bool is_left = true;
        for (size_t k = j; is_left && k < removed.size() && removed[k].first <= run.last; ++k) {
            if (removed[k].first > run.first) result.push_back({run.first, removed[k].first - 1});
            is_left = removed[k].last < run.last;
            run.first = removed[k].last + 1;
        }
        if (is_left) result.push_back(run);
    }
    return result;
}

Point witness_of(const Space& space) {
    Point point{};
    for (size_t i = 0; i < kFieldCount; ++i) {
        if (!space.fields[i].empty()) point[i] = space.fields[i].front().first;
    }
    return point;
}

std::string print_field(Field field, const Runs& runs, Family family, const Names& names) {
    std::string text(key_of(field));
    std::string before;
    for (const Run& run : runs) {
        // Names are listed one by one; numbers and addresses have ranges.
        const bool has_ranges = field == Field::Src || field == Field::Dst ||
                                field == Field::Sport || field == Field::Dport;
        for (Wide value = run.first;; ++value) {
            const Run part = has_ranges ? run : Run{value, value};
            const std::string word = print_run(field, part, family, names);
            if (word != before) text += fmt::format("{} {}", before.empty() ? "" : ",", word);
            before = word;
            if (has_ranges || value == run.last) break;
        }
    }
    return text;
}

}  // namespace rampart
