// Page: a manual page in the man(7) macros, as `man` formats it.
//
// Text is plain: what roff would take for a command is escaped here. Value type, any thread.
#pragma once

#include <string>
#include <string_view>

namespace rampart {

class Page {
  public:
    // "rampartctl", 8, "ask and direct the Rampart firewall".
    Page(std::string_view name, int section, std::string_view summary);

    void heading(std::string_view title);  // printed in capitals
    void subheading(std::string_view title);
    void paragraph(std::string_view text);
    // A bold term, possibly words in italics behind it, and the indented text below.
    void item(std::string_view term, std::string_view value, std::string_view text);
    // One more line of the same item.
    void line(std::string_view text);
    void example(std::string_view text);  // as it is, line by line

    const std::string& text() const noexcept { return text_; }

  private:
    void begin_paragraph();

    std::string text_;
};

}  // namespace rampart
