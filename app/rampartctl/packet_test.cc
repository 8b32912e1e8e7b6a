#include "packet_test.h"

#include <ctime>
#include <iostream>

#include "config/loader.h"
#include "control/api_protocol.h"
#include "control/packet_tracer_report.h"

namespace rampart {
namespace {

constexpr std::string_view kConfig = "--config";

uint64_t wall_clock_ns() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

bool is_local_packet_test(const std::vector<std::string>& arguments) {
    for (const std::string& word : arguments)
        if (word.starts_with(kConfig) || word == "--help" || word == "-h") return true;
    return false;
}

int run_packet_test(const std::vector<std::string>& arguments, bool json) {
    std::string path;
    std::vector<std::string> words;
    bool explain = false;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string& word = arguments[i];
        if (word == "--help" || word == "-h") {
            std::cout << packet_test_help();
            return exit_code::kOk;
        }
        if (word == "--explain")
            explain = true;
        else if (word == kConfig && i + 1 < arguments.size())
            path = arguments[++i];
        else if (word.starts_with(std::string(kConfig) + '='))
            path = word.substr(kConfig.size() + 1);
        else
            words.push_back(word);
    }
    Diagnostics diagnostics;
    const auto configuration = load_configuration_file(path, diagnostics);
    if (!configuration) {
        std::cerr << diagnostics.to_text() << diagnostics.summary() << '\n';
        return exit_code::kConfiguration;
    }
    const PacketTestOutput answer =
        test_packet(*configuration->snapshot, words, wall_clock_ns(), explain);
    if (!answer.is_good)
        std::cerr << answer.text;
    else if (json)
        std::cout << answer.json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    else
        std::cout << answer.text;
    return answer.is_good ? exit_code::kOk : exit_code::kUsage;
}

}  // namespace rampart
