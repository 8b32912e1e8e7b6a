// ImportReport: what an import could not take over, and what it did that the user should know.
//
// A problem is about one line of a source and stops the import, or with `--partial` leaves that
// line out; a remark stops nothing. All are kept: an import never hides one. Printed in the form of
// the loader's diagnostics, `FILE:LINE: error: ...`, with the line itself.
// One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rampart {

// A line of one of the sources; line 0 is nowhere in particular.
struct Origin {
    uint32_t file = 0;
    uint32_t line = 0;
    auto operator<=>(const Origin&) const = default;
};

class ImportReport {
  public:
    // Returns the index that Origins of this source carry.
    uint32_t add_source(std::string path, std::string_view text);

    void problem(Origin origin, std::string message, std::string hint = {});
    void remark(Origin origin, std::string message);
    // Said once, however often it is asked for.
    void remark_once(std::string message);

    bool has_problems() const noexcept { return !problems_.empty(); }
    size_t problem_count() const noexcept { return problems_.size(); }
    // The line without its end and without what could act on a terminal.
    std::string line_of(Origin origin) const;
    // Problems by place, then remarks. `word` is what problems are called: "error" or "warning".
    std::string to_text(std::string_view word) const;

  private:
    struct Entry {
        Origin origin;
        std::string message;
        std::string hint;
    };
    struct Source {
        std::string path;
        std::vector<std::string> lines;
    };
    std::string entry_text(const Entry& entry, std::string_view word) const;

    std::vector<Source> sources_;
    std::vector<Entry> problems_;
    std::vector<Entry> remarks_;
};

}  // namespace rampart
