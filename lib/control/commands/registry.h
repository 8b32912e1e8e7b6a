// The commands that rampartctl can send, one per file of this folder.
//
// commands.def lists them; the client reads the same list for its help. A command gets the words
// after its name, parses them with CLI11 and answers with text, or with a document when the request
// asked for JSON. Control thread only.
#pragma once

#include <span>
#include <string_view>

#include "control/api_protocol.h"

namespace rampart {

class Controller;

struct ApiCommand {
    std::string_view name;
    std::string_view summary;
    CommandOutput (*run)(const ApiRequest& request, Controller& controller);
};

#define RAMPART_COMMAND(suffix, name, summary) \
    CommandOutput run_##suffix(const ApiRequest& request, Controller& controller);
#include "control/commands/commands.def"
#undef RAMPART_COMMAND

std::span<const ApiCommand> commands() noexcept;

// Finds the command and runs it; an unknown one is a usage error. Throws nothing.
CommandOutput run_command(const ApiRequest& request, Controller& controller);

}  // namespace rampart
