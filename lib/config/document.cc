#include "config/document.h"

#include <algorithm>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "config/source_text.h"

namespace rampart {

namespace {

// Some editors begin every file with it; it means nothing.
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

constexpr size_t kMaxWord = 60;  // bytes of a refused word that are shown

// Thrown and caught here: nothing after this point is worth reading.
struct Refusal {
    Location at;
    std::string message;
};

// Offsets of lines, so that a mark can be looked up in the text.
class Lines {
  public:
    explicit Lines(std::string_view text) : text_(text) {
        starts_.push_back(0);
        for (size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '\n') starts_.push_back(i + 1);
        }
    }
    // Called for every value: must not look at the whole of a long line.
    std::string_view line(size_t number) const {
        if (number >= starts_.size()) return {};
        const size_t start = starts_[number];
        const bool is_last = number + 1 == starts_.size();
        return text_.substr(start, is_last ? text_.npos : starts_[number + 1] - 1 - start);
    }
    char at(const YAML::Mark& mark) const {
        if (mark.is_null()) return '\0';
        const std::string_view found = line(static_cast<size_t>(mark.line));
        const auto column = static_cast<size_t>(mark.column);
        return column < found.size() ? found[column] : '\0';
    }

  private:
    std::string_view text_;
    std::vector<size_t> starts_;
};

// Builds the Value tree from the parser's events. No yaml-cpp node is ever made.
class TreeBuilder : public YAML::EventHandler {
  public:
    TreeBuilder(const Lines& lines, uint32_t file, Diagnostics& diagnostics)
        : lines_(lines), file_(file), diagnostics_(diagnostics) {}

    std::optional<Value> take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (root_) throw Refusal{locate(mark, 1), "a file holds one YAML document"};
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
        if (accept(mark)) add(Value::null(locate(mark, 1)));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { accept(mark); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  const std::string& text) override {
        if (!accept(mark)) return;
        const bool is_quoted = tag == "!";
        check_escapes(text, mark);
        add(Value::scalar(text, is_quoted, locate(mark, text.size() + (is_quoted ? 2 : 0))));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        open(false, mark);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
        open(true, mark);
    }
    void OnMapEnd() override { close(); }

  private:
    struct Frame {
        bool is_map = false;
        bool refused = false;  // the node itself: read to its end, then dropped
        bool damaged = false;  // a child was refused
        bool has_key = false;  // a key waits for its value
        bool drop_value = false;
        Location location;
        Value key;
        std::vector<Value> items;
        std::vector<Value::Entry> entries;
        std::unordered_map<std::string, uint32_t> key_lines;
    };

    Location locate(const YAML::Mark& mark, size_t width) const {
        const auto line = static_cast<uint32_t>(std::max(mark.line, 0) + 1);
        const auto column = static_cast<uint32_t>(std::max(mark.column, 0) + 1);
        const size_t rest = lines_.line(line - 1).size();
        const auto end = static_cast<uint32_t>(std::min<size_t>(column + width, rest + 1));
        return {.file = file_, .line = line, .column = column, .end_column = std::max(end, column)};
    }

    bool accept(const YAML::Mark& mark);
    void report_property(char first, const Location& at);
    void check_escapes(const std::string& text, const YAML::Mark& mark);
    void open(bool is_map, const YAML::Mark& mark);
    void close();
    void add(Value value);
    void add_key(Frame& frame, Value key);
    void refuse_child();

    const Lines& lines_;
    uint32_t file_;
    Diagnostics& diagnostics_;
    std::vector<Frame> frames_;
    std::optional<Value> root_;
    size_t nodes_ = 0;
    Location last_refused_;
};

// The mark of a node stands on its first property. No plain or quoted scalar begins with one of
// these characters, so the source tells what the events do not: `!` before a plain scalar is
// invisible in them.
bool TreeBuilder::accept(const YAML::Mark& mark) {
    if (++nodes_ > kMaxNodes) {
        throw Refusal{locate(mark, 1), fmt::format("more than {} values in one file", kMaxNodes)};
    }
    const char first = lines_.at(mark);
    if (first != '!' && first != '&' && first != '*') return true;
    const Location at = locate(mark, 1);
    // A mapping and its first key may share one mark.
    const bool is_said = at.line == last_refused_.line && at.column == last_refused_.column;
    if (!is_said) report_property(first, at);
    last_refused_ = at;
    refuse_child();
    return false;
}

void TreeBuilder::report_property(char first, const Location& at) {
    const std::string_view rest = lines_.line(at.line - 1).substr(at.column - 1, kMaxWord);
    const std::string_view word = rest.substr(0, rest.find_first_of(" \t\r,]}"));
    const std::string name(quoted(word));
    if (first == '&') {
        diagnostics_.error("E004", at, fmt::format("YAML anchor {} is not allowed", name),
                           "give the value a name under 'define' and use it as $name");
    } else if (first == '*') {
        diagnostics_.error("E004", at, fmt::format("YAML alias {} is not allowed", name),
                           "a word that begins with '*' needs quotes");
    } else {
        std::string hint = "to negate, write  not: { src: ... }";
        if (word.starts_with("!!") || word.starts_with("!<")) {
            hint = "leave it out: values need no tags";
        } else if (word.size() > 1) {
            hint = fmt::format("to negate, write  not: {{ src: {} }}", word.substr(1));
        }
        diagnostics_.error("E004", at, fmt::format("YAML tag {} is not allowed here", name), hint);
    }
}

// "\\0" in quotes brings in what check_source_text() keeps out of the file.
void TreeBuilder::check_escapes(const std::string& text, const YAML::Mark& mark) {
    const bool is_clean = std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<uint8_t>(c) < 0x20 && c != '\t' && c != '\n';
    });
    if (is_clean) return;
    diagnostics_.error("E001", locate(mark, 1), "the value holds a control character");
}

