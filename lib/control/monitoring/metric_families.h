// Metric families: a sample as prometheus-cpp's values, and as the text that Prometheus reads.
//
// Names and labels are stable, dashboards and alerts use them; docs/monitoring.md lists them.
// Counters only grow, whatever is loaded; but for those of rules, which `rampartctl counters reset`
// and `reload.counters: reset` zero. Pure functions of the sample. Any thread.
#pragma once

#include <prometheus/metric_family.h>
#include <string>
#include <vector>

#include "control/monitoring/sample.h"

namespace rampart {

std::vector<prometheus::MetricFamily> metric_families(const MonitoringSample& sample);

// In the text format 0.0.4.
std::string metrics_text(const MonitoringSample& sample);
inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace rampart
