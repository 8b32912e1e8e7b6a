// rampartctl: the command line of a running firewall. A thin client: everything but `check`,
// `doctor`, `import`, `schema`, `completion`, `reference`, `test --config` and `help` is done by
// the daemon. Called as `conntrack` it is `rampartctl conntrack`.
//
// Exit status: 0 ok, 1 failed, 2 bad usage, 3 daemon unreachable, 4 the configuration has errors.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "capture_file.h"
#include "check.h"
#include "client.h"
#include "completion.h"
#include "config/reference.h"
#include "control/api_protocol.h"
#include "doctor.h"
#include "import.h"
#include "json_schema.h"
#include "manual.h"
#include "packet_test.h"
#include "top_screen.h"

namespace {

using namespace rampart;

constexpr CommandHelp kCommands[] = {
    {"check", "check a configuration file here, without a daemon: check FILE"},
    {"doctor", "whether this machine is fit for a configuration, without a daemon: doctor [FILE]"},
    {"import", "make a configuration of the rules of iptables or nft: import --help"},
#define RAMPART_COMMAND(suffix, name, summary) {name, summary},
#include "control/commands/commands.def"
#undef RAMPART_COMMAND
    {"schema", "print the JSON schema of configuration files, without a daemon"},
    {"completion", "print a script for the shell, without a daemon: completion bash|zsh|fish"},
    {"reference",
     "print the reference manual (Markdown), or --man rampart.yaml or rampartctl; without a "
     "daemon"},
    {"help", "this list; `help COMMAND` asks the daemon about one"},
};

std::string command_list() {
    std::string text = "Commands:\n";
    for (const CommandHelp& command : kCommands)
        text += fmt::format("  {:<12} {}\n", command.name, command.summary);
    return text;
}

std::string default_socket() {
    const char* socket = std::getenv("RAMPART_SOCKET");
    return socket != nullptr ? socket : "/run/rampart/rampart.sock";
}

// `--json` may also stand after the command; `-j` as well, except that conntrack has one of its
// own.
void take_json(const std::string& command, std::vector<std::string>& arguments, bool& json) {
    const auto is_json = [&](const std::string& word) {
        return word == "--json" || (word == "-j" && command != "conntrack");
    };
    json = std::erase_if(arguments, is_json) != 0 || json;
}

int run_local_check(const std::vector<std::string>& arguments, bool json) {
    if (arguments.size() != 1 || arguments[0].starts_with("--")) {
        std::cerr << "usage: rampartctl check FILE\n";
        return exit_code::kUsage;
    }
    return run_check(arguments[0], json);
}

int run_schema(const std::vector<std::string>& arguments) {
    if (!arguments.empty()) {
        std::cerr << "usage: rampartctl schema\n";
        return exit_code::kUsage;
    }
    std::cout << render_json_schema();
    return exit_code::kOk;
}

int run_reference(const CLI::App& app, const std::vector<std::string>& arguments) {
    const std::string page = arguments.size() == 2 ? arguments[1] : "rampart.yaml";
    if (arguments.empty()) {
        std::cout << render_reference();
    } else if (arguments.size() <= 2 && arguments[0] == "--man" && page == "rampart.yaml") {
        std::cout << render_file_page();
    } else if (arguments.size() == 2 && arguments[0] == "--man" && page == "rampartctl") {
        std::cout << render_client_page(app, kCommands);
    } else {
        std::cerr << "usage: rampartctl reference [--man [rampart.yaml | rampartctl]]\n";
        return exit_code::kUsage;
    }
    return exit_code::kOk;
}

int run(const CLI::App& app, const ClientOptions& given, std::vector<std::string> words) {
    ClientOptions options = given;
    const std::string command = words.front();
    std::vector<std::string> arguments(words.begin() + 1, words.end());
    take_json(command, arguments, options.json);
    if (command == "check") return run_local_check(arguments, options.json);
    if (command == "doctor") return run_doctor(arguments, options.json);
    if (command == "import") return run_import(arguments);
    if (command == "test" && is_local_packet_test(arguments))
        return run_packet_test(arguments, options.json);
    if (command == "reference") return run_reference(app, arguments);
    if (command == "schema") return run_schema(arguments);
    if (command == "completion") return run_completion(arguments, app, kCommands);
    if (command == "pcap" && names_capture_file(arguments))
        return run_capture_to_file(options, std::move(arguments));
    if (command == "top" && wants_screen(arguments, options.json))
        return run_top_on_screen(options, arguments);
    if (command != "help") return run_remote(options, command, arguments);
    if (!arguments.empty() && arguments.front() == "import") return run_import({"--help"});
    if (!arguments.empty() && arguments.front() == "doctor") return run_doctor({"--help"}, false);
    if (!arguments.empty()) return run_remote(options, arguments.front(), {"--help"});
    std::cout << command_list();
    return exit_code::kOk;
}

}  // namespace

int main(int argc, char** argv) {
    ClientOptions options;
    options.socket = default_socket();
    CLI::App app("Asks and directs the Rampart firewall.");
    if (std::filesystem::path(argv[0]).filename() == "conntrack") {
        std::vector<std::string> words{"conntrack"};
        words.insert(words.end(), argv + 1, argv + argc);
        return run(app, options, std::move(words));
    }
    app.add_option("--socket", options.socket, "the daemon's control socket")
        ->capture_default_str();
    app.add_flag("-j,--json", options.json, "answer with JSON");
    app.add_option("--timeout", options.timeout_s, "seconds to wait for the answer")
        ->capture_default_str();
    app.set_version_flag("-V,--version", "rampartctl " RAMPART_VERSION);
    app.footer("\n" + command_list());
    app.prefix_command();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? exit_code::kOk : exit_code::kUsage;
    }
    if (app.remaining().empty() || app.remaining().front().starts_with("-")) {
        if (!app.remaining().empty())
            std::cerr << fmt::format("rampartctl: unknown option '{}'\n", app.remaining().front());
        std::cerr << app.help();
        return exit_code::kUsage;
    }
    return run(app, options, app.remaining());
}