// Forgets the node that is being added, and the key before it.
void TreeBuilder::refuse_child() {
    if (frames_.empty()) {
        root_ = Value();
        return;
    }
    Frame& frame = frames_.back();
    frame.damaged = true;
    if (!frame.is_map) return;
    if (frame.has_key) {
        frame.has_key = false;
        frame.drop_value = false;
    } else {
        frame.has_key = true;
        frame.drop_value = true;
    }
}

void TreeBuilder::open(bool is_map, const YAML::Mark& mark) {
    if (frames_.size() >= kMaxNesting) {
        throw Refusal{locate(mark, 1),
                      fmt::format("lists and mappings are nested more than {} deep", kMaxNesting)};
    }
    Frame frame;
    frame.is_map = is_map;
    frame.location = locate(mark, 1);
    frame.refused = !accept(mark);
    frames_.push_back(std::move(frame));
}

void TreeBuilder::close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.refused) return;
    const bool is_rule = frame.is_map && !frames_.empty() && !frames_.back().is_map;
    if (frame.damaged && is_rule) return;
    add(frame.is_map ? Value::map(std::move(frame.entries), frame.location)
                     : Value::list(std::move(frame.items), frame.location));
}

void TreeBuilder::add(Value value) {
    if (frames_.empty()) {
        root_ = std::move(value);
        return;
    }
    Frame& frame = frames_.back();
    if (!frame.is_map) {
        frame.items.push_back(std::move(value));
    } else if (!frame.has_key) {
        add_key(frame, std::move(value));
    } else {
        frame.has_key = false;
        if (!frame.drop_value) frame.entries.push_back({std::move(frame.key), std::move(value)});
        frame.drop_value = false;
    }
}

void TreeBuilder::add_key(Frame& frame, Value key) {
    frame.has_key = true;
    frame.drop_value = true;
    if (!key.is_scalar()) {
        diagnostics_.error("E005", key.location(),
                           fmt::format("a key must be a word, not {}", key.kind_name()));
        return;
    }
    if (key.text() == "<<" && !key.is_quoted()) {
        diagnostics_.error("E004", key.location(), "merge keys are not supported",
                           "give the value a name under 'define' and use it as $name");
        frame.damaged = true;
        return;
    }
    const auto [first, is_new] = frame.key_lines.emplace(key.text(), key.location().line);
    if (!is_new) {
        diagnostics_.error("E003", key.location(),
                           fmt::format("duplicate key {}", quoted(key.text())),
                           fmt::format("first defined at line {}", first->second));
        return;
    }
    frame.drop_value = false;
    frame.key = std::move(key);
}

// What usually causes a syntax error that begins with this character or stands on this line.
std::string hint_of(const YAML::ParserException& problem, const Lines& lines) {
    const char c = lines.at(problem.mark);
    const std::string_view message = problem.msg;
    const std::string_view line =
        problem.mark.is_null() ? std::string_view() : lines.line(problem.mark.line);
    if (c == '\t' || line.substr(0, line.find_first_not_of(" \t")).find('\t') != line.npos) {
        return "indent with spaces, not tabs";
    }
    if (c == '@' || c == '%' || c == '`') {
        return fmt::format("a word that begins with '{}' needs quotes", c);
    }
    if (c == '*' || message.find("alias") != message.npos) return "write \"*\" with quotes";
    if (line.find("::") != line.npos) return "an IPv6 address needs quotes";
    if (message.find("map value") != message.npos) {
        return "a text that contains ': ' needs quotes, and all keys of a mapping the same "
               "indentation";
    }
    if (message.find("flow") != message.npos) return "a bracket or a comma is missing";
    return {};
}

}  // namespace

std::optional<Value> read_document(std::string path, std::string text, Diagnostics& diagnostics,
                                   Emptiness emptiness) {
    if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
    const uint32_t file = diagnostics.add_source(std::move(path), text);
    const Location start{.file = file, .line = 1, .column = 1, .end_column = 1};
    if (!check_source_text(text, file, diagnostics)) return std::nullopt;

    const Lines lines(text);
    TreeBuilder builder(lines, file, diagnostics);
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Refusal& refusal) {
        diagnostics.error("E001", refusal.at, refusal.message);
        return std::nullopt;
    } catch (const YAML::ParserException& problem) {
        Location at = start;
        if (!problem.mark.is_null()) {
            at.line = static_cast<uint32_t>(problem.mark.line + 1);
            at.column = static_cast<uint32_t>(problem.mark.column + 1);
        }
        diagnostics.error("E001", at, "YAML syntax: " + problem.msg, hint_of(problem, lines));
        return std::nullopt;
    } catch (const std::exception& problem) {
        diagnostics.error("E001", start, fmt::format("YAML cannot be read: {}", problem.what()));
        return std::nullopt;
    }
    auto root = builder.take();
    if (!root || root->is_null()) {
        if (emptiness == Emptiness::Allowed && !diagnostics.has_errors()) return Value::null(start);
        if (!diagnostics.has_errors()) diagnostics.error("E001", start, "the file is empty");
        return std::nullopt;
    }
    return root;
}

}  // namespace rampart
