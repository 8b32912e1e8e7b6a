// `test`: what would become of a packet. With --config the client answers it by itself.
#include "control/commands/registry.h"
#include "control/controller.h"
#include "control/packet_tracer_report.h"

namespace rampart {

CommandOutput run_test(const ApiRequest& request, Controller& controller) {
    CommandOutput output;
    std::vector<std::string> words;
    bool explain = false;
    for (const std::string& word : request.arguments) {
        if (word == "--help" || word == "-h") {
            output.out = packet_test_help();
            return output;
        }
        if (word == "--explain")
            explain = true;
        else
            words.push_back(word);
    }
    PacketTestOutput answer =
        test_packet(controller.publisher().current(), words, controller.now().wall_ns, explain);
    if (!answer.is_good) return CommandOutput::failed(exit_code::kUsage, answer.text);
    if (request.json)
        output.result = std::move(answer.json);
    else
        output.out = std::move(answer.text);
    return output;
}

}  // namespace rampart
