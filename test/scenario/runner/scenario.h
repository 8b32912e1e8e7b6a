// Scenario: a test as a network engineer writes it, read from one YAML file.
//
// Only the reader knows the file's form (test/scenario/README.md); the player sees steps. Throws
// std::runtime_error with the place when the file is wrong. Value types, one thread.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "support/network.h"

namespace rampart::test {

// One packet and what must become of it.
struct PacketRow {
    std::string packet;                   // "lan tcp 10.0.0.2:1 > 192.0.2.1:80 S seq 1000"
    std::optional<std::string> expect;    // "wan same", "drop policy", "lan reply tcp ..."
    std::optional<std::string> ct_class;  // "new", "none"
    std::optional<std::string> flow;      // "SYN_SENT 120 unreplied", "none"
};

struct SendStep {
    std::vector<PacketRow> rows;  // several: one burst
};
struct AdvanceStep {
    uint64_t ns = 0;
    bool sweep = true;
};
struct FlowsStep {
    std::vector<std::string> flows;  // the exact list, in any order
};
struct CountersStep {
    std::map<std::string, uint64_t> packets;  // rule id or "forward policy" -> packets so far
};
struct ReloadStep {
    std::string config;
};

struct Step {
    int line = 0;
    std::variant<SendStep, AdvanceStep, FlowsStep, CountersStep, ReloadStep> what;
};

struct Scenario {
    std::string path;
    std::string intent;
    std::optional<std::string> config;  // none: a box without a configuration
    uint32_t capacity = 4096;
    std::optional<NetworkSpec> network;  // none: no port is routed
    std::vector<Step> steps;
};

// `root` is the directory that `config: FILE` is relative to.
Scenario read_scenario(const std::filesystem::path& file, const std::filesystem::path& root);

}  // namespace rampart::test
