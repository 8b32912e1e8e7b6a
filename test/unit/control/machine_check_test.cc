#include "control/machine_check.h"

#include <catch2/catch.hpp>

#include "config/loader.h"

using namespace rampart;

namespace {

constexpr uint64_t kMiB = 1u << 20;

// What is said about `memory` and devices on a machine with these hugepages.
std::string problems(const std::string& memory, uint64_t hugepage_bytes,
                     std::vector<std::string> devices = {"0000:03:00.0", "0000:03:00.1"}) {
    Diagnostics diagnostics;
    const auto configuration =
        load_configuration("edge.yaml",
                           "version: 1\n"
                           "memory: " +
                               memory +
                               "\n"
                               "interfaces:\n"
                               "  wan: { device: \"0000:03:00.0\", bridge: lan }\n"
                               "  lan: { device: \"0000:03:00.1\" }\n"
                               "conntrack: { max: 100000 }\n"
                               "chains: { forward: { policy: drop } }\n",
                           diagnostics);
    REQUIRE(configuration);
    check_machine(configuration->system, configuration->snapshot->conntrack.max,
                  {{0}, 0, 0, std::move(devices)}, hugepage_bytes, diagnostics);
    return diagnostics.to_text();
}

}  // namespace

TEST_CASE("a machine that has everything gets no message") {
    CHECK(problems("{ hugepages: always }", 4096 * kMiB).empty());
    CHECK(problems("{ hugepages: auto }", 0).empty());
    CHECK(problems("{ hugepages: never }", 0).empty());
}

TEST_CASE("a device that the machine does not have is named with its place") {
    CHECK(problems("{ hugepages: never }", 0, {"0000:03:00.0", "0000:04:00.1"}) ==
          "edge.yaml:5:3: error: this machine has no device '0000:03:00.1'\n"
          "      lan: { device: \"0000:03:00.1\" }\n"
          "      ^\n"
          "    hint: did you mean '0000:03:00.0'?\n");
    CHECK(problems("{ hugepages: never }", 0, {}).find("`dpdk-devbind.py --status`") !=
          std::string::npos);
}

TEST_CASE("hugepages that are too few are told in numbers") {
    const std::string text = problems("{ hugepages: always, size: 512M }", 100 * kMiB);
    CHECK(text ==
          "edge.yaml:2:22: error: 100000 flows, 2 ports and 1 workers need 512 MiB of memory; "
          "there are 100 MiB of hugepages\n"
          "    memory: { hugepages: always, size: 512M }\n"
          "                         ^\n"
          "    hint: reserve 256 pages of 2 MiB: sysctl vm.nr_hugepages=256, or write hugepages: "
          "auto\n");
}
