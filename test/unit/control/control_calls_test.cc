// Other threads have the control thread do something for them: results come back, in the order of
// one thread, and nobody waits for ever.
#include "control/control_calls.h"

#include <atomic>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace rampart {
namespace {

using namespace std::chrono_literals;

struct Bed {
    Bed() : loop(std::move(*EventLoop::create())), calls(std::move(*ControlCalls::open(*loop))) {}

    std::unique_ptr<EventLoop> loop;
    std::unique_ptr<ControlCalls> calls;
};

}  // namespace

TEST_CASE("functions of several threads run on the control thread, one at a time") {
    Bed bed;
    const auto control = std::this_thread::get_id();
    std::atomic<unsigned> ready{0}, wrong{0};
    unsigned count = 0;  // only the control thread changes it
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (unsigned j = 0; j < 250; ++j) {
                const auto result = bed.calls->call([&] {
                    wrong += std::this_thread::get_id() != control;
                    return ++count;
                });
                wrong += !result || *result == 0;
            }
            if (++ready == 4) bed.calls->call([&] { return bed.loop->stop(), 0; });
        });
    bed.loop->run();
    for (std::thread& thread : threads)
        thread.join();
    CHECK(count == 1000);
    CHECK(wrong == 0);
}

TEST_CASE("who is not served in time gets nothing, and its function never runs") {
    Bed bed;
    bool has_run = false;
    std::thread thread([&] {
        CHECK_FALSE(bed.calls->call([&] { return has_run = true; }, 10ms));
        bed.calls->call([&] { return bed.loop->stop(), 0; });
    });
    std::this_thread::sleep_for(50ms);  // it may be asked before the loop runs
    bed.loop->run();
    thread.join();
    CHECK_FALSE(has_run);
}

TEST_CASE("what throws gives nothing, and the next one is served") {
    Bed bed;
    std::thread thread([&] {
        CHECK_FALSE(bed.calls->call([]() -> int { throw std::runtime_error("no"); }));
        CHECK(bed.calls->call([] { return 7; }) == 7);
        bed.calls->call([&] { return bed.loop->stop(), 0; });
    });
    bed.loop->run();
    thread.join();
}

TEST_CASE("closing wakes those who wait") {
    Bed bed;
    std::thread thread([&] { CHECK_FALSE(bed.calls->call([] { return 1; }, 60s)); });
    bed.calls->close();
    thread.join();
    CHECK_FALSE(bed.calls->call([] { return 1; }, 60s));
}

}  // namespace rampart
