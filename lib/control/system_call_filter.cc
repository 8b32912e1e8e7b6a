#include "control/system_call_filter.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__aarch64__)
#define RAMPART_SIGSYS_RETURNS 1
#else
#define RAMPART_SIGSYS_RETURNS 0
#endif

namespace rampart {
namespace {

// What the running daemon, its libraries and DPDK's drivers call once everything is set up. The
// end-to-end tests fail when one is refused.
// clang-format off
constexpr const char* kAllowed[] = {
    // memory: the heap, and pages that EAL adds to its own
    "brk", "munmap", "mremap", "madvise", "mlock", "munlock", "memfd_create", "ftruncate",
    "fallocate", "mbind", "get_mempolicy", "set_mempolicy", "mincore",
    // files: configurations, sets, logs, the history, sysfs and procfs
    "open", "openat", "close", "close_range", "read", "readv", "pread64", "preadv", "write",
    "writev", "pwrite64", "pwritev", "lseek", "stat", "lstat", "fstat", "newfstatat", "statx",
    "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64", "getcwd",
    "fcntl", "flock", "fsync", "fdatasync", "sync_file_range", "dup", "dup2", "dup3", "pipe",
    "pipe2", "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat",
    "rmdir", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat", "fchown",
    "fchownat", "umask", "utimensat", "statfs", "fstatfs", "sendfile", "copy_file_range",
    "ioctl",
    // waiting
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
    "select", "pselect6", "eventfd", "eventfd2", "signalfd4", "timerfd_create", "timerfd_settime",
    "timerfd_gettime", "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres",
    "gettimeofday", "time", "futex",
    // sockets; which, see below
    "socketpair", "connect", "accept", "accept4", "bind", "listen", "getsockname",
    "getpeername", "getsockopt", "setsockopt", "sendto", "sendmsg", "sendmmsg", "recvfrom",
    "recvmsg", "recvmmsg", "shutdown",
    // threads and the process itself
    "set_robust_list", "get_robust_list", "rseq", "membarrier", "sched_yield",
    "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_getscheduler",
    "getpriority", "setpriority", "getcpu",
    "gettid", "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getgroups",
    "uname", "sysinfo", "getrandom", "getrusage", "getrlimit", "times", "exit", "exit_group",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
    "sigaltstack", "restart_syscall", "capget",
};
// clang-format on

// Not AF_PACKET: sockets of ports are open already.
constexpr int kSocketFamilies[] = {AF_UNIX, AF_NETLINK, AF_INET, AF_INET6};
constexpr size_t kMostCalls = 1024;

std::array<std::atomic<uint64_t>, kMostCalls> refused_calls{};  // the last for higher numbers

#if RAMPART_SIGSYS_RETURNS
// In the daemon's own log it comes with its name; this is for those who end before that.
void tell_at_once(size_t number) {
    char line[] = "rampartd: system call 0000 refused\n";
    for (size_t at = 25, rest = number; at > 21; --at, rest /= 10)
        line[at] = static_cast<char>('0' + rest % 10);
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line, sizeof(line) - 1);
}

// Async-signal-safe: counts, and makes the call return EPERM.
void on_refused_call(int, siginfo_t* info, void* context) {
    const auto number = static_cast<size_t>(info->si_syscall);
    const auto before = refused_calls[number < kMostCalls ? number : kMostCalls - 1].fetch_add(
        1, std::memory_order_relaxed);
    if (before == 0) tell_at_once(number);
    auto* machine = &static_cast<ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
    machine->gregs[REG_RAX] = -EPERM;
#else
    machine->regs[0] = static_cast<unsigned long>(-EPERM);
#endif
}
#endif

struct FilterCloser {
    void operator()(void* filter) const { seccomp_release(filter); }
};

// The macros of seccomp.h for this are C, not C++.
int add_rule(scmp_filter_ctx filter, uint32_t action, int call, const scmp_arg_cmp& argument) {
    return seccomp_rule_add_array(filter, action, call, 1, &argument);
}

scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) {
    return {argument, SCMP_CMP_EQ, value, 0};
}

