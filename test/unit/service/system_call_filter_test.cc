// The filter cannot be taken off again, so each test has a process of its own.
#include "control/system_call_filter.h"

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <string>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace rampart;

namespace {

// What `body` returns in a child with the filter; 100: there is no filter here; 200: it was killed.
int in_filtered_child(const std::function<int()>& body) {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) _exit(install_system_call_filter() ? body() : 100);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

// Sanitizers make calls of their own.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kHasSanitizer = true;
#elif defined(__has_feature)
constexpr bool kHasSanitizer = __has_feature(address_sanitizer);
#else
constexpr bool kHasSanitizer = false;
#endif

bool is_refused(long result) {
    return result == -1 && errno == EPERM;
}

}  // namespace

TEST_CASE("a call that is not listed is an error, and is told by name") {
    CHECK(in_filtered_child([] {
              if (!is_refused(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr))) return 1;
              char* const nothing[] = {nullptr};
              if (!is_refused(execve("/bin/true", nothing, nothing))) return 2;
              if (!is_refused(fork())) return 3;
              if (!is_refused(socket(AF_PACKET, SOCK_RAW, 0))) return 4;
              std::string names;
              for (const RefusedCall& call : take_refused_calls())
                  names += call.name + "=" + std::to_string(call.count) + " ";
              for (const char* name : {"ptrace=1", "execve=1", "socket=1"})
                  if (names.find(name) == std::string::npos) return 5;
              return kHasSanitizer || take_refused_calls().empty() ? 0 : 6;
          }) == 0);
}

TEST_CASE("what the daemon does goes on under the filter") {
    CHECK(in_filtered_child([] {
              std::atomic<int> done{0};
              std::thread thread([&] {
                  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                  done.store(page == MAP_FAILED ? 1 : 2);
              });
              thread.join();
              if (done.load() != 2) return 1;
              const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
              char byte = 0;
              if (file < 0 || read(file, &byte, 1) != 1 || close(file) != 0) return 2;
              for (const int family : {AF_UNIX, AF_NETLINK, AF_INET, AF_INET6}) {
                  const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
                  if (fd < 0 && errno == EPERM) return 3;
                  if (fd >= 0) close(fd);
              }
              return kHasSanitizer || take_refused_calls().empty() ? 0 : 4;
          }) == 0);
}

TEST_CASE("pages cannot be made executable, and threads from before are filtered, too") {
    CHECK(in_filtered_child([] {
              void* page =
                  mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              if (page == MAP_FAILED) return 1;
              return mprotect(page, 4096, PROT_READ | PROT_EXEC) == -1 && errno == EACCES ? 0 : 2;
          }) == 0);
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        std::atomic<bool> is_filtered{false};
        std::atomic<int> result{0};
        std::thread thread([&] {
            while (!is_filtered.load())
                continue;
            result.store(is_refused(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)) ? 0 : 1);
        });
        if (!install_system_call_filter()) result.store(2);
        is_filtered.store(true);
        thread.join();
        _exit(result.load());
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}
