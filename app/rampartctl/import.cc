#include "import.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "control/api_protocol.h"
#include "import/import.h"

namespace rampart {
namespace {

struct Options {
    std::string source;  // "iptables-save" ...
    std::string file = "-";
    std::string ipv6_file;
    std::string ipset_file;
    std::vector<std::string> interfaces;  // NAME=DEVICE
    std::vector<std::string> bridges;     // NAME=PEER
    std::string map_file;
    std::string output;
    bool partial = false;
    bool counters = false;
    bool keep_unbuilt = false;
};

std::optional<ImportSource> read_source(const std::string& path) {
    errno = 0;
    std::ifstream file;
    if (path != "-") file.open(path, std::ios::binary);
    std::istream& input = path == "-" ? std::cin : file;
    if (input) {
        std::string text{std::istreambuf_iterator<char>(input), {}};
        if (!input.bad() && errno != EISDIR)
            return ImportSource{path == "-" ? "stdin" : path, text};
    }
    std::cerr << fmt::format("{}: error: cannot be read: {}\n", path, std::strerror(errno));
    return std::nullopt;
}

InterfaceMapping& mapping_of(std::vector<InterfaceMapping>& mappings, const std::string& name) {
    for (InterfaceMapping& mapping : mappings) {
        if (mapping.name == name) return mapping;
    }
    return mappings.emplace_back(InterfaceMapping{name, {}, {}});
}

bool usage(const std::string& message) {
    std::cerr << "rampartctl import: " << message << '\n';
    return false;
}

// Lines of `NAME DEVICE [PEER]`.
bool read_map(const std::string& path, std::vector<InterfaceMapping>& mappings) {
    std::ifstream file(path);
    if (!file) return usage(fmt::format("{}: {}", path, std::strerror(errno)));
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string name, device, peer, rest;
        if (!(words >> name)) continue;
        words >> device >> peer >> rest;
        if (device.empty() || !rest.empty())
            return usage(fmt::format("{}: a line is NAME DEVICE [PEER], not '{}'", path, line));
        mapping_of(mappings, name) = {name, device, peer};
    }
    return true;
}

bool read_mappings(const Options& options, std::vector<InterfaceMapping>& mappings) {
    if (!options.map_file.empty() && !read_map(options.map_file, mappings)) return false;
    for (const auto* list : {&options.interfaces, &options.bridges}) {
        for (const std::string& word : *list) {
            const size_t equals = word.find('=');
            if (equals == 0 || equals == word.npos || equals + 1 == word.size())
                return usage(fmt::format("'{}' is not NAME=VALUE", word));
            InterfaceMapping& mapping = mapping_of(mappings, word.substr(0, equals));
            (list == &options.bridges ? mapping.peer : mapping.device) = word.substr(equals + 1);
        }
    }
    // The other port of a pair is an interface as well.
    for (size_t i = 0; i < mappings.size(); ++i) {
        const std::string peer = mappings[i].peer;
        if (!peer.empty()) mapping_of(mappings, peer);
    }
    return true;
}

bool read_sources(const Options& options, ImportRequest& request) {
    const auto read = [](const std::string& path, std::optional<ImportSource>& into) {
        if (!path.empty()) into = read_source(path);
        return path.empty() || into.has_value();
    };
    auto& main = options.source == "ip6tables-save" ? request.ipv6
                 : options.source == "nft-json"     ? request.nft
                                                    : request.ipv4;
    return read(options.file, main) && read(options.ipv6_file, request.ipv6) &&
           read(options.ipset_file, request.ipset);
}

int write_result(const std::string& yaml, const std::string& path) {
    if (path.empty() || path == "-") {
        std::cout << yaml << std::flush;
        return std::cout ? exit_code::kOk : exit_code::kFailure;
    }
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << yaml << std::flush;
    if (file) return exit_code::kOk;
    std::cerr << fmt::format("{}: error: cannot be written: {}\n", path, std::strerror(errno));
    return exit_code::kFailure;
}

void declare(CLI::App& app, Options& options) {
    app.add_option("source", options.source, "where the rules come from")
        ->required()
        ->check(CLI::IsMember({"iptables-save", "ip6tables-save", "nft-json"}));
    app.add_option("file", options.file, "the dump; - is standard input")->capture_default_str();
    app.add_option("--ipv6-file", options.ipv6_file,
                   "output of ip6tables-save, to be brought together with that of iptables-save");
    app.add_option("--ipset-file", options.ipset_file, "output of `ipset save`");
    app.add_option("--interface", options.interfaces, "NAME=DEVICE: what an interface is here");
    app.add_option("--bridge", options.bridges, "NAME=PEER: the ports of a transparent pair");
    app.add_option("--map", options.map_file, "a file with lines of NAME DEVICE [PEER]");
    app.add_option("-o,--output", options.output, "write here instead of standard output");
    app.add_flag("--partial", options.partial, "leave out what cannot be imported, as comments");
    app.add_flag("--keep-unbuilt", options.keep_unbuilt,
                 "write also what a later release will load; `check` names it");
    app.add_flag("--counters", options.counters, "keep [packets:bytes] as comments");
}

}  // namespace

std::vector<std::pair<std::string, std::string>> import_options() {
    CLI::App app;
    Options options;
    declare(app, options);
    std::vector<std::pair<std::string, std::string>> list;
    for (const CLI::Option* option : app.get_options())
        if (!option->get_positional())
            list.emplace_back(option->get_name(false, true), option->get_description());
    return list;
}

int run_import(const std::vector<std::string>& arguments) {
    CLI::App app("Makes a configuration of the rules of iptables or nft.", "rampartctl import");
    Options options;
    declare(app, options);
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
        app.parse(reversed);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? exit_code::kOk : exit_code::kUsage;
    }
    ImportRequest request;
    request.partial = options.partial;
    request.counters = options.counters;
    request.keep_unbuilt = options.keep_unbuilt;
    if (!options.ipv6_file.empty() && options.source != "iptables-save") {
        usage("--ipv6-file goes with iptables-save");
        return exit_code::kUsage;
    }
    if (!read_mappings(options, request.interfaces)) return exit_code::kUsage;
    if (!read_sources(options, request)) return exit_code::kConfiguration;
    const ImportResult result = import_rules(request);
    std::cerr << result.messages;
    if (!result.yaml) return exit_code::kConfiguration;
    return write_result(*result.yaml, options.output);
}

}  // namespace rampart
