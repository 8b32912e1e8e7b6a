// `rampartctl completion bash|zsh|fish`: a script for the shell, made of what CLI11 knows: the
// client's own options, those of local commands, and the daemon's commands as command_words.def has
// them (control/commands/describe.h). Pure, any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "manual.h"

namespace rampart {

// Empty: there is no such shell.
std::string render_completion(std::string_view shell, const CLI::App& app,
                              std::span<const CommandHelp> commands);
int run_completion(const std::vector<std::string>& arguments, const CLI::App& app,
                   std::span<const CommandHelp> commands);

}  // namespace rampart
