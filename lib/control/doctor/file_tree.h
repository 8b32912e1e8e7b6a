// FileTree: sysfs, procfs and /dev below a root, as small texts and names.
//
// What is absent or unreadable is empty: what that means is for the check to say. Tests hand in a
// folder of their own as the root. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rampart {

class FileTree {
  public:
    explicit FileTree(std::string root = "") : root_(std::move(root)) {}

    bool exists(std::string_view path) const;
    // The first MiB of the file, without white space at its end.
    std::string text(std::string_view path) const;
    std::optional<uint64_t> number(std::string_view path) const;
    // Names in a folder, in order.
    std::vector<std::string> names(std::string_view path) const;
    // The last part of what a symbolic link points to: a driver, an IOMMU group.
    std::string link_name(std::string_view path) const;
    // Whether this process may read and write the file.
    bool is_writable(std::string_view path) const;

  private:
    std::string at(std::string_view path) const { return root_ + std::string(path); }
    std::string root_;
};

// "0-3,8" as the kernel writes lists of CPUs; what is no list is empty.
std::vector<unsigned> parse_cpu_list(std::string_view text);
// The other way round.
std::string format_cpu_list(const std::vector<unsigned>& cpus);
// The rest of the line of `text` that begins with `key`, without white space around it.
std::string_view line_after(std::string_view text, std::string_view key);

}  // namespace rampart
