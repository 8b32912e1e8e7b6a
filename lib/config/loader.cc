#include "config/loader.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "config/build.h"
#include "config/definitions.h"
#include "config/document.h"
#include "config/section.h"

namespace rampart {

namespace {

constexpr std::string_view kLanguageVersion = "1";

void check_version(const Value& document, const Section& top, Diagnostics& diagnostics) {
    const Value* version = top.find("version");
    if (version == nullptr) {
        diagnostics.error("E006", document.location(), "the configuration has no 'version'",
                          "begin the file with  version: 1");
    } else if (version->text() != kLanguageVersion) {
        diagnostics.error(
            "E005", version->location(),
            fmt::format("version {} of the language is not known", quoted(version->text())),
            "write  version: 1");
    }
}

bool has_essential_rules(const Ruleset& ruleset) {
    for (const Chain& chain : ruleset.chains)
        for (const Rule& rule : chain.rules)
            if (rule.is_essential) return true;
    return false;
}

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

}  // namespace

std::optional<Configuration> load_configuration(std::string path, std::string text,
                                                Diagnostics& diagnostics) {
    if (text.size() > kMaxFileBytes) {
        const uint32_t file = diagnostics.add_source(std::move(path), {});
        diagnostics.error("E001", {.file = file},
                          fmt::format("larger than {} MiB", kMaxFileBytes >> 20));
        return std::nullopt;
    }
    const auto read = read_document(std::move(path), std::move(text), diagnostics);
    if (!read) return std::nullopt;
    const Section top(&*read, "", "the configuration", diagnostics);
    if (!read->is_map()) return std::nullopt;
    check_version(*read, top, diagnostics);
    const Value document = expand_definitions(*read, diagnostics);

    Configuration configuration;
    configuration.snapshot = std::make_unique<Snapshot>();
    Snapshot& snapshot = *configuration.snapshot;
    build_system(document, configuration.system, diagnostics);
    build_interfaces(document, configuration.system, snapshot.ruleset.names, diagnostics);
    build_link(document, snapshot.link, snapshot.ruleset, diagnostics);
    build_conntrack(document, snapshot.ruleset.names, snapshot.conntrack, diagnostics);
    build_logging(document, snapshot.logging, diagnostics);
    build_chains(document, snapshot.ruleset, diagnostics);
    snapshot.conntrack.has_essential_rules = has_essential_rules(snapshot.ruleset);
    if (diagnostics.has_errors()) return std::nullopt;
    return configuration;
}

std::optional<Configuration> load_configuration_file(const std::string& path,
                                                     Diagnostics& diagnostics) {
    std::string text;
    const std::string problem = read_file(path, text);
    if (!problem.empty()) {
        const uint32_t file = diagnostics.add_source(path, {});
        diagnostics.error("E001", {.file = file}, "cannot be read: " + problem);
        return std::nullopt;
    }
    return load_configuration(path, std::move(text), diagnostics);
}

}  // namespace rampart
