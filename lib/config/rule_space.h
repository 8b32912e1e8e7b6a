// RuleSpace: the packets that a rule can match, as sets of numbers per field; for rule analysis.
//
// Read from the rule's own words, as its matches print them, so that it holds whatever they keep
// inside. A field is a list of runs; a family of addresses has a Space of its own. What is no field
// (`tcp_flags`, a set, a limit) is a condition: it can only be compared with the same words.
// Value types, control thread, while a configuration is loaded.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rules/ruleset.h"

namespace rampart {

__extension__ typedef unsigned __int128 Wide;  // an IPv6 address in host order, or less

// Inclusive.
struct Run {
    Wide first = 0;
    Wide last = 0;
    bool operator==(const Run&) const = default;
};
using Runs = std::vector<Run>;  // sorted, disjoint, not adjacent

enum class Field : uint8_t { Src, Dst, Sport, Dport, Proto, In, Out, State };
inline constexpr size_t kFieldCount = 8;
inline constexpr std::array<Field, kFieldCount> kFields = {Field::Src,   Field::Dst,   Field::Sport,
                                                           Field::Dport, Field::Proto, Field::In,
                                                           Field::Out,   Field::State};

struct Space {
    std::array<Runs, kFieldCount> fields;  // no runs: everything

    const Runs& operator[](Field field) const { return fields[static_cast<size_t>(field)]; }
    Runs& operator[](Field field) { return fields[static_cast<size_t>(field)]; }
};

using Point = std::array<Wide, kFieldCount>;

struct RuleSpace {
    // Of IPv4 and IPv6; nothing: no packet of that family matches.
    std::array<std::optional<Space>, 2> families;
    // Of fields that no rule changes: equal words are the same condition. Sorted.
    std::vector<std::string> conditions;
    // False: there is a condition that may change between two rules, such as a limit or a set.
    bool is_stable = true;
};

inline constexpr std::array<Family, 2> kFamilies = {Family::Ipv4, Family::Ipv6};

RuleSpace space_of(const Rule& rule, const Names& names);

bool contains(const Runs& outer, const Runs& inner);
bool contains(const Runs& runs, Wide value);
bool contains(const Space& space, const Point& point);
// Does every packet of `inner` match `outer` as well?
bool covers(const Space& outer, const Space& inner);
// The conditions of `outer` hold whenever those of `inner` do.
bool implies(const RuleSpace& inner, const RuleSpace& outer);

// Everything is spelled out: `greatest` bounds the field.
Wide greatest(Field field, Family family);
Runs common(const Runs& a, const Runs& b);            // a, b and the result: not "everything"
Runs without(const Runs& from, const Runs& removed);  // likewise; may leave nothing
Runs spelled_out(const Runs& runs, Wide greatest);
// A packet of the space; a new connection where it can be.
Point witness_of(const Space& space);

// "dport 80, 443" as the language writes it.
std::string print_field(Field field, const Runs& runs, Family family, const Names& names);

}  // namespace rampart
