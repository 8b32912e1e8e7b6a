#include "control/commands/arguments.h"

#include <sstream>
#include <vector>

#include <CLI/CLI.hpp>

#include "control/commands/describe.h"

namespace rampart {

struct ArgumentParser::App {
    CLI::App cli;
};

ArgumentParser::ArgumentParser(std::string description)
    : app_(new App{CLI::App(std::move(description))}) {}
ArgumentParser::~ArgumentParser() = default;

void ArgumentParser::flag(const std::string& names, bool& into, const std::string& help) {
    app_->cli.add_flag(names, into, help);
}

void ArgumentParser::option(const std::string& names, std::string& into, const std::string& help) {
    app_->cli.add_option(names, into, help);
}

void ArgumentParser::words(const std::string& names, std::vector<std::string>& into,
                           const std::string& help) {
    app_->cli.add_option(names, into, help)->required();
}

void ArgumentParser::any_words(const std::string& names, std::vector<std::string>& into,
                               const std::string& help) {
    app_->cli.add_option(names, into, help);
}

void ArgumentParser::required(const std::string& names, std::string& into,
                              const std::string& help) {
    app_->cli.add_option(names, into, help)->required();
}

std::optional<CommandOutput> ArgumentParser::parse(const ApiRequest& request) {
    CLI::App& cli = app_->cli;
    cli.name(request.command);
    if (Description* description = Description::current()) {
        for (const CLI::Option* option : cli.get_options())
            if (!option->get_positional() && option->get_name() != "--help")
                description->add({request.command, option->get_name(false, true),
                                  option->get_items_expected_max() > 0, option->get_description()});
        return CommandOutput{};
    }
    std::vector<std::string> reversed(request.arguments.rbegin(), request.arguments.rend());
    try {
        cli.parse(std::move(reversed));
        return std::nullopt;
    } catch (const CLI::ParseError& problem) {
        std::ostringstream out, err;
        CommandOutput output;
        const int code = cli.exit(problem, out, err);
        output.exit = code == 0 ? exit_code::kOk : exit_code::kUsage;
        output.out = out.str();
        output.err = err.str();
        return output;
    }
}

}  // namespace rampart
