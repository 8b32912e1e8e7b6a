#include "completion.h"

#include <algorithm>
#include <iostream>
#include <map>

#include <fmt/format.h>

#include "base/join.h"
#include "control/api_protocol.h"
#include "import.h"

namespace rampart {
namespace {

struct Word {
    std::string text;  // "--timeout", "add"
    std::string help;
};
// By command, or command and verb: "set", "set add". Empty: before any command.
using Words = std::map<std::string, std::vector<Word>>;

// These take the name of a file.
constexpr std::string_view kFileCommands[] = {"check", "doctor", "apply", "diff", "import"};

constexpr struct {
    std::string_view command, names, help;
} kDaemonWords[] = {
#define RAMPART_WORD(command, names, takes_value, help) {command, names, help},
#include "command_words.def"
#undef RAMPART_WORD
};

// "-t,--timeout" is two words with the same help.
void add(std::vector<Word>& words, std::string_view names, std::string_view help) {
    while (!names.empty()) {
        const size_t end = std::min(names.find(','), names.size());
        words.push_back({std::string(names.substr(0, end)), std::string(help)});
        names.remove_prefix(std::min(end + 1, names.size()));
    }
}

void add_options(std::vector<Word>& words, const CLI::App& app) {
    for (const CLI::Option* option : app.get_options())
        if (!option->get_positional())
            add(words, option->get_name(false, true), option->get_description());
}

Words collect(const CLI::App& app, std::span<const CommandHelp> commands) {
    Words words;
    add_options(words[""], app);
    for (const CommandHelp& command : commands) {
        words[""].push_back({std::string(command.name), std::string(command.summary)});
        words["help"].push_back({std::string(command.name), std::string(command.summary)});
    }
    for (const auto& word : kDaemonWords)
        add(words[std::string(word.command)], word.names, word.help);
    for (const auto& [names, help] : import_options())
        add(words["import"], names, help);
    words["doctor"].push_back({"--json", "answer with JSON"});
    for (const std::string_view shell : {"bash", "zsh", "fish"})
        words["completion"].push_back({std::string(shell), ""});
    for (const std::string_view page : {"rampart.yaml", "rampartctl"})
        words["reference"].push_back({std::string(page), "with --man"});
    words["reference"].push_back({"--man", "as a manual page"});
    return words;
}

std::string quoted_for_shell(std::string_view text) {
    std::string result = "'";
    for (const char c : text)
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

std::string file_pattern() {
    return join(kFileCommands, "|");
}

// Which command and verb the line has so far; options of the client may stand before them.
constexpr std::string_view kBashBegin =
    R"(# Completion of rampartctl for bash. Made by `rampartctl completion bash`.
_rampartctl() {
    local current=${COMP_WORDS[COMP_CWORD]} command= verb= word i skip=
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $skip ]]; then skip=; continue; fi
        case $word in
            --socket | --timeout) [[ $command ]] || skip=1 ;;
            -*) ;;
            *) if [[ ! $command ]]; then command=$word; elif [[ ! $verb ]]; then verb=$word; fi ;;
        esac
    done
    local words
    _rampartctl_words "$command" "$verb"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
)";

std::string render_bash(const Words& words) {
    std::string text = "_rampartctl_words() {\n    case \"$1 $2\" in\n";
    // The longer ones first: "set add" before "set" with any other word.
    for (auto entry = words.rbegin(); entry != words.rend(); ++entry) {
        std::vector<std::string> list;
        for (const Word& word : entry->second)
            list.push_back(word.text);
        const bool has_verb = entry->first.find(' ') != std::string::npos;
        text += fmt::format("        {}) words={} ;;\n",
                            has_verb               ? "\"" + entry->first + "\""
                            : entry->first.empty() ? "' '"
                                                   : entry->first + "\\ *",
                            quoted_for_shell(join(list, " ")));
    }
    text += "        *) words= ;;\n    esac\n}\n";
    return fmt::format(
        "{}    case $command in\n"
        "        {}) [[ $current == -* ]] || COMPREPLY+=($(compgen -f -- \"$current\")) ;;\n"
        "    esac\n}}\n{}complete -o filenames -F _rampartctl rampartctl\n",
        kBashBegin, file_pattern(), text);
}

