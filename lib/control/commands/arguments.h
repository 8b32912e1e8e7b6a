// ArgumentParser: the options of one command, and its help text.
//
// A thin front of CLI11, which stays in arguments.cc: what is wrong with the arguments becomes a
// CommandOutput. Option names are written as there: "-v,--verbose", a bare word for a position.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/api_protocol.h"

namespace rampart {

class ArgumentParser {
  public:
    explicit ArgumentParser(std::string description);
    ~ArgumentParser();
    ArgumentParser(const ArgumentParser&) = delete;
    ArgumentParser& operator=(const ArgumentParser&) = delete;

    void flag(const std::string& names, bool& into, const std::string& help);
    void option(const std::string& names, std::string& into, const std::string& help);
    void words(const std::string& names, std::vector<std::string>& into, const std::string& help);
    void any_words(const std::string& names, std::vector<std::string>& into,
                   const std::string& help);  // or none
    void required(const std::string& names, std::string& into, const std::string& help);

    // Returns what to answer when the command must not run: the help text (exit 0) or what is
    // wrong with the arguments (exit 2).
    std::optional<CommandOutput> parse(const ApiRequest& request);

  private:
    struct App;
    std::unique_ptr<App> app_;
};

}  // namespace rampart