scmp_arg_cmp has_bits(unsigned argument, scmp_datum_t mask, scmp_datum_t bits) {
    return {argument, SCMP_CMP_MASKED_EQ, mask, bits};
}

// Threads yes, processes no. clone3() has its flags where no filter can look: the C library takes
// clone() when it is told that there is none. Pages that can be executed are for start-up only:
// DPDK runs packet filters by its interpreter when it may not compile them. prctl() names threads,
// prlimit64() reads limits, and tgkill() is what abort() calls.
int add_conditional_rules(scmp_filter_ctx filter) {
    constexpr uint32_t kAllow = SCMP_ACT_ALLOW;
    constexpr scmp_datum_t kSetName = 15;  // PR_SET_NAME
    int error = add_rule(filter, kAllow, SCMP_SYS(clone), has_bits(0, CLONE_THREAD, CLONE_THREAD));
    error |= seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, nullptr);
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
        error |= add_rule(filter, kAllow, call, has_bits(2, PROT_EXEC, 0));
        error |= add_rule(filter, SCMP_ACT_ERRNO(EACCES), call, has_bits(2, PROT_EXEC, PROT_EXEC));
    }
    error |= add_rule(filter, kAllow, SCMP_SYS(prctl), equals(0, kSetName));
    error |= add_rule(filter, kAllow, SCMP_SYS(prlimit64), equals(2, 0));
    error |=
        add_rule(filter, kAllow, SCMP_SYS(tgkill), equals(0, static_cast<scmp_datum_t>(getpid())));
    for (const int family : kSocketFamilies)
        error |= add_rule(filter, kAllow, SCMP_SYS(socket),
                          equals(0, static_cast<scmp_datum_t>(family)));
    return error;
}

tl::unexpected<Error> filter_failure(std::string_view step, int error) {
    return failure("no filter of system calls: " + std::string(step) + ": " +
                   std::strerror(std::abs(error)));
}

}  // namespace

Result<void> install_system_call_filter() {
#if RAMPART_SIGSYS_RETURNS
    struct sigaction action {};
    action.sa_sigaction = on_refused_call;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSYS, &action, nullptr) != 0) return filter_failure("sigaction", errno);
    const uint32_t otherwise = SCMP_ACT_TRAP;
#else
    const uint32_t otherwise = SCMP_ACT_ERRNO(EPERM);
#endif
    const std::unique_ptr<void, FilterCloser> filter(seccomp_init(otherwise));
    if (filter == nullptr) return filter_failure("seccomp_init", ENOMEM);
    if (const int error = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1); error != 0)
        return filter_failure("all threads at once", error);
    // A tree of comparisons instead of a list of them.
    seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (const char* name : kAllowed) {
        const int number = seccomp_syscall_resolve_name(name);
        if (number == __NR_SCMP_ERROR) continue;  // of another architecture
        // Negative numbers are calls that this architecture does not have.
        const int error = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, number, 0);
        if (error != 0 && number >= 0) return filter_failure(name, error);
    }
    if (const int error = add_conditional_rules(filter.get()); error != 0)
        return filter_failure("seccomp_rule_add", error);
    if (const int error = seccomp_load(filter.get()); error != 0)
        return filter_failure("seccomp_load", error);
    return {};
}

std::vector<RefusedCall> take_refused_calls() {
    std::vector<RefusedCall> list;
    for (size_t number = 0; number < refused_calls.size(); ++number) {
        if (refused_calls[number].load(std::memory_order_relaxed) == 0) continue;
        const uint64_t count = refused_calls[number].exchange(0, std::memory_order_relaxed);
        const std::unique_ptr<char, void (*)(void*)> name(
            seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number)),
            std::free);
        list.push_back({name != nullptr ? name.get() : "number " + std::to_string(number), count});
    }
    return list;
}

}  // namespace rampart
