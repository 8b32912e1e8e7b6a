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
    std::string_view line(size_t number) const {
        if (number >= starts_.size()) return {};
        const std::string_view rest = text_.substr(starts_[number]);
        return rest.substr(0, rest.find('\n'));
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
        const bool quoted = tag == "!";
        add(Value::scalar(text, quoted, locate(mark, text.size() + (quoted ? 2 : 0))));
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
};

// The mark of a node stands on its first property. No plain or quoted scalar begins with one of
// these characters, so the source tells what the events do not: `!` before a plain scalar is
// invisible in them.
bool TreeBuilder::accept(const YAML::Mark& mark) {
    if (++nodes_ > kMaxNodes) {
        throw Refusal{locate(mark, 1), fmt::format("more than {} values in one file", kMaxNodes)};
    }
    const Location at = locate(mark, 1);
    const std::string_view line = lines_.line(at.line - 1);
    const std::string_view rest = line.substr(std::min<size_t>(at.column - 1, line.size()));
    const std::string word(rest.substr(0, rest.find_first_of(" \t\r,]}")));
    switch (lines_.at(mark)) {
        case '!':
            diagnostics_.error(
                "E004", at, fmt::format("YAML tag {} is not allowed here", quoted(word)),
                word.size() > 1 && word[1] != '!'
                    ? fmt::format("to negate, write  not: {{ src: {} }}", quoted(word.substr(1)))
                    : "to negate, write  not: { src: ... }");
            break;
        case '&':
            diagnostics_.error("E004", at,
                               fmt::format("YAML anchor {} is not allowed", quoted(word)),
                               "give the value a name under 'define' and use it as $name");
            break;
        case '*':
            diagnostics_.error("E004", at,
                               fmt::format("YAML alias {} is not allowed", quoted(word)),
                               "a word that begins with '*' needs quotes");
            break;
        default:
            return true;
    }
    refuse_child();
    return false;
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

std::optional<Value> read_document(std::string path, std::string text, Diagnostics& diagnostics) {
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
        if (!diagnostics.has_errors()) diagnostics.error("E001", start, "the file is empty");
        return std::nullopt;
    }
    return root;
}

}  // namespace rampart
