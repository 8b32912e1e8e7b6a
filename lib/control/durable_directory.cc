#include "control/durable_directory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace rampart {
namespace {

constexpr std::string_view kUnfinished = ".new";
constexpr size_t kPiece = 256u << 10;

tl::unexpected<Error> file_failure(const std::string& path) {
    return failure(path + ": " + std::strerror(errno));
}

class Descriptor {
  public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    bool is_open() const noexcept { return fd_ >= 0; }
    int get() const noexcept { return fd_; }

  private:
    int fd_;
};

}  // namespace

Result<std::unique_ptr<DurableDirectory>> DurableDirectory::open(std::string path, Probe probe) {
    std::error_code ignored;  // mkdir reports it better
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    if (mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) return file_failure(path);
    const int lock = ::open((path + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (lock < 0) return file_failure(path + "/lock");
    std::unique_ptr<DurableDirectory> directory(
        new DurableDirectory(std::move(path), std::move(probe), lock));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0)
        return failure(directory->path_ + ": another daemon is using it",
                       "give this one another --state");
    return directory;
}

DurableDirectory::~DurableDirectory() {
    ::close(lock_);
}

bool DurableDirectory::fails(std::string_view step) const {
    const int problem = probe_ ? probe_(step) : 0;
    if (problem != 0) errno = problem;
    return problem != 0;
}

bool DurableDirectory::write_new(const std::string& file, std::string_view text) const {
    if (fails("open")) return false;
    const Descriptor output(
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!output.is_open()) return false;
    while (!text.empty()) {
        if (fails("write")) return false;
        const ssize_t count = ::write(output.get(), text.data(), std::min(text.size(), kPiece));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        text.remove_prefix(static_cast<size_t>(count));
    }
    return !fails("fsync") && fsync(output.get()) == 0;
}

bool DurableDirectory::sync_folder_of(const std::string& name) const {
    if (fails("fsync folder")) return false;
    const std::string folder = std::filesystem::path(full(name)).parent_path();
    const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened.is_open() && fsync(opened.get()) == 0;
}

Result<void> DurableDirectory::write(const std::string& name, std::string_view text) {
    const std::string file = full(name);
    const std::string unfinished = file + std::string(kUnfinished);
    const bool is_written = write_new(unfinished, text) && !fails("rename") &&
                            rename(unfinished.c_str(), file.c_str()) == 0;
    if (!is_written) {
        const auto problem = file_failure(file);
        unlink(unfinished.c_str());
        return problem;
    }
    if (!sync_folder_of(name)) return file_failure(file);
    return {};
}

Result<std::string> DurableDirectory::read(const std::string& name) const {
    const std::string file = full(name);
    const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!input.is_open()) return file_failure(file);
    std::string text;
    char bytes[65536];
    while (text.size() <= kMaxFileBytes) {
        const ssize_t count = ::read(input.get(), bytes, sizeof(bytes));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return file_failure(file);
        if (count == 0) return text;
        text.append(bytes, static_cast<size_t>(count));
    }
    return failure(file + ": larger than it can be");
}

bool DurableDirectory::has(const std::string& name) const {
    return access(full(name).c_str(), F_OK) == 0;
}

Result<void> DurableDirectory::remove(const std::string& name) {
    if (fails("unlink") || (unlink(full(name).c_str()) != 0 && errno != ENOENT))
        return file_failure(full(name));
    return {};
}

Result<void> DurableDirectory::make_folder(const std::string& name) {
    if (fails("mkdir") || (mkdir(full(name).c_str(), 0750) != 0 && errno != EEXIST))
        return file_failure(full(name));
    if (!sync_folder_of(name)) return file_failure(full(name));
    return {};
}

std::vector<std::string> DurableDirectory::list(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code problem;
    std::filesystem::directory_iterator at(full(folder), problem);
    for (; !problem && at != std::filesystem::directory_iterator(); at.increment(problem)) {
        const std::string name = at->path().filename();
        if (name.ends_with(kUnfinished))
            unlink(at->path().c_str());
        else
            names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace rampart
