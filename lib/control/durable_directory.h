// DurableDirectory: small files that a crash leaves whole: each is what it was before a write, or
// what it is after, whatever moment the program or the machine dies at.
//
//   write   NAME.new: create, write, fsync   ->   rename to NAME   ->   fsync the directory
//
// The directory is made if need be, 0750, and locked while this object lives, so that it has one
// writer. Names may have one folder in them ("history/12.json"). Every step can fail and can be
// watched: the tests end the process, or let the step fail, at each. Control thread only.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rampart {

class DurableDirectory {
  public:
    // Called before each system call that changes the disk, with its name. What it returns, if not
    // 0, is the errno that the call fails with.
    using Probe = std::function<int(std::string_view step)>;
    static constexpr size_t kMaxFileBytes = 64u << 20;

    static Result<std::unique_ptr<DurableDirectory>> open(std::string path, Probe probe = {});
    ~DurableDirectory();
    DurableDirectory(const DurableDirectory&) = delete;
    DurableDirectory& operator=(const DurableDirectory&) = delete;

    Result<void> write(const std::string& name, std::string_view text);
    Result<std::string> read(const std::string& name) const;
    bool has(const std::string& name) const;
    Result<void> remove(const std::string& name);
    Result<void> make_folder(const std::string& name);
    // The files of a folder, without leftovers of interrupted writes, which it removes. Sorted.
    std::vector<std::string> list(const std::string& folder);
    const std::string& path() const noexcept { return path_; }

  private:
    DurableDirectory(std::string path, Probe probe, int lock)
        : path_(std::move(path)), probe_(std::move(probe)), lock_(lock) {}
    std::string full(const std::string& name) const { return path_ + "/" + name; }
    // errno is set by the probe, and the call is not to be made.
    bool fails(std::string_view step) const;
    bool write_new(const std::string& file, std::string_view text) const;
    bool sync_folder_of(const std::string& name) const;

    std::string path_;
    Probe probe_;
    int lock_;
};

}  // namespace rampart
