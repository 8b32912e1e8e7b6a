// Controller: the running daemon as its control thread sees it.
//
// Owns the datapath, the snapshots and everything periodic: ageing, statistics, the control socket,
// signals. Built by app/rampartd once EAL is up; run() returns after SIGTERM or SIGINT, with
// workers and ports stopped. Commands (control/commands/) get a reference and use the accessors.
// Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/loader.h"
#include "control/ager.h"
#include "control/api_server.h"
#include "control/config_transaction.h"
#include "control/datapath.h"
#include "control/eal_arguments.h"
#include "control/event_feed.h"
#include "control/event_loop.h"
#include "control/fill_watch.h"
#include "control/flow_export/flow_exporter.h"
#include "control/kernel_watch.h"
#include "control/masquerade_watch.h"
#include "control/monitoring/monitoring.h"
#include "control/nat_pools.h"
#include "control/port_watch.h"
#include "control/publisher.h"
#include "control/recheck_watch.h"
#include "control/rule_editor.h"
#include "control/rule_log_feed.h"
#include "control/set_keeper.h"
#include "control/stats.h"
#include "control/trace_feed.h"
#include "control/worker_guard.h"

namespace rampart {

class CaptureFeed;
class ControlCalls;
class Telemetry;

class Controller : private ConfigTransaction::Host {
  public:
    struct Options {
        Configuration configuration;
        Startup startup;                     // what `configuration` was loaded from
        std::unique_ptr<ConfigStore> store;  // may be null
        std::string why_no_store;
        std::string socket;  // where to listen; overrides control.socket when not empty
        EalPlan plan;
    };

    // Ports are up and the rules are active when this succeeds.
    static Result<std::unique_ptr<Controller>> start(Eal& eal, Options options);
    ~Controller() override;
    Controller(const Controller&) = delete;
    Controller& operator=(const Controller&) = delete;

    // Serves until a signal asks for the end.
    void run();

    // Every change of the configuration goes through it.
    ConfigTransaction& transaction() noexcept { return *transaction_; }
    // Applies the file of --config again.
    CommandOutput reload(ChangeRequest request);

    // As load_configuration(), but flows and sets age meanwhile: a long file takes seconds.
    std::optional<Configuration> load_aside(const SourceTexts& sources, Diagnostics& diagnostics);
    // As Publisher::reset_counts().
    bool reset_counters(const std::vector<RuleIndex>& indices) {
        return publisher_->reset_counts(indices);
    }

    Datapath& datapath() noexcept { return *datapath_; }
    EventFeed& events() noexcept { return *events_; }
    TraceFeed& traces() noexcept { return *traces_; }
    CaptureFeed& captures() noexcept { return *captures_; }
    // For other threads that need something of what is here.
    ControlCalls& calls() noexcept { return *calls_; }
    SetKeeper& sets() noexcept { return *sets_; }
    RuleEditor& rules() noexcept { return *rules_; }
    const Publisher& publisher() const noexcept { return *publisher_; }
    const FillWatch& fill_watch() const noexcept { return *fill_watch_; }
    const Stats& stats() const noexcept { return *stats_; }
    const WorkerGuard& worker_guard() const noexcept { return *worker_guard_; }
    const NatPools& nat_pools() const noexcept { return *nat_pools_; }
    // Null: no flows are exported.
    const FlowExporter* flow_exporter() const noexcept { return flow_exporter_.get(); }
    const PortWatch& port_watch() const noexcept { return *port_watch_; }
    const SystemSettings& system() const noexcept { return system_; }
    const std::string& config_path() const noexcept { return config_path_; }
    Now now() const noexcept;  // wall_ns read from the system
    bool is_ready() const noexcept { return publisher_->is_active(); }

  private:
    explicit Controller(Eal& eal);
    Result<void> bring_up(Options options);
    // ConfigTransaction::Host
    std::optional<Configuration> load(const SourceTexts& sources,
                                      Diagnostics& diagnostics) override;
    Published publish(Configuration configuration) override;
    // `rule_log`: where its rules log to; null: as before.
    Published publish(std::unique_ptr<Snapshot> snapshot, std::unique_ptr<LogDestination> rule_log);
    void warn(const Configuration& configuration, const ChangeRequest& request,
              Diagnostics& diagnostics) override;
    std::string config_hash() override;
    Moment now_on_both_clocks() override { return moment_now(); }
    void age();
    Result<void> open_server(const std::string& socket);
    void start_timers();
    void stop();
    // What goes with a snapshot; then it is published.
    uint32_t hand_out(std::unique_ptr<Snapshot> snapshot);
    void each_second();
    void set_wall_clock();
    void follow_logging(std::unique_ptr<LogDestination> rule_log);
    std::unique_ptr<LogDestination> open_rule_log(const Configuration& wanted,
                                                  Diagnostics& diagnostics) const;

    Eal& eal_;
    SystemSettings system_;
    uint32_t max_flows_ = 0;
    std::string config_path_;
    TscClock clock_ = TscClock::start_now();
    // The loop goes last, the sources before what they call.
    std::unique_ptr<EventLoop> loop_;
    std::unique_ptr<Datapath> datapath_;
    std::unique_ptr<Publisher> publisher_;
    std::unique_ptr<SetKeeper> sets_;
    std::unique_ptr<RuleEditor> rules_;
    std::unique_ptr<Ager> ager_;
    std::unique_ptr<FillWatch> fill_watch_;
    std::unique_ptr<KernelWatch> kernel_watch_;
    std::unique_ptr<MasqueradeWatch> masquerade_watch_;
    std::unique_ptr<NatPools> nat_pools_;
    std::unique_ptr<PortWatch> port_watch_;
    RecheckWatch recheck_watch_;
    std::unique_ptr<Stats> stats_;
    std::unique_ptr<EventFeed> events_;
    std::unique_ptr<FlowExporter> flow_exporter_;
    std::unique_ptr<RuleLogFeed> rule_log_;
    std::unique_ptr<LogDestination> next_rule_log_;  // of what was loaded last; null: the present
    std::unique_ptr<TraceFeed> traces_;
    std::unique_ptr<CaptureFeed> captures_;
    std::unique_ptr<WorkerGuard> worker_guard_;
    std::unique_ptr<ApiServer> server_;
    std::unique_ptr<ControlCalls> calls_;
    std::unique_ptr<Telemetry> telemetry_;
    std::unique_ptr<ConfigTransaction> transaction_;
    std::unique_ptr<Monitoring> monitoring_;  // null: nothing is to be told
    EventLoop::Source ageing_;
    EventLoop::Source deadline_;
    EventLoop::Source sampling_;
    EventLoop::Source terminate_;
    EventLoop::Source interrupt_;
    EventLoop::Source hang_up_;
};

// What of `wanted` cannot change while the daemon runs: reported as errors at the file's name.
void report_fixed_settings(const SystemSettings& running, uint32_t running_max_flows,
                           const Configuration& wanted, Diagnostics& diagnostics);

}  // namespace rampart
