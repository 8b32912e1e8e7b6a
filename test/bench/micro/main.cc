// Microbenchmarks of the packet path's parts (Google Benchmark): parser, key index, trackers,
// classifier, the search for a translated port. "cycles" is per packet, or per item of the name.
//
//   ninja -C build-bench test/micro-bench && build-bench/test/micro-bench [--huge]
//   [--benchmark_...]
//
// Without root; --huge takes hugepages, without which large tables measure the TLB as well.
#include <benchmark/benchmark.h>
#include <cstdio>
#include <string>
#include <vector>

#include "dpdk/eal.h"

namespace {

// A benchmark that finds a fault in what it measures makes the program fail.
class Reporter : public benchmark::ConsoleReporter {
  public:
    Reporter() : ConsoleReporter(OO_None) {}
    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs)
            has_failed |= run.error_occurred;
        ConsoleReporter::ReportRuns(runs);
    }
    bool has_failed = false;
};

}  // namespace

int main(int argc, char** argv) {
    const bool is_huge = argc > 1 && std::string(argv[1]) == "--huge";
    if (is_huge) {
        --argc;
        for (int i = 1; i < argc; ++i)
            argv[i] = argv[i + 1];
    }
    std::vector<std::string> arguments{"--no-pci", "--no-telemetry", "-l",          "0",
                                       "-m",       "1024",           "--log-level", "error"};
    arguments.push_back(is_huge ? "--in-memory" : "--no-huge");
    if (!is_huge) arguments.push_back("--no-shconf");
    auto eal = rampart::Eal::start(arguments);
    if (!eal) {
        std::fprintf(stderr, "%s\n", eal.error().message.c_str());
        return 1;
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    Reporter reporter;
    return benchmark::RunSpecifiedBenchmarks(&reporter) == 0 || reporter.has_failed ? 1 : 0;
}
