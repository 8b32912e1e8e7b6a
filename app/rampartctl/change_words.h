// What the client must know of the words of a command that concerns a configuration: which file to
// send along, and whether `--confirm` is followed by a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace rampart {

// apply, reload and rollback.
bool changes_configuration(const std::string& command);

// The file that `apply` or `diff` names: the first word that is no option; "-" is standard input. A
// number after `diff` is one of the history.
std::optional<std::string> file_argument(const std::string& command,
                                         const std::vector<std::string>& words);

// `--confirm 90s` and `--confirm` become `--confirm=90s` and `--confirm=120s`.
std::vector<std::string> with_confirm_time(const std::vector<std::string>& words);

}  // namespace rampart
