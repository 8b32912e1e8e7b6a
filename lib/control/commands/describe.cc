#include "control/commands/describe.h"

#include <memory>
#include <new>

#include <fmt/format.h>

#include "control/commands/registry.h"
#include "control/conntrack_option_table.h"
#include "control/controller.h"

namespace rampart {
namespace {

thread_local Description* current_description = nullptr;

// What getopt_long() knows of `conntrack`; the commands are letters.
void describe_conntrack(Description& description) {
    const std::string_view letters = conntrack_option::kLetters;
    for (size_t i = 1; i < letters.size(); ++i)
        if (letters[i] >= 'A' && letters[i] <= 'Z')
            description.add({"conntrack", fmt::format("-{}", letters[i]), false, ""});
    for (const option& known : conntrack_option::common_options())
        if (known.name != nullptr)
            description.add({"conntrack", fmt::format("--{}", known.name),
                             known.has_arg == required_argument, ""});
}

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result;
}

}  // namespace

Description* Description::current() noexcept {
    return current_description;
}

std::vector<CommandWord> describe_commands() {
    Description description;
    // There is no controller, and no command comes as far as to look at one.
    alignas(Controller) static std::byte nowhere[sizeof(Controller)];
    Controller& controller = *std::launder(reinterpret_cast<Controller*>(nowhere));
    current_description = &description;
    for (const ApiCommand& command : commands()) {
        if (command.name == "conntrack") {
            describe_conntrack(description);
        } else if (command.name != "test") {  // its words are keys of packets
            ApiRequest request;
            request.command = command.name;
            command.run(request, controller);
        }
    }
    current_description = nullptr;
    return std::move(description.words_);
}

std::string render_command_words() {
    std::string text =
        "// Written by scripts/gen-docs.sh: RAMPART_WORD(command, names, takes a value, help).\n";
    for (const CommandWord& word : describe_commands())
        text += fmt::format("RAMPART_WORD(\"{}\", \"{}\", {}, \"{}\")\n", word.command, word.names,
                            word.takes_value, escaped(word.help));
    return text;
}

}  // namespace rampart
