// `workers`: the poll-mode threads.
#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {

CommandOutput run_workers(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("The poll-mode threads: CPU, load, flows, hand-over.");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    Datapath& datapath = controller.datapath();
    CommandOutput output;
    output.result = {{"workers", Json::array()}};
    output.out = fmt::format("{:<7} {:>4} {:>7} {:>10} {:>10} {:>14} {:>12} {:>12}\n", "worker",
                             "cpu", "busy", "flows", "room", "received", "handed in", "handed out");
    for (const Worker* worker : datapath.workers()) {
        const uint16_t i = worker->index();
        const Totals totals = totals_of(worker->counters());
        const double busy = controller.stats().busy_ratio(i);
        output.result["workers"].push_back({{"worker", i},
                                            {"cpu", datapath.worker_cpus()[i]},
                                            {"busy_ratio", busy},
                                            {"generation", worker->seen_generation()},
                                            {"flows", worker->flows().count()},
                                            {"flows_max", worker->flows().capacity()},
                                            {"loops", totals.loops},
                                            {"received", totals.received},
                                            {"handed_in", totals.handed_in},
                                            {"handed_out", totals.handed_out}});
        output.out += fmt::format("{:<7} {:>4} {:>6.1f}% {:>10} {:>10} {:>14} {:>12} {:>12}\n", i,
                                  datapath.worker_cpus()[i], busy * 100, worker->flows().count(),
                                  worker->flows().capacity(), totals.received, totals.handed_in,
                                  totals.handed_out);
    }
    return output;
}

}  // namespace rampart
