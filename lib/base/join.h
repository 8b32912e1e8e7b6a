// join(): the words of a container of strings, with a separator between them. Any thread.
//
// Instead of fmt::join, which GCC 12 takes for a write out of bounds when it inlines everything.
#pragma once

#include <string>
#include <string_view>

namespace rampart {

template <typename Words>
std::string join(const Words& words, std::string_view separator) {
    std::string text;
    bool is_first = true;
    for (const auto& word : words) {
        if (!is_first) text += separator;
        text += word;
        is_first = false;
    }
    return text;
}

}  // namespace rampart
