#include "rules/interface_list.h"

#include <fmt/format.h>

#include "rules/words.h"

namespace rampart {

namespace {

// The loopback interface is the kernel's. Rules may name it, and match nothing: what the box sends
// to itself never comes here.
bool is_loopback(std::string_view word) noexcept {
    return word == "lo";
}

}  // namespace

Arguments parse_interface_list(const Value& value, SetField field, ParseContext& context) {
    InterfaceList list;
    bool good = true;
    for (const Value* item : scalars_of(value, "an interface or a zone", context)) {
        const std::string& word = item->text();
        if (read_set_use(*item, field, list.sets, good, context)) {
            list.words.push_back(word);
            continue;
        }
        const InterfaceSet found = context.names.find_interfaces(word);
        list.words.push_back(word);
        list.set |= found;
        if (found.any() || is_loopback(word)) continue;
        good = false;
        const auto known = context.names.interface_and_zone_names();
        std::string hint = did_you_mean(word, known);
        if (hint.empty()) hint = "known: " + listed(known);
        context.diagnostics.error("E011", item->location(),
                                  fmt::format("no interface or zone named {}", quoted(word)),
                                  std::move(hint));
    }
    if (!good || list.words.empty()) return {};
    return Arguments::make(std::move(list));
}

InterfacePresence presence_of(const Arguments& arguments, bool negated) {
    InterfacePresence presence;
    for (size_t i = 0; i < kMaxInterfaces; ++i)
        presence[i] = arguments.as<InterfaceList>().set[i];
    return negated ? ~presence : presence;
}

const SetUses* sets_of_interface_list(const Arguments& arguments) noexcept {
    return &arguments.as<InterfaceList>().sets;
}

std::string print_interface_list(const Arguments& arguments, const Names&) {
    return print_words(arguments.as<InterfaceList>().words);
}

}  // namespace rampart
