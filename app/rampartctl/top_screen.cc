#include "top_screen.h"

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <iostream>
#include <unistd.h>

#define NCURSES_NOMACROS
#include <ncurses.h>

namespace rampart {
namespace {

constexpr short kHeadingColour = 1;

class TopScreen final : public AnswerSink {
  public:
    ~TopScreen() override { finish(); }

    bool take(const std::string& page) override {
        if (page.empty()) return true;
        if (screen_ == nullptr && !open()) {
            std::cout << page << std::flush;  // a terminal that nobody knows
            return static_cast<bool>(std::cout);
        }
        page_ = page;
        draw();
        return true;
    }
    int input() const override { return screen_ != nullptr ? STDIN_FILENO : -1; }
    bool look_at_input() override {
        for (int key; screen_ != nullptr && (key = getch()) != ERR;) {
            if (key == 'q' || key == 'Q') return false;
            if (key == KEY_RESIZE) draw();
        }
        return true;
    }
    void finish() override {
        if (screen_ == nullptr) return;
        endwin();
        delscreen(screen_);
        screen_ = nullptr;
    }

  private:
    bool open() {
        std::setlocale(LC_CTYPE, "");
        screen_ = newterm(nullptr, stdout, stdin);
        if (screen_ == nullptr) return false;
        cbreak();
        noecho();
        curs_set(0);
        keypad(stdscr, true);
        nodelay(stdscr, true);
        const char* no_colour = std::getenv("NO_COLOR");
        has_colour_ = (no_colour == nullptr || *no_colour == '\0') && has_colors();
        if (!has_colour_) return true;
        start_color();
        use_default_colors();
        init_pair(kHeadingColour, COLOR_CYAN, -1);
        return true;
    }

    // As much of the page as there is room for.
    void draw() {
        erase();
        int row = 0;
        for (size_t begin = page_.find_first_not_of('\n'), end;
             begin < page_.size() && row < getmaxy(stdscr); begin = end + 1, ++row) {
            end = std::min(page_.find('\n', begin), page_.size());
            const bool is_heading = row == 0 || (page_[begin] >= 'A' && page_[begin] <= 'Z');
            const attr_t look =
                A_BOLD | (has_colour_ ? static_cast<attr_t>(COLOR_PAIR(kHeadingColour)) : A_NORMAL);
            if (is_heading) attron(static_cast<int>(look));
            mvaddnstr(row, 0, page_.data() + begin,
                      static_cast<int>(
                          std::min<size_t>(end - begin, static_cast<size_t>(getmaxx(stdscr)))));
            if (is_heading) attroff(static_cast<int>(look));
        }
        refresh();
    }

    SCREEN* screen_ = nullptr;
    bool has_colour_ = false;
    std::string page_;
};

}  // namespace

bool wants_screen(const std::vector<std::string>& arguments, bool json) {
    constexpr std::string_view kPlain[] = {"-b", "--batch", "-h", "--help"};
    const bool is_plain = std::any_of(arguments.begin(), arguments.end(), [&](const auto& word) {
        return std::find(std::begin(kPlain), std::end(kPlain), word) != std::end(kPlain);
    });
    return !json && !is_plain && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
}

int run_top_on_screen(const ClientOptions& options, const std::vector<std::string>& arguments) {
    TopScreen screen;
    return run_remote(options, "top", arguments, &screen);
}

}  // namespace rampart
