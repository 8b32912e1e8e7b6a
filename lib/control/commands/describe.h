// The words of all commands, as their own definitions have them: for shell completion.
//
// A command is run with a Description current on this thread; its ArgumentParser then notes its
// options instead of parsing, and the command returns before it does anything. So a command must
// parse its arguments first of all. scripts/gen-docs.sh keeps the result in
// app/rampartctl/command_words.def, which rampartctl is built with. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rampart {

struct CommandWord {
    std::string command;  // "set add"
    std::string names;    // "-t,--timeout", or a verb: "add"
    bool takes_value;
    std::string help;
};

class Description {
  public:
    // The one that commands on this thread write to, or null.
    static Description* current() noexcept;

    void add(CommandWord word) { words_.push_back(std::move(word)); }

  private:
    friend std::vector<CommandWord> describe_commands();
    std::vector<CommandWord> words_;
};

std::vector<CommandWord> describe_commands();
// As lines of app/rampartctl/command_words.def.
std::string render_command_words();

}  // namespace rampart
