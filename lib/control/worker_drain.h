// WorkerDrain: waits, without blocking, until the workers have done what was posted to them.
//
// Asked again and again from the event loop. Control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace rampart {

class Worker;

class WorkerDrain {
  public:
    explicit WorkerDrain(const std::vector<Worker*>& workers);

    // Everything posted before the first call is done. What others post meanwhile may delay it.
    bool is_done();
    // It takes so long that something must be wrong.
    bool is_late() const;

  private:
    struct Progress {
        Worker* worker;
        bool was_empty = false;  // its mailbox
        uint64_t loops = 0;      // when it was
    };
    std::vector<Progress> waiting_;
    std::chrono::steady_clock::time_point begin_{};  // of the first call
};

}  // namespace rampart
