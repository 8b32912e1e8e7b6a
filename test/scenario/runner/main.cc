// The scenario runner: finds test/scenario/**/*.yaml, plays each, and checks that every way a
// packet can be dropped, and every reason to call it INVALID, has a scenario.
//
//   scenarios ROOT [PART...]    ROOT is the source tree; a PART selects paths that contain it
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "packet/drop_reason.h"
#include "scenario/runner/player.h"
#include "scenario/runner/scenario.h"

namespace rampart::test {
namespace {

// What one worker's packet function cannot produce by itself, and the test that covers it.
struct Elsewhere {
    DropReason reason;
    const char* test;
};
constexpr std::array kCoveredElsewhere = {
    Elsewhere{DropReason::InsertFailed, "test/unit/dataplane/insert_failed_test.cc"},
    Elsewhere{DropReason::HandOffFull, "test/unit/dataplane/worker_test.cc"},
    Elsewhere{DropReason::TransmitFull, "test/unit/dataplane/worker_test.cc"},
    Elsewhere{DropReason::NoTwin, "test/unit/dataplane/routed_worker_test.cc"},
    Elsewhere{DropReason::KernelFull, "test/unit/dataplane/routed_worker_test.cc"},
    Elsewhere{DropReason::NeighbourFailed, "test/unit/dataplane/routed_worker_test.cc"},
    Elsewhere{DropReason::Helper, "test/unit/dataplane/helper_flows_test.cc"},
    Elsewhere{DropReason::FragmentMemory, "test/unit/dataplane/reassembly_test.cc"},
    Elsewhere{DropReason::FragmentOutput, "test/unit/dataplane/reassembly_test.cc"},
};

std::vector<std::filesystem::path> find_scenarios(const std::filesystem::path& root,
                                                  const std::vector<std::string>& parts) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(root / "test" / "scenario")) {
        const std::string path = entry.path().string();
        const bool is_wanted =
            parts.empty() || std::any_of(parts.begin(), parts.end(), [&](const std::string& part) {
                return path.find(part) != std::string::npos;
            });
        if (entry.path().extension() == ".yaml" && is_wanted) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

size_t report_uncovered(const std::set<DropReason>& seen, const std::filesystem::path& root) {
    size_t missing = 0;
    for (size_t i = 0; i < kDropReasonCount; ++i) {
        const auto reason = static_cast<DropReason>(i);
        const auto elsewhere =
            std::find_if(kCoveredElsewhere.begin(), kCoveredElsewhere.end(),
                         [&](const Elsewhere& entry) { return entry.reason == reason; });
        if (seen.contains(reason)) continue;
        if (elsewhere != kCoveredElsewhere.end() && std::filesystem::exists(root / elsewhere->test))
            continue;
        ++missing;
        std::printf("FAIL drop reason '%s' has no scenario\n",
                    std::string(to_string(reason)).c_str());
    }
    return missing;
}

size_t report_uncovered(const std::set<InvalidReason>& seen) {
    size_t missing = 0;
    for (size_t i = 1; i < kInvalidReasonCount; ++i) {
        const auto reason = static_cast<InvalidReason>(i);
        if (seen.contains(reason)) continue;
        ++missing;
        std::printf("FAIL no scenario names 'invalid %s'\n",
                    std::string(to_string(reason)).c_str());
    }
    return missing;
}

int run(const std::filesystem::path& root, const std::vector<std::string>& parts) {
    const std::vector<std::filesystem::path> files = find_scenarios(root, parts);
    std::set<DropReason> seen;
    std::set<InvalidReason> invalid;
    size_t failed = 0, packets = 0;
    for (const std::filesystem::path& file : files) {
        const std::string name = std::filesystem::relative(file, root).string();
        PlayResult result;
        std::string intent;
        try {
            const Scenario scenario = read_scenario(file, root);
            intent = scenario.intent;
            result = play(scenario);
        } catch (const std::exception& error) {
            result.failures.push_back(error.what());
        }
        seen.insert(result.reasons.begin(), result.reasons.end());
        invalid.insert(result.invalid.begin(), result.invalid.end());
        packets += result.packets;
        if (result.failures.empty()) continue;
        ++failed;
        std::printf("FAIL %s: %s\n", name.c_str(), intent.c_str());
        for (const std::string& failure : result.failures)
            std::printf("    %s\n", failure.c_str());
    }
    const size_t uncovered =
        parts.empty() ? report_uncovered(seen, root) + report_uncovered(invalid) : 0;
    std::printf("%zu packets, %zu reasons without a scenario\n", packets, uncovered);
    std::printf("%zu passed, %zu failed, 0 skipped\n", files.size() - failed, failed + uncovered);
    return failed == 0 && uncovered == 0 && !files.empty() ? 0 : 1;
}

}  // namespace
}  // namespace rampart::test

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s ROOT [PART...]\n", argv[0]);
        return 2;
    }
    return rampart::test::run(argv[1], {argv + 2, argv + argc});
}
