// InterfaceList: the value of `in` and `out`, interfaces and zones resolved to a set of indices.
//
// Parsed by the loader, immutable; contains() is on the packet path.
#pragma once

#include <string>
#include <vector>

#include "rules/match.h"
#include "rules/sets/set_use.h"

namespace rampart {

struct InterfaceList {
    InterfaceSet set;
    std::vector<std::string> words;  // as written
    SetUses sets;

    bool contains(InterfaceIndex index) const noexcept {
        // kNoInterface is beyond the set: a packet without that interface never matches.
        return index < kMaxInterfaces && set[index];
    }
};

// `field`: by what "@set" among the values is looked up.
Arguments parse_interface_list(const Value& value, SetField field, ParseContext& context);
const SetUses* sets_of_interface_list(const Arguments& arguments) noexcept;
// What a packet may come in on, or leave by, to match.
InterfacePresence presence_of(const Arguments& arguments, bool negated);
std::string print_interface_list(const Arguments& arguments, const Names& names);

}  // namespace rampart
