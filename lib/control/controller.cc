#include "control/controller.h"

#include <chrono>
#include <csignal>
#include <ctime>
#include <future>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "control/capture_feed.h"
#include "control/commands/registry.h"
#include "control/confinement.h"
#include "control/control_calls.h"
#include "control/flow_export/living_flows.h"
#include "control/link_watch.h"
#include "control/memory_lock.h"
#include "control/own_connection.h"
#include "control/telemetry.h"

namespace rampart {
namespace {

constexpr uint32_t kActivation_ms = 2000;
constexpr uint64_t kDeadlineTurn_us = 50'000;
constexpr std::string_view kNeedsRestart = "E031";
constexpr std::string_view kNoLog = "E032", kNoMemory = "E033";

uint64_t wall_clock_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

void report_fixed_settings(const SystemSettings& running, uint32_t running_max_flows,
                           const Configuration& wanted, Diagnostics& diagnostics) {
    const SystemSettings& system = wanted.system;
    const auto report = [&](bool is_same, std::string_view what) {
        if (is_same) return;
        diagnostics.error(
            kNeedsRestart, {},
            fmt::format("{} cannot change while the daemon runs: this needs a restart", what),
            "restart rampartd with this file, or keep that part as it is");
    };
    report(system.devices == running.devices,
           "'interfaces' (names, devices, queues, mtu, twins, VLANs)");
    report(system.cores == running.cores, "'cores'");
    report(system.memory == running.memory, "'memory'");
    report(system.control == running.control, "'control'");
    report(system.monitoring == running.monitoring, "'monitoring'");
    report(system.eal == running.eal, "'eal'");
    report(system.ipfix == running.ipfix, "'ipfix'");
    report(wanted.snapshot->conntrack.max == running_max_flows, "'conntrack.max'");
    report(system.key_index == running.key_index, "'conntrack.index'");
    report(system.has_counters == running.has_counters, "'conntrack.counters'");
    report(system.tracks_ipv6 == running.tracks_ipv6, "'conntrack.ipv6'");
}

Controller::Controller(Eal& eal) : eal_(eal) {}

Result<std::unique_ptr<Controller>> Controller::start(Eal& eal, Options options) {
    std::unique_ptr<Controller> controller(new Controller(eal));
    if (const auto up = controller->bring_up(std::move(options)); !up) {
        controller->stop();
        return tl::unexpected<Error>(up.error());
    }
    return controller;
}

Result<void> Controller::bring_up(Options options) {
    auto loop = EventLoop::create();
    if (!loop) return tl::unexpected<Error>(loop.error());
    loop_ = std::move(*loop);
    system_ = std::move(options.configuration.system);
    config_path_ = options.startup.config_path;
    // First of all, so that a second daemon ends before it touches the devices of the first.
    // Clients that connect now are served when run() begins.
    if (const auto opened = open_server(options.socket); !opened) return opened;
    const Confinement confinement(system_);
    const auto confine = [confinement] { confinement.drop_own_capabilities(); };
    if (system_.monitoring.is_on()) {
        auto monitoring = Monitoring::open(
            system_.monitoring, *loop_, [confinement] { confinement.drop_all_own_capabilities(); });
        if (!monitoring) return tl::unexpected<Error>(monitoring.error());
        monitoring_ = std::move(*monitoring);
    }
    std::unique_ptr<Snapshot> snapshot = std::move(options.configuration.snapshot);
    auto log = LogDestination::open(snapshot->logging.rules);
    if (!log) return tl::unexpected<Error>(log.error());
    max_flows_ = snapshot->conntrack.max;
    auto datapath = Datapath::create(system_, options.plan, max_flows_, clock_);
    if (!datapath) return tl::unexpected<Error>(datapath.error());
    datapath_ = std::move(*datapath);
    publisher_ = std::make_unique<Publisher>(datapath_->workers(), &clock_);
    sets_ = std::make_unique<SetKeeper>(datapath_->workers(), *publisher_);
    rules_ = std::make_unique<RuleEditor>(*publisher_, [this](std::unique_ptr<Snapshot> next) {
        return publish(std::move(next), {});
    });
    ager_ = std::make_unique<Ager>(datapath_->workers());
    fill_watch_ = std::make_unique<FillWatch>(datapath_->workers());
    kernel_watch_ = std::make_unique<KernelWatch>(datapath_->kernel_path(), system_);
    masquerade_watch_ =
        std::make_unique<MasqueradeWatch>(datapath_->kernel_path(), datapath_->workers());
    nat_pools_ = std::make_unique<NatPools>(datapath_->workers());
    port_watch_ = std::make_unique<PortWatch>(datapath_->reserved_ports(),
                                              datapath_->kernel_path() != nullptr);
    port_watch_->each_second();
    stats_ = std::make_unique<Stats>(datapath_->workers());
    events_ = std::make_unique<EventFeed>(*loop_, datapath_->workers());
    if (system_.ipfix)
        flow_exporter_ = std::make_unique<FlowExporter>(*events_, *loop_, *system_.ipfix);
    rule_log_ = std::make_unique<RuleLogFeed>(*loop_, datapath_->workers());
    traces_ = std::make_unique<TraceFeed>(*loop_, datapath_->workers());
    captures_ = std::make_unique<CaptureFeed>(*loop_, datapath_->workers());
    if (const auto ready = datapath_->get_ready_for(snapshot->conntrack); !ready) return ready;
    hand_out(std::move(snapshot));
    set_wall_clock();
    follow_logging(std::move(*log));
    if (const auto launched = datapath_->launch(eal_, confine); !launched) return launched;
    masquerade_watch_->each_second();
    if (!publisher_->wait_until_active(kActivation_ms))
        return failure("the workers did not take up the configuration in time",
                       "other programs may be keeping their CPUs busy");
    worker_guard_ = std::make_unique<WorkerGuard>(*loop_, *datapath_);
    transaction_ = std::make_unique<ConfigTransaction>(
        static_cast<Host&>(*this), std::move(options.store), std::move(options.why_no_store));
    transaction_->begin(std::move(options.startup));
    if (monitoring_ != nullptr) monitoring_->begin(*this);
    start_timers();
    auto calls = ControlCalls::open(*loop_);
    if (!calls) return tl::unexpected<Error>(calls.error());
    calls_ = std::move(*calls);
    telemetry_ = std::make_unique<Telemetry>(*calls_, *this);
    if (const auto locked = lock_memory(); !locked)
        spdlog::warn("{}; {}", locked.error().message, locked.error().hint);
    confinement.complete();
    return {};
}

Result<void> Controller::open_server(const std::string& socket) {
    ControlSettings control = system_.control;
    if (!socket.empty()) control.socket = socket;
    auto server = ApiServer::open(
        *loop_, control, [this](const ApiRequest& request) { return run_command(request, *this); });
    if (!server) return tl::unexpected<Error>(server.error());
    server_ = std::move(*server);
    return {};
}

void Controller::start_timers() {
    ageing_ = loop_->every(Ager::kTurn_us, [this] {
        age();
        rules_->turn();
    });
    deadline_ = loop_->every(kDeadlineTurn_us, [this] { transaction_->tick(); });
    sampling_ = loop_->every(Stats::kPeriod_us,
                             [this, links = std::make_shared<LinkWatch>(datapath_->ports())] {
                                 each_second();
                                 links->look();
                             });
    terminate_ = loop_->on_signal(SIGTERM, [this] { loop_->stop(); });
    interrupt_ = loop_->on_signal(SIGINT, [this] { loop_->stop(); });
    hang_up_ = loop_->on_signal(SIGHUP, [this] {
        sd_notify(0, "RELOADING=1");
        const CommandOutput output = reload({.who = "SIGHUP"});
        if (output.exit == exit_code::kOk)
            spdlog::info("reload: the file was read again");
        else
            spdlog::error("reload failed:\n{}", output.err);
        sd_notify(0, "READY=1");
    });
}

Now Controller::now() const noexcept {
    Now now = clock_.now();
    now.wall_ns = wall_clock_ns();
    return now;
}

void Controller::set_wall_clock() {
    const uint64_t offset = wall_clock_ns() - clock_.now().ns;
    for (Worker* worker : datapath_->workers())
        worker->set_wall_offset(offset);
}

// What the current configuration says about the log.
void Controller::follow_logging(std::unique_ptr<LogDestination> rule_log) {
    const Snapshot& snapshot = publisher_->current();
    std::vector<std::string> names;
    for (const Interface& interface : snapshot.ruleset.names.interfaces)
        names.push_back(interface.name);
    events_->log_invalid(snapshot.logging.invalid_per_s != 0, std::move(names));
    rule_log_->follow(snapshot, std::move(rule_log));
}

void Controller::each_second() {
    set_wall_clock();
    stats_->sample(clock_.now().ns);
    fill_watch_->look(publisher_->current().conntrack, clock_.now().ns);
    rule_log_->tell_suppressed(publisher_->current(), /*at_once=*/false);
    publisher_->collect();
    kernel_watch_->each_second();
    masquerade_watch_->each_second();
    nat_pools_->look();
    port_watch_->each_second();
    recheck_watch_.look(*publisher_);
    if (monitoring_ != nullptr) monitoring_->each_second();
    Confinement::each_second();
    sd_notifyf(0, "STATUS=generation %u, %zu ports, %llu flows, %.2f Mpps",
               publisher_->current().generation, datapath_->ports().size(),
               static_cast<unsigned long long>(datapath_->flow_count()),
               stats_->rate(&Totals::received) / 1e6);
}

void Controller::run() {
    sd_notify(0, "READY=1");
    loop_->run();
    sd_notify(0, "STOPPING=1");
    if (flow_exporter_ != nullptr) {
        events_->turn();  // what has ended by itself comes first
        report_living_flows(*flow_exporter_, datapath_->workers(), now());
    }
    stop();
}

void Controller::stop() {
    server_.reset();
    telemetry_.reset();
    if (calls_ != nullptr) calls_->close();
    monitoring_.reset();
    if (datapath_ != nullptr) datapath_->stop(eal_);
}

Controller::~Controller() {
    stop();
}

CommandOutput Controller::reload(ChangeRequest request) {
    Diagnostics diagnostics;
    auto sources = read_source_texts(config_path_, diagnostics);
    if (!sources) {
        transaction_->note_unreadable("reload", request.who, config_path_);
        return CommandOutput::failed(
            exit_code::kConfiguration,
            diagnostics.to_text() + diagnostics.summary() + "; configuration not changed\n");
    }
    request.sources = std::move(*sources);
    request.how = "reload";
    return transaction_->apply(std::move(request));
}

std::optional<Configuration> Controller::load_aside(const SourceTexts& sources,
                                                    Diagnostics& diagnostics) {
    auto loading = std::async(std::launch::async, [&sources, &diagnostics] {
        return load_configuration(sources, diagnostics);
    });
    while (loading.wait_for(std::chrono::microseconds(Ager::kTurn_us)) !=
           std::future_status::ready) {
        age();
        worker_guard_->look();
        worker_guard_->feed_watchdog();
    }
    return loading.get();
}

void Controller::age() {
    ager_->turn(clock_.now().tick);
    sets_->turn(clock_.now());
    masquerade_watch_->turn(clock_.now().tick);
}

std::optional<Configuration> Controller::load(const SourceTexts& sources,
                                              Diagnostics& diagnostics) {
    auto configuration = load_aside(sources, diagnostics);
    if (!configuration) return configuration;
    report_fixed_settings(system_, max_flows_, *configuration, diagnostics);
    if (diagnostics.has_errors()) return configuration;
    next_rule_log_ = open_rule_log(*configuration, diagnostics);
    if (const auto ready = datapath_->get_ready_for(configuration->snapshot->conntrack); !ready)
        diagnostics.error(kNoMemory, {}, ready.error().message, ready.error().hint);
    return configuration;
}

// Null: the present log stays as it is, or something was reported.
std::unique_ptr<LogDestination> Controller::open_rule_log(const Configuration& wanted,
                                                          Diagnostics& diagnostics) const {
    const RuleLogSettings& settings = wanted.snapshot->logging.rules;
    if (settings == publisher_->current().logging.rules) return nullptr;
    auto log = LogDestination::open(settings);
    if (log) return std::move(*log);
    diagnostics.error(kNoLog, {}, log.error().message, log.error().hint);
    return nullptr;
}

Published Controller::publish(Configuration configuration) {
    kernel_watch_->follow(configuration.system.devices);
    return publish(std::move(configuration.snapshot), std::move(next_rule_log_));
}

uint32_t Controller::hand_out(std::unique_ptr<Snapshot> snapshot) {
    nat_pools_->attach(*snapshot);
    port_watch_->follow(snapshot->ruleset);
    captures_->follow(*snapshot);
    return publisher_->publish(std::move(snapshot));
}

Published Controller::publish(std::unique_ptr<Snapshot> snapshot,
                              std::unique_ptr<LogDestination> rule_log) {
    Published published;
    rule_log_->tell_suppressed(publisher_->current(), /*at_once=*/true);
    published.generation = hand_out(std::move(snapshot));
    published.workers = datapath_->workers().size();
    follow_logging(std::move(rule_log));
    published.is_active = publisher_->wait_until_active(kActivation_ms);
    return published;
}

void Controller::warn(const Configuration& configuration, const ChangeRequest& request,
                      Diagnostics& diagnostics) {
    if (rules_->changes() != 0)
        diagnostics.warning("W122", {},
                            fmt::format("{} rules were added or removed at run time; that ends "
                                        "with this configuration",
                                        rules_->changes()),
                            "what is to stay goes into the file");
    warn_about_own_connection(*configuration.snapshot, request, datapath_->workers(),
                              clock_.now().tick, diagnostics);
}

std::string Controller::config_hash() {
    Diagnostics ignored;
    const auto sources = read_source_texts(config_path_, ignored);
    return sources ? hash_of(*sources) : std::string();
}

}  // namespace rampart
