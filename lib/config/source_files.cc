#include "config/source_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <glob.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "config/document.h"

namespace rampart {

namespace {

class Descriptor {
  public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const noexcept { return fd_; }

  private:
    int fd_;
};

// Empty on success, else why the file cannot be read.
std::string read_file(const std::string& path, std::string& text) {
    // Without O_NONBLOCK a FIFO would wait for its writer.
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (file.get() < 0 || fstat(file.get(), &status) != 0) return std::strerror(errno);
    if (!S_ISREG(status.st_mode)) return "not a regular file";
    char buffer[65536];
    // The size in `status` is not trusted: the file may grow while it is read.
    while (text.size() <= kMaxFileBytes) {
        const ssize_t count = read(file.get(), buffer, sizeof(buffer));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return std::strerror(errno);
        if (count == 0) return {};
        text.append(buffer, static_cast<size_t>(count));
    }
    return {};
}

// A folder's name inside a pattern stands for itself.
std::string escaped(const std::string& folder) {
    std::string text;
    for (const char c : folder) {
        if (std::strchr("*?[]\\", c) != nullptr) text += '\\';
        text += c;
    }
    return text;
}

bool is_pattern(const std::string& word) {
    return word.find_first_of("*?[") != word.npos;
}

// The files that one entry of `include` stands for.
std::vector<std::string> expand(const std::string& word, const std::string& folder) {
    const bool is_absolute = word.starts_with('/');
    if (!is_pattern(word)) return {is_absolute ? word : folder + word};
    const std::string pattern = is_absolute ? word : escaped(folder) + word;
    glob_t found{};
    std::vector<std::string> paths;
    if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
        paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::string folder_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == path.npos ? std::string() : path.substr(0, slash + 1);
}

// Two names of one file are equal.
std::string identity_of(const std::string& path) {
    std::error_code problem;
    const auto canonical = std::filesystem::weakly_canonical(path, problem);
    return problem ? path : canonical.string();
}

class IncludeReader {
  public:
    IncludeReader(const SourceText& main, Diagnostics& diagnostics)
        : main_(main), diagnostics_(diagnostics) {}

    bool read(const Value& entry);
    std::vector<SourceText> take() { return std::move(texts_); }

  private:
    bool add(const std::string& path, const Value& entry);

    const SourceText& main_;
    Diagnostics& diagnostics_;
    std::set<std::string> seen_;
    std::vector<SourceText> texts_;
    size_t bytes_ = 0;
};

// The message of the first that cannot be read stands at its entry.
bool IncludeReader::read(const Value& entry) {
    if (!entry.is_scalar()) return true;  // reported by the loader
    const std::vector<std::string> paths = expand(entry.text(), folder_of(main_.path));
    return std::all_of(paths.begin(), paths.end(),
                       [&](const std::string& path) { return add(path, entry); });
}

bool IncludeReader::add(const std::string& path, const Value& entry) {
    const std::string identity = identity_of(path);
    std::string problem;
    SourceText source{path, {}};
    if (identity == identity_of(main_.path)) {
        problem = "the file includes itself";
    } else if (!seen_.insert(identity).second) {
        return true;
    } else if (texts_.size() == kMaxIncluded) {
        problem = fmt::format("more than {} files are included", kMaxIncluded);
    } else {
        problem = read_file(path, source.text);
        if (!problem.empty())
            problem = fmt::format("{} cannot be read: {}", rampart::quoted(path), problem);
        bytes_ += source.text.size();
        if (bytes_ + main_.text.size() > kMaxFileBytes)
            problem = fmt::format("all files together are larger than {} MiB", kMaxFileBytes >> 20);
    }
    if (problem.empty()) {
        texts_.push_back(std::move(source));
        return true;
    }
    Location at = entry.location();
    at.file = diagnostics_.add_source(main_.path, main_.text);
    diagnostics_.error("E001", at, problem);
    return false;
}

}  // namespace

std::optional<std::vector<SourceText>> read_included(const SourceText& main,
                                                     Diagnostics& diagnostics) {
    // Large files are parsed twice only when they include something.
    if (main.text.find("include") == std::string::npos || main.text.size() > kMaxFileBytes)
        return std::vector<SourceText>{};
    Diagnostics ignored;
    const auto document = read_document(main.path, main.text, ignored);
    const Value* include = document ? document->find("include") : nullptr;
    IncludeReader reader(main, diagnostics);
    if (include == nullptr) return reader.take();
    if (!reader.read(*include)) return std::nullopt;
    for (const Value& entry : include->items()) {
        if (!reader.read(entry)) return std::nullopt;
    }
    return reader.take();
}

std::optional<SourceTexts> read_source_texts(const std::string& path, Diagnostics& diagnostics) {
    SourceTexts sources{.main = {path, {}}, .included = {}};
    const std::string problem = read_file(path, sources.main.text);
    if (!problem.empty()) {
        const uint32_t file = diagnostics.add_source(path, {});
        diagnostics.error("E001", {.file = file}, "cannot be read: " + problem);
        return std::nullopt;
    }
    sources.included = read_included(sources.main, diagnostics);
    if (!sources.included) return std::nullopt;
    return sources;
}

}  // namespace rampart
