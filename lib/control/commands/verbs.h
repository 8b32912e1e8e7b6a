// Commands with verbs, such as `set add`: finds the one that the first word names, and runs it with
// the others. Control thread.
#pragma once

#include <span>
#include <string_view>

#include "control/commands/registry.h"

namespace rampart {

struct CommandVerb {
    std::string_view name;
    CommandOutput (*run)(const ApiRequest& request, Controller& controller);
    std::string_view help;  // "add NAME ELEMENT...", without the command's own name
};

// `about`: the first line of its help. Without any word `otherwise` is run; empty: the help.
CommandOutput run_verb(const ApiRequest& request, Controller& controller,
                       std::span<const CommandVerb> verbs, std::string_view about,
                       std::string_view otherwise = {});

}  // namespace rampart
