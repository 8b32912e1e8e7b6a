// How long expiry, deletion and flush of a large table hold a worker up, and how late flows expire.
//
// One thread is the worker: it runs its commands in a loop, as between two bursts, and times every
// turn with the TSC. The main thread is control: it ages, deletes or flushes. Turns that a
// scheduler interrupted cannot be told apart from long ones, so percentiles are printed besides the
// longest. Arguments: [FLOWS] [--huge].
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <rte_cycles.h>

#include "control/ager.h"
#include "dataplane/worker.h"
#include "dpdk/eal.h"

namespace rampart {
namespace {

using SteadyClock = std::chrono::steady_clock;

double milliseconds_since(SteadyClock::time_point then) {
    return std::chrono::duration<double, std::milli>(SteadyClock::now() - then).count();
}

class AgeingBench {
  public:
    explicit AgeingBench(uint32_t flows) : flows_(flows), clock_(TscClock::start_now()) {
        Worker::Options options{.steering = &steering_, .clock = clock_};
        options.flows = FlowTable::create({.name = "ageing", .capacity = flows}).value();
        options.reassembly = std::make_unique<Reassembly>(Reassembly::Options{});
        options.mailbox = Mailbox::create("ageing", -1).value();
        table_ = options.flows.get();
        worker_ = std::make_unique<Worker>(std::move(options));
        turns_.reserve(1u << 24);
    }

    void expiry() {
        const Tick deadline = clock_.now().tick + 3 * kTicksPerSecond + flows_ / 10000;
        fill(deadline);
        Ager ager({worker_.get()});
        run([&] {
            while (!is_past(deadline, clock_.now().tick)) {
                ager.turn(clock_.now().tick);
                std::this_thread::sleep_for(std::chrono::microseconds(Ager::kTurn_us));
            }
            const auto due = SteadyClock::now();
            while (table_->count() != 0) {
                ager.turn(clock_.now().tick);
                std::this_thread::sleep_for(std::chrono::microseconds(Ager::kTurn_us));
            }
            std::printf("expiry: %u flows with one deadline, the last gone %.0f ms after it\n",
                        flows_, milliseconds_since(due));
        });
    }

    void flush() {
        fill(clock_.now().tick + 100 * kTicksPerSecond);
        run([&] {
            const auto begin = SteadyClock::now();
            for (FlowIndex first = 0; first < table_->capacity(); first += kEraseRangeSlots)
                post({Command::Kind::EraseRange, first, kEraseRangeSlots});
            while (table_->count() != 0)
                std::this_thread::yield();
            std::printf("flush: %u flows in %.0f ms\n", flows_, milliseconds_since(begin));
        });
    }

    void deletion() {
        fill(clock_.now().tick + 100 * kTicksPerSecond);
        run([&] {
            const auto begin = SteadyClock::now();
            FlowInfo info;
            for (FlowIndex index = 0; index < table_->capacity(); ++index)
                if (table_->read_info(index, info))
                    post({Command::Kind::Erase, index, info.serial});
            while (table_->count() != 0)
                std::this_thread::yield();
            std::printf("deletion: %u flows one by one in %.0f ms\n", flows_,
                        milliseconds_since(begin));
        });
    }

  private:
    // Before the worker's thread runs, the table is the caller's.
    void fill(Tick deadline) {
        for (uint32_t i = 0; i < flows_; ++i) {
            Packet packet;
            FlowInfo info;
            info.original.family = packet.family = Family::Ipv4;
            info.original.protocol = packet.protocol = ip_protocol::kUdp;
            info.original.src = {10, static_cast<uint8_t>(i >> 16), static_cast<uint8_t>(i >> 8),
                                 static_cast<uint8_t>(i)};
            info.original.dst = {192, 0, 2, 1};
            info.original.dst_port = be16::from_host(53);
            const KeyOrder order = make_key(info.original, packet.key4);
            packet.swapped = order.swapped;
            packet.self_inverse = false;
            const uint32_t hash = table_->keys().hash_of(info.original);
            const FlowIndex index = table_->allocate();
            if (!table_->confirm(index, packet, hash, info, deadline)) std::abort();
        }
    }

    void post(const Command& command) {
        while (!worker_->mailbox().post(command))
            std::this_thread::yield();
    }

    template <typename Control>
    void run(Control control) {
        turns_.clear();
        std::atomic<bool> is_over{false};
        std::thread worker([&] {
            while (!is_over.load(std::memory_order_relaxed)) {
                const uint64_t begin = rte_rdtsc();
                const uint32_t commands = worker_->run_commands(clock_.now());
                const uint64_t cycles = rte_rdtsc() - begin;
                if (commands != 0) turns_.push_back(static_cast<uint32_t>(cycles));
            }
        });
        control();
        is_over.store(true);
        worker.join();
        report();
    }

    void report() {
        std::sort(turns_.begin(), turns_.end());
        const double per_us = static_cast<double>(rte_get_tsc_hz()) / 1e6;
        std::printf("   %zu turns of the worker, in microseconds:", turns_.size());
        for (const double share : {0.5, 0.99, 0.999, 0.9999}) {
            const size_t at = static_cast<size_t>(share * static_cast<double>(turns_.size() - 1));
            std::printf(" p%g %.1f", share * 100, turns_[at] / per_us);
        }
        std::printf(" longest %.1f\n", turns_.back() / per_us);
    }

    uint32_t flows_;
    TscClock clock_;
    Steering steering_ = Steering::single();
    std::unique_ptr<Worker> worker_;
    FlowTable* table_ = nullptr;
    std::vector<uint32_t> turns_;
};

}  // namespace
}  // namespace rampart

int main(int argc, char** argv) {
    uint32_t flows = 1'000'000;
    bool is_huge = false;
    for (int i = 1; i < argc; ++i) {
        if (std::string(argv[i]) == "--huge")
            is_huge = true;
        else
            flows = static_cast<uint32_t>(std::strtoul(argv[i], nullptr, 10));
    }
    const std::string megabytes =
        std::to_string((rampart::FlowTable::bytes_for({.capacity = flows}) >> 20) * 5 / 4 + 64);
    std::vector<std::string> arguments{"--no-pci", "--no-telemetry", "-l",          "0",
                                       "-m",       megabytes,        "--log-level", "error"};
    arguments.push_back(is_huge ? "--in-memory" : "--no-huge");
    if (!is_huge) arguments.push_back("--no-shconf");
    auto eal = rampart::Eal::start(arguments);
    if (!eal) {
        std::fprintf(stderr, "%s\n", eal.error().message.c_str());
        return 1;
    }
    rampart::AgeingBench bench(flows);
    bench.expiry();
    bench.flush();
    bench.deletion();
    return 0;
}
