#include "options.h"

#include <filesystem>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "control/api_protocol.h"
#include "dataplane/burst.h"
#include "manual/program_page.h"

namespace rampart {
namespace {

// Devices such as /dev/null may be used twice.
bool is_same_file(const std::string& left, const std::string& right) {
    std::error_code ignored;
    const bool exists = std::filesystem::exists(left, ignored);
    if (exists != std::filesystem::exists(right, ignored)) return false;
    if (exists)
        return std::filesystem::is_regular_file(left, ignored) &&
               std::filesystem::equivalent(left, right, ignored);
    return std::filesystem::weakly_canonical(left, ignored) ==
           std::filesystem::weakly_canonical(right, ignored);
}

// rampart-replay(8).
void print_manual(const CLI::App& app) {
    Page page("rampart-replay", 8, "captured packets through the Rampart firewall");
    page.heading("Synopsis");
    page.item("rampart-replay", "-c FILE [OPTIONS] IN OUT", "");
    page.heading("Description");
    page.paragraph(
        "Runs the packets of the capture file IN through the packet path with the rules of FILE, "
        "at the times of the capture, and writes what comes out to OUT. It needs neither ports nor "
        "privileges.");
    add_options(page, app);
    page.heading("Exit status");
    page.item("0", "", "Done.");
    page.item("1", "", "A file or the environment failed.");
    page.item("2", "", "Wrong usage.");
    page.item("4", "", "The configuration has errors.");
    page.heading("See also");
    page.paragraph("rampartd(8), rampartctl(8), rampart.yaml(5)");
    fmt::print("{}", page.text());
}

}  // namespace

std::optional<Options> parse_options(int argc, char** argv, int& exit_status) {
    Options options;
    CLI::App app("Runs the packets of a capture file through the firewall, at their own times.");
    app.add_option("in", options.in, "capture file to read (pcap, pcapng)")
        ->type_name("IN")
        ->required();
    app.add_option("out", options.out, "capture file to write: forwarded packets and replies")
        ->type_name("OUT")
        ->required();
    app.add_option("-c,--config", options.config, "the configuration file")
        ->type_name("FILE")
        ->required();
    app.add_option("--from", options.from, "interface that packets enter by; default: the first")
        ->type_name("IFACE");
    app.add_option("--source", options.sources,
                   "packets with these source addresses enter by IFACE; may be repeated, the first "
                   "that fits decides")
        ->type_name("PREFIX=IFACE")
        ->allow_extra_args(false);
    app.add_option("--burst", options.burst, "packets that are processed together")
        ->type_name("N")
        ->check(CLI::Range(1u, kBurstSize))
        ->capture_default_str();
    app.add_flag("--verdicts", options.verdicts, "print a line for each packet");
    app.add_option("--flows", options.flows,
                   "write the connections that are left at the end, as `conntrack -L`; - is the "
                   "standard output")
        ->type_name("FILE");
    app.add_flag("-j,--json", options.json, "verdicts and flows as JSON lines; implies --verdicts");
    app.set_version_flag("-V,--version", "rampart-replay " RAMPART_VERSION);
    // For scripts/gen-docs.sh; without the files that are required otherwise.
    const auto manual = [&app] {
        print_manual(app);
        throw CLI::Success();
    };
    app.add_flag_callback("--man", manual)->trigger_on_parse()->group("");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        exit_status = app.exit(problem) == 0 ? exit_code::kOk : exit_code::kUsage;
        return std::nullopt;
    }
    options.verdicts |= options.json;
    return options;
}

Result<void> check_paths(const Options& options) {
    std::vector<std::pair<const std::string*, const std::string*>> pairs{
        {&options.in, &options.out}, {&options.config, &options.out}};
    if (!options.flows.empty() && options.flows != "-")
        for (const std::string* other : {&options.in, &options.config, &options.out})
            pairs.emplace_back(other, &options.flows);
    for (const auto& [first, second] : pairs) {
        if (is_same_file(*first, *second))
            return failure(fmt::format("{} and {} are the same file", *first, *second),
                           "write to another file");
    }
    return {};
}

}  // namespace rampart
