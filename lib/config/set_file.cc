#include "config/set_file.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>

#include <fmt/format.h>

namespace rampart {
namespace {

constexpr ssize_t kMaxLine = 4096;

struct CloseFile {
    void operator()(FILE* file) const noexcept { std::fclose(file); }
};

std::string_view element_of(std::string_view line) {
    line = line.substr(0, line.find('#'));
    const size_t first = line.find_first_not_of(" \t\r\n");
    if (first == line.npos) return {};
    return line.substr(first, line.find_last_not_of(" \t\r\n") - first + 1);
}

LineProblem unreadable(std::string why) {
    return {0, "E001", "the file of the set cannot be read: " + std::move(why), {}};
}

}  // namespace

std::vector<LineProblem> read_set_file(
    const std::string& path,
    const std::function<bool(std::string_view element, LineProblem& problem)>& take) {
    // Without O_NONBLOCK a FIFO would wait for its writer.
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return {unreadable(std::strerror(errno))};
    const std::unique_ptr<FILE, CloseFile> file(fdopen(fd, "r"));
    struct stat status {};
    if (file == nullptr || fstat(fd, &status) != 0) return {unreadable(std::strerror(errno))};
    if (!S_ISREG(status.st_mode)) return {unreadable("not a regular file")};
    std::vector<LineProblem> problems;
    char* text = nullptr;
    size_t room = 0;
    uint64_t bytes = 0;
    for (uint32_t line = 1; problems.size() < kMaxSetFileProblems; ++line) {
        const ssize_t length = getline(&text, &room, file.get());
        if (length < 0) break;
        bytes += static_cast<uint64_t>(length);
        LineProblem problem;
        problem.line = line;
        if (bytes > kMaxSetFileBytes) {
            problems.push_back(
                unreadable(fmt::format("larger than {} MiB", kMaxSetFileBytes >> 20)));
            break;
        }
        if (length > kMaxLine) {
            problem.code = "E008";
            problem.message = "the line is too long";
            problems.push_back(std::move(problem));
            continue;
        }
        const std::string_view element = element_of({text, static_cast<size_t>(length)});
        if (!element.empty() && !take(element, problem)) problems.push_back(std::move(problem));
    }
    if (std::ferror(file.get()) != 0) problems.push_back(unreadable(std::strerror(errno)));
    std::free(text);
    return problems;
}

}  // namespace rampart
