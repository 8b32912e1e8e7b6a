#include "control/commands/registry.h"

#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/diagnostics.h"

namespace rampart {
namespace {

constexpr ApiCommand kCommands[] = {
#define RAMPART_COMMAND(suffix, name, summary) {name, summary, run_##suffix},
#include "control/commands/commands.def"
#undef RAMPART_COMMAND
};

CommandOutput unknown_command(const std::string& name) {
    std::vector<std::string_view> known;
    for (const ApiCommand& command : kCommands)
        known.push_back(command.name);
    std::string hint = did_you_mean(name, known);
    if (hint.empty()) hint = "`rampartctl help` lists the commands";
    return CommandOutput::failed(exit_code::kUsage,
                                 fmt::format("no command {}; {}\n", rampart::quoted(name), hint));
}

}  // namespace

std::span<const ApiCommand> commands() noexcept {
    return kCommands;
}

CommandOutput run_command(const ApiRequest& request, Controller& controller) {
    for (const ApiCommand& command : kCommands) {
        if (command.name != request.command) continue;
        // The libraries for arguments and documents throw; nothing of that may end the daemon.
        try {
            return command.run(request, controller);
        } catch (const std::exception& problem) {
            return CommandOutput::failed(exit_code::kFailure,
                                         fmt::format("{}: {}\n", command.name, problem.what()));
        }
    }
    return unknown_command(request.command);
}

}  // namespace rampart
