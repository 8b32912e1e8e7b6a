// Eal: DPDK's environment, up from construction to destruction.
//
// At most one in a process. The thread that makes it becomes the main lcore, which is the control
// core; the others run workers through launch(). EAL starts only once in a process' life.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace rampart {

class Eal {
  public:
    // `arguments` without the program's name.
    static Result<std::unique_ptr<Eal>> start(const std::vector<std::string>& arguments);
    ~Eal();
    Eal(const Eal&) = delete;
    Eal& operator=(const Eal&) = delete;

    // Runs `function` on lcore `lcore` until it returns. False: no such worker lcore, or busy.
    bool launch(unsigned lcore, std::function<void()> function);
    // Waits for all launched functions.
    void join();

  private:
    Eal() = default;
    std::vector<std::unique_ptr<std::function<void()>>> running_;
};

}  // namespace rampart
