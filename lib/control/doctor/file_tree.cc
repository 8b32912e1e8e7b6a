#include "control/doctor/file_tree.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>

namespace rampart {
namespace {

constexpr size_t kMostBytes = 1u << 20;
constexpr unsigned kMostCpus = 4096;
constexpr std::string_view kBlank = " \t\n";

std::string_view trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

template <typename Number>
bool take_number(std::string_view& text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return false;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    return true;
}

}  // namespace

bool FileTree::exists(std::string_view path) const {
    std::error_code none;
    return std::filesystem::exists(at(path), none);
}

std::string FileTree::text(std::string_view path) const {
    std::ifstream file(at(path), std::ios::binary);
    std::string text(kMostBytes, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(std::max<std::streamsize>(file.gcount(), 0)));
    text.erase(text.find_last_not_of(kBlank) + 1);
    return text;
}

std::optional<uint64_t> FileTree::number(std::string_view path) const {
    const std::string text = this->text(path);
    std::string_view rest = text;
    uint64_t number = 0;
    if (!take_number(rest, number) || !rest.empty()) return std::nullopt;
    return number;
}

std::vector<std::string> FileTree::names(std::string_view path) const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(at(path), none))
        names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

std::string FileTree::link_name(std::string_view path) const {
    std::error_code none;
    return std::filesystem::read_symlink(at(path), none).filename();
}

bool FileTree::is_writable(std::string_view path) const {
    return access(at(path).c_str(), R_OK | W_OK) == 0;
}

std::vector<unsigned> parse_cpu_list(std::string_view text) {
    std::vector<unsigned> cpus;
    while (!text.empty()) {
        unsigned first = 0;
        if (!take_number(text, first)) return {};
        unsigned last = first;
        if (text.starts_with('-')) {
            text.remove_prefix(1);
            if (!take_number(text, last)) return {};
        }
        if (last >= kMostCpus || last < first) return {};
        for (unsigned cpu = first; cpu <= last; ++cpu)
            cpus.push_back(cpu);
        if (text.starts_with(',')) text.remove_prefix(1);
    }
    return cpus;
}

std::string format_cpu_list(const std::vector<unsigned>& cpus) {
    std::string text;
    for (size_t i = 0; i < cpus.size();) {
        size_t end = i + 1;
        while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1)
            ++end;
        if (!text.empty()) text += ',';
        text += end - i == 1 ? fmt::format("{}", cpus[i])
                             : fmt::format("{}-{}", cpus[i], cpus[end - 1]);
        i = end;
    }
    return text;
}

std::string_view line_after(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        if (line.starts_with(key)) return trimmed(line.substr(key.size()));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

}  // namespace rampart
