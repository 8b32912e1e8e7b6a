#include "control/eal_arguments.h"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace rampart;

namespace {

constexpr uint32_t kFlows = 1000;
constexpr uint64_t kGiB = 1u << 30;

SystemSettings two_taps() {
    SystemSettings system;
    system.devices.push_back({"inside", "net_tap0,iface=a", true, {}, 1500, {}});
    system.devices.push_back({"outside", "net_tap1,iface=b", true, {}, 1500, {}});
    return system;
}

bool has(const EalPlan& plan, const std::string& word) {
    return std::find(plan.arguments.begin(), plan.arguments.end(), word) != plan.arguments.end();
}

EalPlan plan_of(const SystemSettings& system, const MachineFacts& machine) {
    auto plan = plan_eal(system, kFlows, machine);
    REQUIRE(plan);
    return *plan;
}

}  // namespace

TEST_CASE("the control thread gets the first allowed CPU and workers the following ones") {
    SystemSettings system = two_taps();
    system.cores.worker_count = 3;
    const EalPlan plan = plan_of(system, {{2, 3, 5}, 0});
    CHECK(plan.control_cpu == 2);
    CHECK(plan.worker_cpus == std::vector<unsigned>{3, 5, 2});
    CHECK(plan.arguments[0] == "--lcores=0@2,1@3,2@5,3@2");
    CHECK(has(plan, "--main-lcore=0"));
}

TEST_CASE("on a machine with one CPU everything shares it") {
    const EalPlan plan = plan_of(two_taps(), {{0}, 0});
    CHECK(plan.arguments[0] == "--lcores=0@0,1@0");
}

TEST_CASE("listed worker CPUs are taken as written and may repeat") {
    SystemSettings system = two_taps();
    system.cores.control = 1;
    system.cores.workers = {0, 1, 0};
    CHECK(plan_of(system, {{0, 1}, 0}).arguments[0] == "--lcores=0@1,1@0,2@1,3@0");
}

TEST_CASE("a CPU that is not allowed is refused by name") {
    SystemSettings system = two_taps();
    system.cores.workers = {7};
    const auto plan = plan_eal(system, kFlows, {{0, 1}, 0});
    REQUIRE_FALSE(plan);
    CHECK(plan.error().message.find("cores.workers: CPU 7") == 0);
}

TEST_CASE("virtual ports need neither PCI nor physical addresses") {
    const EalPlan plan = plan_of(two_taps(), {{0, 1}, kGiB});
    CHECK(has(plan, "--no-pci"));
    CHECK(has(plan, "--iova-mode=va"));
    CHECK_FALSE(has(plan, "--vdev"));
}

TEST_CASE("each PCI device is allowed and no other") {
    SystemSettings system = two_taps();
    system.devices[0] = {"wan", "0000:3b:00.0", false, {}, 1500, {}};
    const EalPlan plan = plan_of(system, {{0, 1}, kGiB});
    const auto allow = std::find(plan.arguments.begin(), plan.arguments.end(), "-a");
    REQUIRE(allow != plan.arguments.end());
    CHECK(*(allow + 1) == "0000:3b:00.0");
    CHECK_FALSE(has(plan, "--no-pci"));
    CHECK_FALSE(has(plan, "--iova-mode=va"));
}

TEST_CASE("hugepages are used exactly when enough are free, or when asked for") {
    SystemSettings system = two_taps();
    const uint64_t need = memory_wanted(system, kFlows);
    CHECK(plan_of(system, {{0}, need}).uses_hugepages);
    CHECK_FALSE(plan_of(system, {{0}, need - 1}).uses_hugepages);
    CHECK(has(plan_of(system, {{0}, need}), "--in-memory"));
    CHECK(has(plan_of(system, {{0}, 0}), "--no-huge"));
    // EAL takes only one of the two.
    CHECK_FALSE(has(plan_of(system, {{0}, 0}), "--in-memory"));
    system.memory.hugepages = Hugepages::Always;
    CHECK_FALSE(has(plan_of(system, {{0}, 0}), "--no-huge"));
    system.memory.hugepages = Hugepages::Never;
    CHECK(has(plan_of(system, {{0}, kGiB}), "--no-huge"));
}

TEST_CASE("memory grows with flows and buffers, and a given size is taken as it is") {
    SystemSettings system = two_taps();
    CHECK(memory_wanted(system, 1'000'000) > memory_wanted(system, 1000) + 100'000'000);
    system.memory.size_bytes = 300u << 20;
    const EalPlan plan = plan_of(system, {{0}, 0});
    const auto size = std::find(plan.arguments.begin(), plan.arguments.end(), "-m");
    REQUIRE(size != plan.arguments.end());
    CHECK(*(size + 1) == "300");
}

TEST_CASE("the rings between each two workers are in the memory that is asked for") {
    SystemSettings system = two_taps();
    const auto need_of = [&](uint16_t workers) {
        system.devices[0].queues = workers;
        REQUIRE(worker_count(system) == workers);
        return memory_wanted(system, kFlows);
    };
    // 4096 notices of 48 bytes each way.
    CHECK(need_of(32) - need_of(31) > 2 * 31 * uint64_t{4096} * 48);
}

TEST_CASE("no port asks for more queues than there are workers to poll them") {
    SystemSettings system = two_taps();
    CHECK(worker_count(system) == 1);
    system.devices[0].queues = 4;
    CHECK(worker_count(system) == 4);
    system.cores.worker_count = 2;
    CHECK(worker_count(system) == 2);
    CHECK(receive_queues_wanted(system.devices[0], 2) == 2);
    CHECK(receive_queues_wanted(system.devices[1], 2) == 2);
}

TEST_CASE("the user's own words come last, and may name the directory of the telemetry socket") {
    SystemSettings system = two_taps();
    CHECK(has(plan_of(system, {{0}, 0}), "--file-prefix=rampart"));
    system.eal = {"--file-prefix", "second", "--log-level=debug"};
    const EalPlan plan = plan_of(system, {{0}, 0});
    CHECK_FALSE(has(plan, "--file-prefix=rampart"));
    CHECK(plan.arguments.back() == "--log-level=debug");
}

TEST_CASE("the flow tables together hold at least conntrack.max") {
    CHECK(flows_per_worker(10, 3) == 4);
    CHECK(flows_per_worker(262144, 1) == 262144);
    CHECK(flows_per_worker(1, 4) == 1);
}
