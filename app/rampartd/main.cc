// rampartd: the firewall's daemon. Options -> configuration -> EAL -> controller -> orderly stop.
//
// Exit status: 0 ended as asked, 1 the environment does not allow it, 2 bad usage, 4 the
// configuration has errors.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/systemd_sink.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "config/loader.h"
#include "control/commands/describe.h"
#include "control/controller.h"
#include "control/doctor/doctor.h"
#include "control/eal_arguments.h"
#include "control/machine_check.h"
#include "manual/program_page.h"

namespace {

using namespace rampart;

struct Options {
    std::string config = "/etc/rampart/rampart.yaml";
    std::string socket;
    std::string state;
    bool check = false;
    bool man = false;
    bool command_words = false;
};

// rampartd(8).
void print_manual(const CLI::App& app) {
    Page page("rampartd", 8, "the daemon of the Rampart firewall");
    page.heading("Synopsis");
    page.item("rampartd", "[OPTIONS]", "");
    page.heading("Description");
    page.paragraph(
        "Takes over the network ports that its configuration names and passes packets between them "
        "as the rules say, until SIGTERM or SIGINT. SIGHUP reads the configuration again. Needs "
        "root or the capabilities and device permissions that DPDK asks for.");
    add_options(page, app);
    page.heading("Exit status");
    page.item("0", "", "Ended as asked; --check: no errors.");
    page.item("1", "", "The environment does not allow it.");
    page.item("2", "", "Wrong usage.");
    page.item("4", "", "The configuration has errors.");
    page.heading("See also");
    page.paragraph("rampartctl(8), rampart.yaml(5)");
    fmt::print("{}", page.text());
}

// systemd names the stream that it connected stderr with (systemd.exec(5), $JOURNAL_STREAM).
bool is_stderr_the_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat stderr_file {};
    return stream != nullptr && fstat(STDERR_FILENO, &stderr_file) == 0 &&
           fmt::format("{}:{}", stderr_file.st_dev, stderr_file.st_ino) == stream;
}

// Lines for people, before there is anything to log. The journal takes their priority from a prefix
// (sd-daemon(3)).
void print_lines(std::string_view text, const char* priority) {
    const bool has_prefix = is_stderr_the_journal();
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find('\n', at), text.size());
        fmt::print(stderr, "{}{}\n", has_prefix ? priority : "", text.substr(at, end - at));
        at = end + 1;
    }
}

int report(const Error& error) {
    print_lines(fmt::format("rampartd: {}\n", error.message), SD_ERR);
    if (!error.hint.empty()) print_lines(fmt::format("    hint: {}\n", error.hint), SD_ERR);
    return exit_code::kFailure;
}

// With what the machine lacks, as it was before DPDK took its part of it.
int report(const Error& error, const std::string& failed_checks) {
    const int status = report(error);
    if (!failed_checks.empty())
        print_lines(failed_checks + "    `rampartctl doctor FILE` shows all checks\n", SD_ERR);
    return status;
}

// The journal has the time by itself, and wants to know how grave a message is.
void open_log() {
    if (is_stderr_the_journal()) {
        spdlog::set_default_logger(spdlog::systemd_logger_mt("rampartd", "rampartd"));
        return;
    }
    spdlog::set_default_logger(spdlog::stderr_logger_mt("rampartd"));
    spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
}

// Signals are taken by the event loop; all threads, DPDK's included, inherit this mask.
void block_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

void print_eal_line(const EalPlan& plan) {
    std::string line = "EAL: rampartd";
    for (const std::string& word : plan.arguments)
        line += " " + word;
    spdlog::info("{}", line);
    if (!plan.uses_hugepages)
        spdlog::info("memory: {} MiB of ordinary pages; hugepages are faster",
                     plan.memory_bytes >> 20);
}

struct Beginning {
    Startup startup;
    Configuration configuration;
    std::unique_ptr<ConfigStore> store;
    std::string why_no_store;
};

