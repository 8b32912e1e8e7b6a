#include "change_words.h"

#include <algorithm>

#include "base/scalar.h"

namespace rampart {
namespace {

constexpr const char* kConfirm = "--confirm";
constexpr const char* kComment = "--comment";
constexpr const char* kDefaultTime = "120s";

}  // namespace

bool changes_configuration(const std::string& command) {
    return command == "apply" || command == "reload" || command == "rollback";
}

std::optional<std::string> file_argument(const std::string& command,
                                         const std::vector<std::string>& words) {
    if (command != "apply" && command != "diff") return std::nullopt;
    for (size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const bool is_number = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
            return c >= '0' && c <= '9';
        });
        if (word == kComment)
            ++i;  // its text
        else if ((word == "-" || !word.starts_with('-')) && !(command == "diff" && is_number))
            return word;
    }
    return std::nullopt;
}

std::vector<std::string> with_confirm_time(const std::vector<std::string>& words) {
    std::vector<std::string> joined;
    for (size_t i = 0; i < words.size(); ++i) {
        if (words[i] == kConfirm && i + 1 < words.size() && parse_duration_s(words[i + 1])) {
            joined.push_back(words[i] + "=" + words[i + 1]);
            ++i;
        } else if (words[i] == kConfirm) {
            joined.push_back(words[i] + "=" + kDefaultTime);
        } else {
            joined.push_back(words[i]);
        }
    }
    return joined;
}

}  // namespace rampart
