// The files of the status page, as they are in page/, part of the program.
//
// Constants, any thread.
#pragma once

#include <span>
#include <string_view>

namespace rampart {

struct PageFile {
    std::string_view path;  // as it is asked for: "/"
    std::string_view content_type;
    std::string_view text;
};

std::span<const PageFile> status_page_files() noexcept;

}  // namespace rampart
