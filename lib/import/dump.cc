#include "import/dump.h"

#include <algorithm>
#include <charconv>

#include "base/diagnostics.h"

namespace rampart {

namespace {

// "[12:3456]"
std::optional<DumpCounters> parse_counters(std::string_view word) {
    if (word.size() < 5 || word.front() != '[' || word.back() != ']') return std::nullopt;
    DumpCounters counters;
    const char* const end = word.data() + word.size() - 1;
    const auto packets = std::from_chars(word.data() + 1, end, counters.packets);
    if (packets.ec != std::errc() || *packets.ptr != ':') return std::nullopt;
    const auto bytes = std::from_chars(packets.ptr + 1, end, counters.bytes);
    if (bytes.ec != std::errc() || bytes.ptr != end) return std::nullopt;
    return counters;
}

class DumpReader {
  public:
    DumpReader(uint32_t file, ImportReport& report) : report_(report) { origin_.file = file; }

    void read_line(std::string_view line);
    void finish();
    std::vector<DumpTable> tables;

  private:
    void begin_table(std::string_view name);
    void add_chain(std::vector<std::string> words);
    void add_rule(std::vector<std::string> words);

    ImportReport& report_;
    Origin origin_;
    bool is_in_table_ = false;
};

void DumpReader::read_line(std::string_view line) {
    ++origin_.line;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t start = line.find_first_not_of(" \t");
    if (start == line.npos || line[start] == '#') return;
    line.remove_prefix(start);
    if (line[0] == '*') return begin_table(line.substr(1));
    auto words = split_words(line);
    if (!words || words->empty())
        return report_.problem(origin_, "the quotation marks of this line do not match");
    if (!is_in_table_)
        return report_.problem(origin_, "this line stands outside of a table",
                               "a table begins with '*filter' and ends with 'COMMIT'");
    if (words->front() == "COMMIT") {
        is_in_table_ = false;
    } else if (words->front().front() == ':') {
        add_chain(std::move(*words));
    } else {
        add_rule(std::move(*words));
    }
}

void DumpReader::begin_table(std::string_view name) {
    if (is_in_table_) report_.problem(origin_, "the table before has no COMMIT");
    const size_t end = name.find_last_not_of(" \t");
    name = end == name.npos ? std::string_view() : name.substr(0, end + 1);
    is_in_table_ = true;
    const bool is_second = std::any_of(tables.begin(), tables.end(),
                                       [name](const DumpTable& t) { return t.name == name; });
    if (is_second)
        report_.problem(origin_, "the table " + quoted(name) + " is in this dump a second time");
    tables.push_back({.name = std::string(name), .chains = {}, .rules = {}, .origin = origin_});
}

void DumpReader::add_chain(std::vector<std::string> words) {
    const std::string name = words[0].substr(1);
    const bool is_policy =
        words.size() >= 2 && (words[1] == "ACCEPT" || words[1] == "DROP" || words[1] == "-");
    if (name.empty() || !is_policy || words.size() > 3 ||
        (words.size() == 3 && !parse_counters(words[2])))
        return report_.problem(origin_, "this is no chain of a dump",
                               "a chain is ':NAME POLICY [packets:bytes]'");
    tables.back().chains.push_back({name, words[1], origin_});
}

void DumpReader::add_rule(std::vector<std::string> words) {
    DumpRule rule;
    rule.origin = origin_;
    auto word = words.begin();
    if (word->front() == '[') {
        rule.counters = parse_counters(*word);
        if (!rule.counters) return report_.problem(origin_, quoted(*word) + " is no counter");
        ++word;
    }
    if (words.end() - word < 2 || (*word != "-A" && *word != "--append"))
        return report_.problem(origin_, "only lines with '-A CHAIN' can be imported",
                               "load the rules, then save them with iptables-save");
    rule.chain = word[1];
    rule.words.assign(std::make_move_iterator(word + 2), std::make_move_iterator(words.end()));
    tables.back().rules.push_back(std::move(rule));
}

void DumpReader::finish() {
    if (is_in_table_) report_.problem(origin_, "the last table has no COMMIT: the dump is cut off");
}

}  // namespace

std::optional<std::vector<std::string>> split_words(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool is_word = false;
    bool is_quoted = false;
    for (size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (c == '"') {
            is_quoted = !is_quoted;
            is_word = true;
        } else if (is_quoted && c == '\\' && i + 1 < line.size()) {
            word += line[++i];
        } else if (!is_quoted && (c == ' ' || c == '\t')) {
            if (is_word) words.push_back(std::move(word));
            word.clear();
            is_word = false;
        } else {
            word += c;
            is_word = true;
        }
    }
    if (is_quoted) return std::nullopt;
    if (is_word) words.push_back(std::move(word));
    return words;
}

Dump read_dump(std::string_view text, uint32_t file, Family family, ImportReport& report) {
    DumpReader reader(file, report);
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        reader.read_line(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    reader.finish();
    return {.family = family, .tables = std::move(reader.tables)};
}

}  // namespace rampart
