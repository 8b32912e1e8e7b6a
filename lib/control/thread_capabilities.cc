#include "control/thread_capabilities.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace rampart {
namespace {

constexpr auto kPatience = std::chrono::seconds(1);

std::atomic<uint64_t> kept_capabilities{0};
std::atomic<size_t> answers{0};

// Async-signal-safe.
void on_signal(int) {
    const int before = errno;
    for (unsigned long capability = 0; capability <= CAP_LAST_CAP; ++capability)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
    if (syscall(SYS_capget, &header, data) == 0) {
        const uint64_t kept = kept_capabilities.load();
        for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
            data[i].permitted &= static_cast<uint32_t>(kept >> (32 * i));
            data[i].effective = data[i].permitted;
            data[i].inheritable = 0;
        }
        syscall(SYS_capset, &header, data);
    }
    answers.fetch_add(1);
    errno = before;
}

}  // namespace

std::vector<ThreadPower> threads_with_more(uint64_t kept) {
    std::vector<ThreadPower> threads;
    std::error_code none;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", none)) {
        std::ifstream status(task.path() / "status");
        std::string line, name;
        while (std::getline(status, line)) {
            if (line.starts_with("Name:")) name = line.substr(6);
            if (!line.starts_with("CapPrm:")) continue;
            if (std::stoull(line.substr(7), nullptr, 16) & ~kept)
                threads.push_back({std::stoi(task.path().filename()), name});
        }
    }
    return threads;
}

void drop_capabilities_of(const std::vector<ThreadPower>& threads, uint64_t kept) {
    const int signal = SIGRTMAX;
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;  // what it waits for goes on
    sigfillset(&action.sa_mask);
    kept_capabilities.store(kept);
    answers.store(0);
    // The handler stays: a thread may answer late.
    if (sigaction(signal, &action, nullptr) != 0) return;
    size_t asked = 0;
    for (const ThreadPower& thread : threads)
        asked += syscall(SYS_tgkill, getpid(), thread.tid, signal) == 0;
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (answers.load() < asked && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::microseconds(100));
}

}  // namespace rampart
