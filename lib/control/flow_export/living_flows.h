// What a daemon that stops knows of the flows that live: reported as their end, by force.
//
// Control thread, while the workers may still go on.
#pragma once

#include <vector>

#include "base/clock.h"

namespace rampart {

class FlowExporter;
class Worker;

void report_living_flows(FlowExporter& exporter, const std::vector<Worker*>& workers, Now now);

}  // namespace rampart
