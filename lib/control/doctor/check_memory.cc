// Hugepages, their file system, and memory that may be locked.
#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "control/doctor/checks.h"

namespace rampart {
namespace {

constexpr uint64_t kMiB = 1u << 20;
constexpr uint64_t kPageMiB = 2;          // of those that can be reserved at any time
constexpr unsigned kLockCapability = 14;  // CAP_IPC_LOCK

struct PageSize {
    uint64_t mib;
    std::string_view name;
    std::string_view pool;
};
constexpr PageSize kPageSizes[] = {{2, "2 MiB", "hugepages/hugepages-2048kB/"},
                                   {1024, "1 GiB", "hugepages/hugepages-1048576kB/"}};

struct Pages {
    std::string by_node;  // "node 0: 512 of 1024 pages of 2 MiB free"
    uint64_t free_mib = 0;
    uint64_t all_mib = 0;
    uint64_t small = 0;  // pages of 2 MiB, those in use included
};

// Of all nodes; without any, the system's.
Pages count_pages(const FileTree& files) {
    Pages pages;
    const auto add = [&](const std::string& place, const PageSize& size, std::string_view name) {
        const std::string folder = fmt::format("{}/{}", place, size.pool);
        const uint64_t all = files.number(folder + "nr_hugepages").value_or(0);
        const uint64_t free = files.number(folder + "free_hugepages").value_or(0);
        pages.free_mib += free * size.mib;
        pages.all_mib += all * size.mib;
        if (size.mib == kPageMiB) pages.small += all;
        if (all == 0 && size.mib != kPageMiB) return;
        if (!pages.by_node.empty()) pages.by_node += ", ";
        pages.by_node += fmt::format("{}{} of {} pages of {} free", name, free, all, size.name);
    };
    for (const std::string& name : files.names("/sys/devices/system/node")) {
        const std::string place = fmt::format("/sys/devices/system/node/{}", name);
        if (!name.starts_with("node")) continue;
        for (const PageSize& size : kPageSizes)
            if (files.exists(fmt::format("{}/{}", place, size.pool)))
                add(place, size, fmt::format("node {}: ", name.substr(4)));
    }
    if (!pages.by_node.empty()) return pages;
    for (const PageSize& size : kPageSizes)
        add("/sys/kernel/mm", size, "");
    return pages;
}

std::string reserve(uint64_t wanted_mib, const Pages& pages) {
    const uint64_t missing = wanted_mib > pages.free_mib ? wanted_mib - pages.free_mib : 0;
    return fmt::format("sysctl -w vm.nr_hugepages={}",
                       pages.small + (missing + kPageMiB - 1) / kPageMiB);
}

bool may_lock_any(const FileTree& files) {
    const std::string status = files.text("/proc/self/status");
    const std::string_view mask = line_after(status, "CapEff:");
    uint64_t capabilities = 0;
    std::from_chars(mask.data(), mask.data() + mask.size(), capabilities, 16);
    return capabilities >> kLockCapability & 1;
}

// The first of the two columns, which is the limit that counts; nothing: unlimited, or unknown.
std::optional<uint64_t> lock_limit(const FileTree& files) {
    const std::string limits = files.text("/proc/self/limits");
    const std::string_view line = line_after(limits, "Max locked memory");
    uint64_t bytes = 0;
    const auto result = std::from_chars(line.data(), line.data() + line.size(), bytes);
    if (result.ec != std::errc()) return std::nullopt;
    return bytes;
}

}  // namespace

void check_hugepages(Examination& examination) {
    const Demand& demand = examination.demand;
    const Pages pages = count_pages(examination.files);
    if (!demand.has_configuration) {
        if (pages.all_mib != 0) return examination.ok(pages.by_node);
        return examination.warn(
            "none are reserved: ordinary pages are slower, and most NICs need "
            "hugepages",
            "sysctl -w vm.nr_hugepages=512   # 1 GiB; `doctor FILE` says how "
            "many a configuration needs");
    }
    const uint64_t wanted = demand.memory_bytes / kMiB;
    if (demand.hugepages == Hugepages::Never) {
        if (demand.has_nics())
            return examination.fail(
                "the configuration says never, but it names NICs, which need "
                "them",
                "write memory: { hugepages: auto }");
        return examination.ok("the configuration uses ordinary pages");
    }
    const std::string text =
        fmt::format("{} MiB wanted, {} MiB free ({})", wanted, pages.free_mib, pages.by_node);
    if (pages.free_mib >= wanted) return examination.ok(text);
    if (demand.hugepages == Hugepages::Always || demand.has_nics())
        return examination.fail(text + "; those of a running rampartd are not free",
                                reserve(wanted, pages));
    examination.warn(text + ": ordinary pages will be used, which are slower",
                     reserve(wanted, pages));
}

// rampartd asks for anonymous memory, so a mount is needed only when `eal` says otherwise.
void check_hugetlbfs(Examination& examination) {
    const FileTree& files = examination.files;
    const std::string mounts = files.text("/proc/mounts");
    std::string mounted;
    for (size_t at = 0; at < mounts.size();) {
        const size_t end = std::min(mounts.find('\n', at), mounts.size());
        const std::string_view line = std::string_view(mounts).substr(at, end - at);
        if (line.find(" hugetlbfs ") != std::string_view::npos) {
            const size_t from = line.find(' ') + 1;
            mounted = std::string(line.substr(from, line.find(' ', from) - from));
        }
        at = end + 1;
    }
    const std::vector<std::string>& eal = examination.demand.eal;
    const auto option = std::find_if(eal.begin(), eal.end(), [](const std::string& word) {
        return word.starts_with("--huge-dir");
    });
    if (option == eal.end())
        return examination.ok(mounted.empty() ? "not mounted, and not needed"
                                              : fmt::format("mounted at {}, not needed", mounted));
    if (mounted.empty())
        return examination.fail(
            "--huge-dir is among `eal`, but no hugetlbfs is mounted",
            "mkdir -p /dev/hugepages && mount -t hugetlbfs none /dev/hugepages");
    if (!files.is_writable(mounted))
        return examination.fail(
            fmt::format("{} may not be written by this user", mounted),
            fmt::format("chgrp rampart {} && chmod g+rwx {}", mounted, mounted));
    examination.ok(fmt::format("mounted at {}", mounted));
}

void check_locked_memory(Examination& examination) {
    if (may_lock_any(examination.files))
        return examination.ok("any amount may be locked (CAP_IPC_LOCK)");
    const auto limit = lock_limit(examination.files);
    if (!limit) return examination.ok("any amount may be locked");
    const uint64_t wanted = examination.demand.memory_bytes;
    const std::string text = fmt::format("{} MiB may be locked", *limit / kMiB);
    const std::string fix = "ulimit -l unlimited   # the service has LimitMEMLOCK=infinity already";
    if (!examination.demand.has_configuration || !examination.demand.has_nics() || *limit >= wanted)
        return examination.ok(text);
    examination.fail(fmt::format("{}, but vfio locks all of the {} MiB", text, wanted / kMiB), fix);
}

}  // namespace rampart
