#include "control/flow_export/living_flows.h"

#include <spdlog/spdlog.h>

#include "control/flow_export/flow_exporter.h"
#include "control/flow_list.h"

namespace rampart {

void report_living_flows(FlowExporter& exporter, const std::vector<Worker*>& workers, Now now) {
    FlowCursor cursor(workers);
    FlowEvent event;
    event.kind = JournalKind::Destroy;
    event.time_ns = now.wall_ns;
    for (uint32_t slots = UINT32_MAX; cursor.next(now.tick, slots, event.flow);) {
        event.flow.stop_ns = now.wall_ns;
        exporter.on_event(event);
    }
    const FlowExporter::Counts& counts = exporter.counts();
    if (const uint64_t lost = counts.lost + counts.lost_events; lost != 0)
        spdlog::warn("ipfix: {} records were sent, {} were lost", counts.records, lost);
}

}  // namespace rampart
