// Status document: a sample as the JSON that the status page shows.
//
// Its form follows the page (page/status.js) and may change with it; programs read the metrics, or
// `rampartctl --json`. Pure function of the sample. Any thread.
#pragma once

#include <string>

#include "control/monitoring/sample.h"

namespace rampart {

std::string status_document(const MonitoringSample& sample);

}  // namespace rampart
