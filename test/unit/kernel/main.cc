// These tests make network namespaces and TAPs of their own, which takes root.
#include <cstdio>
#include <sched.h>
#include <unistd.h>

#include "unit/catch.h"

int main(int argc, char** argv) {
    constexpr int kSkipped = 77;  // as Meson understands it
    if (access("/dev/net/tun", R_OK | W_OK) != 0 || unshare(CLONE_NEWNET) != 0) {
        std::puts("these need root and /dev/net/tun\n0 passed, 0 failed, 1 skipped");
        return kSkipped;
    }
    return rampart::run_tests(argc, argv);
}
