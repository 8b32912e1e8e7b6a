#include "control/worker_watch.h"

#include <thread>

#include <catch2/catch.hpp>

#include "control/thread_clock.h"

using namespace rampart;

namespace {

constexpr uint64_t kMs = 1'000'000;
using State = WorkerWatch::State;

// Two workers whose counts and clocks the test moves.
struct Workers : WorkerWatch::Source {
    struct Worker {
        uint64_t turns = 1, cpu_ns = 0;
    };
    Worker worker[2];
    mutable unsigned clock_reads = 0;

    size_t workers() const override { return 2; }
    uint64_t turns(size_t n) const override { return worker[n].turns; }
    uint64_t cpu_ns(size_t n) const override {
        ++clock_reads;
        return worker[n].cpu_ns;
    }
};

}  // namespace

TEST_CASE("a worker that turns is left alone, and its clock is not even read") {
    Workers workers;
    WorkerWatch watch(workers);
    for (uint64_t now = kMs; now < 100 * kMs; now += 4 * kMs) {
        workers.worker[0].turns += 1000;
        workers.worker[1].turns += 1;
        CHECK(watch.look(now).empty());
    }
    CHECK(workers.clock_reads == 0);
    CHECK(!watch.is_any_stuck());
}

TEST_CASE("a worker that spins is found before it has used 20 ms of its CPU") {
    // Whatever the moment between two looks at which the loop began.
    for (uint64_t lead = 0; lead < 4 * kMs; lead += kMs / 2) {
        Workers workers;
        WorkerWatch watch(workers);
        uint64_t now = kMs;
        watch.look(now);
        workers.worker[0].turns += 1;
        workers.worker[0].cpu_ns = lead;
        bool is_found = false;
        while (!is_found && workers.worker[0].cpu_ns <= 20 * kMs) {
            now += 4 * kMs;
            workers.worker[1].turns += 1;
            for (const auto& change : watch.look(now)) {
                is_found = true;
                CHECK(change.worker == 0);
                CHECK(change.state == State::Spinning);
            }
            if (!is_found) workers.worker[0].cpu_ns += 4 * kMs;
        }
        INFO(lead);
        CHECK(is_found);
        CHECK(workers.worker[0].cpu_ns <= 20 * kMs);
        CHECK(watch.is_any_stuck());
        CHECK(watch.state(1) == State::Turning);
    }
}

TEST_CASE("a worker that does not get its CPU is not taken for one that spins") {
    Workers workers;
    WorkerWatch watch(workers);
    uint64_t now = kMs;
    for (int i = 0; i < 400; ++i, now += 4 * kMs) {
        workers.worker[1].turns += 1;
        CHECK(watch.look(now).empty());
    }
    workers.worker[0].turns += 1;
    CHECK(watch.look(now).empty());
}

TEST_CASE("a worker that stands still for two seconds is told, once, and so is its return") {
    Workers workers;
    WorkerWatch watch(workers);
    uint64_t now = kMs;
    std::vector<WorkerWatch::Change> changes;
    for (int i = 0; i < 1000; ++i, now += 4 * kMs) {
        workers.worker[1].turns += 1;
        for (const auto& change : watch.look(now))
            changes.push_back(change);
    }
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].worker == 0);
    CHECK(changes[0].state == State::Blocked);
    CHECK(changes[0].for_ns >= 2000 * kMs);
    CHECK(watch.stuck_for_ns(0, now) >= 3900 * kMs);
    workers.worker[0].turns += 1;
    workers.worker[1].turns += 1;
    changes = watch.look(now);
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].state == State::Turning);
    CHECK(!watch.is_any_stuck());
}

TEST_CASE("a worker that has ended is not stuck") {
    Workers workers;
    WorkerWatch watch(workers);
    workers.worker[0].turns = workers.worker[1].turns = UINT64_MAX;
    for (uint64_t now = kMs; now < 5000 * kMs; now += 4 * kMs)
        CHECK(watch.look(now).empty());
}

TEST_CASE("the clock of a thread counts what that thread uses") {
    ThreadClock clock;
    CHECK(clock.cpu_ns() == 0);
    std::atomic<bool> is_done{false};
    std::thread thread([&] {
        clock.adopt_this_thread();
        while (!is_done.load())
            continue;
    });
    uint64_t first = 0;
    while (first == 0)
        first = clock.cpu_ns();
    while (clock.cpu_ns() <= first)
        continue;
    is_done.store(true);
    thread.join();
    CHECK(first != 0);
}