constexpr std::string_view kZshEnd = R"(
_rampartctl() {
    local command= verb= word i skip=
    local -a rampartctl_words
    for ((i = 2; i < CURRENT; i++)); do
        word=${words[i]}
        if [[ -n $skip ]]; then skip=; continue; fi
        case $word in
            --socket | --timeout) [[ -n $command ]] || skip=1 ;;
            -*) ;;
            *) if [[ -z $command ]]; then command=$word; elif [[ -z $verb ]]; then verb=$word; fi ;;
        esac
    done
    _rampartctl_words "$command" "$verb"
    _describe -o rampartctl rampartctl_words
)";

std::string render_zsh(const Words& words) {
    std::string text =
        "#compdef rampartctl\n# Completion of rampartctl for zsh. Made by `rampartctl completion "
        "zsh`.\n_rampartctl_words() {\n    case \"$1 $2\" in\n";
    for (auto entry = words.rbegin(); entry != words.rend(); ++entry) {
        const bool has_verb = entry->first.find(' ') != std::string::npos;
        text += fmt::format("        {}) rampartctl_words=(\n",
                            has_verb               ? "\"" + entry->first + "\""
                            : entry->first.empty() ? "' '"
                                                   : entry->first + "\\ *");
        for (const Word& word : entry->second) {
            std::string help = word.help;
            for (size_t at = 0; (at = help.find(':', at)) != std::string::npos; at += 2)
                help.insert(at, 1, '\\');
            text += fmt::format("            {}\n", quoted_for_shell(word.text + ":" + help));
        }
        text += "        ) ;;\n";
    }
    return fmt::format(
        "{}        *) rampartctl_words=() ;;\n    esac\n}}\n{}    case $command in\n        {}) "
        "_files ;;\n    esac\n}}\n\n_rampartctl \"$@\"\n",
        text, kZshEnd, file_pattern());
}

std::string fish_option(const Word& word) {
    if (word.text.starts_with("--")) return "-l " + quoted_for_shell(word.text.substr(2));
    if (word.text.starts_with("-")) return "-s " + quoted_for_shell(word.text.substr(1));
    return "-a " + quoted_for_shell(word.text);
}

std::string render_fish(const Words& words) {
    std::string text =
        "# Completion of rampartctl for fish. Made by `rampartctl completion fish`.\n"
        "complete -c rampartctl -f\n";
    for (const auto& [key, list] : words) {
        std::string condition = "__fish_use_subcommand";
        if (const size_t space = key.find(' '); space != std::string::npos)
            condition =
                fmt::format("__fish_seen_subcommand_from {}; and __fish_seen_subcommand_from {}",
                            key.substr(0, space), key.substr(space + 1));
        else if (!key.empty())
            condition = "__fish_seen_subcommand_from " + key;
        for (const Word& word : list)
            text +=
                fmt::format("complete -c rampartctl -n {} {} -d {}\n", quoted_for_shell(condition),
                            fish_option(word), quoted_for_shell(word.help));
    }
    for (const std::string_view command : kFileCommands)
        text +=
            fmt::format("complete -c rampartctl -n '__fish_seen_subcommand_from {}' -F\n", command);
    return text;
}

}  // namespace

std::string render_completion(std::string_view shell, const CLI::App& app,
                              std::span<const CommandHelp> commands) {
    const Words words = collect(app, commands);
    if (shell == "bash") return render_bash(words);
    if (shell == "zsh") return render_zsh(words);
    if (shell == "fish") return render_fish(words);
    return {};
}

int run_completion(const std::vector<std::string>& arguments, const CLI::App& app,
                   std::span<const CommandHelp> commands) {
    const std::string text =
        arguments.size() == 1 ? render_completion(arguments[0], app, commands) : std::string();
    if (text.empty()) {
        std::cerr << "usage: rampartctl completion bash|zsh|fish\n";
        return exit_code::kUsage;
    }
    std::cout << text;
    return exit_code::kOk;
}

}  // namespace rampart
