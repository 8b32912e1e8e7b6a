// The manual pages that rampartctl prints: rampart.yaml(5), from the tables of the loader, and its
// own, rampartctl(8). Pure, any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace rampart {

struct CommandHelp {
    std::string_view name;
    std::string_view summary;
};

std::string render_file_page();
std::string render_client_page(const CLI::App& app, std::span<const CommandHelp> commands);

}  // namespace rampart