// As far as the configuration was loaded: does this machine have what it needs? What another daemon
// holds of it counts for a check, not for a start.
void check_machine(const std::optional<Configuration>& configuration, bool is_check,
                   Diagnostics& diagnostics) {
    if (!configuration) return;
    const MachineFacts machine = read_machine_facts();
    check_machine(configuration->system, configuration->snapshot->conntrack.max, machine,
                  is_check ? machine.all_hugepage_bytes : machine.free_hugepage_bytes, diagnostics);
}

// Reads the file, and what the store says about it. Nothing: the file has errors, which were told.
std::optional<Beginning> begin(const Options& options) {
    Diagnostics diagnostics;
    auto file = read_source_texts(options.config, diagnostics);
    auto configuration =
        file ? load_configuration(*file, diagnostics) : std::optional<Configuration>();
    check_machine(configuration, options.check, diagnostics);
    const std::string summary = diagnostics.summary();
    print_lines(diagnostics.to_text() + summary, diagnostics.has_errors() ? SD_ERR : SD_WARNING);
    if (!configuration || diagnostics.has_errors()) return std::nullopt;
    Beginning beginning;
    beginning.configuration = std::move(*configuration);
    if (options.check) return beginning;
    const std::string& path =
        options.state.empty() ? beginning.configuration.system.control.state : options.state;
    auto store = ConfigStore::open(path);
    if (store)
        beginning.store = std::move(*store);
    else
        beginning.why_no_store = store.error().message;
    SourceTexts plain = *file;
    beginning.startup = choose_startup(beginning.store.get(), std::move(*file), moment_now());
    if (beginning.startup.entry == 0) return beginning;
    Diagnostics problems;
    auto stored = load_configuration(beginning.startup.sources, problems);
    check_machine(stored, options.check, problems);
    if (stored && !problems.has_errors()) {
        beginning.configuration = std::move(*stored);
        return beginning;
    }
    beginning.startup.remark =
        "the stored configuration has errors by now, the file is used:\n" + problems.to_text();
    beginning.startup.sources = std::move(plain);
    beginning.startup.entry = 0;
    beginning.startup.pending.reset();
    return beginning;
}

int run(const Options& options, Beginning beginning) {
    Configuration& configuration = beginning.configuration;
    const auto plan =
        plan_eal(configuration.system, configuration.snapshot->conntrack.max, read_machine_facts());
    const std::string lacks = failed_checks(configuration);
    if (!plan) return report(plan.error(), lacks);
    print_eal_line(*plan);
    block_signals();
    const auto eal = Eal::start(plan->arguments);
    if (!eal) return report(eal.error(), lacks);
    auto controller = Controller::start(
        **eal, {std::move(configuration), std::move(beginning.startup), std::move(beginning.store),
                std::move(beginning.why_no_store), options.socket, *plan});
    if (!controller) return report(controller.error(), lacks);
    fmt::print("ready\n");
    std::fflush(stdout);
    (*controller)->run();
    spdlog::info("stopped");
    return exit_code::kOk;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app("The Rampart firewall.");
    app.add_option("-c,--config", options.config, "the configuration file")->capture_default_str();
    app.add_option("--socket", options.socket, "control socket, instead of control.socket");
    app.add_option("--state", options.state,
                   "directory of the configurations' history, instead of control.state");
    app.add_flag("--check", options.check,
                 "only check the configuration, and whether this machine can run it");
    // For scripts/gen-docs.sh.
    app.add_flag("--man", options.man)->group("");
    app.add_flag("--command-words", options.command_words)->group("");
    app.set_version_flag("-V,--version", "rampartd " RAMPART_VERSION);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? exit_code::kOk : exit_code::kUsage;
    }
    if (options.command_words) {
        fmt::print("{}", render_command_words());
        return exit_code::kOk;
    }
    if (options.man) {
        print_manual(app);
        return exit_code::kOk;
    }
    open_log();

    auto beginning = begin(options);
    if (!beginning) return exit_code::kConfiguration;
    if (options.check) return exit_code::kOk;
    return run(options, std::move(*beginning));
}
