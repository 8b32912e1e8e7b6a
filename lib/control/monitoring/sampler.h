// Sampler: takes samples of the running daemon, and keeps what they need of the past.
//
// Its work grows with the number of rules and ports, not with that of flows: these are counted
// aside, by the census. Control thread only.
#pragma once

#include <memory>

#include "config/monitoring_settings.h"
#include "control/monitoring/flow_census.h"
#include "control/monitoring/rate_history.h"
#include "control/monitoring/rule_watch.h"
#include "control/monitoring/sample.h"

namespace rampart {

class Controller;

class Sampler {
  public:
    // `controller` is complete.
    Sampler(const MonitoringSettings& settings, Controller& controller);

    // Every FlowCensus::kTurn_us.
    void turn() { census_.turn(); }
    // After the statistics were sampled.
    void each_second();
    std::shared_ptr<const MonitoringSample> take();

  private:
    bool watches_rules() const noexcept;
    void read_daemon(MonitoringSample& sample) const;
    void read_ports(MonitoringSample& sample) const;
    void read_workers(MonitoringSample& sample) const;
    void read_rules(MonitoringSample& sample);
    void read_busy_rules(MonitoringSample& sample) const;
    void read_tables(MonitoringSample& sample) const;

    const MonitoringSettings& settings_;
    Controller& controller_;
    FlowCensus census_;
    RateHistory history_;
    RuleWatch rules_;
};

}  // namespace rampart
