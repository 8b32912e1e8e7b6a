// `stats`: packets and rates of ports, queues and workers, and whether the sums agree.
#include <fmt/format.h>

#include "control/commands/arguments.h"
#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {
namespace {

Json rates_to_json(const Stats& stats) {
    return {{"received", stats.rate(&Totals::received)},
            {"forwarded", stats.rate(&Totals::forwarded)},
            {"dropped", stats.drop_rate()},
            {"flows_new", stats.rate(&Totals::inserted)}};
}

Json to_json(const Totals& totals) {
    return {{"received", totals.received},
            {"forwarded", totals.forwarded},
            {"local", totals.local},
            {"merged", totals.merged},
            {"datagrams", totals.datagrams},
            {"cut", totals.cut},
            {"dropped", totals.dropped()},
            {"generated", totals.generated},
            {"handed_in", totals.handed_in},
            {"handed_out", totals.handed_out},
            {"invalid", totals.invalid_packets()},
            {"flows_inserted", totals.inserted},
            {"flows_expired", totals.expired},
            {"flows_erased", totals.erased},
            {"early_drop", totals.early_drop},
            {"replies_limited", totals.replies_limited}};
}

Json to_json(const PortTotals& totals) {
    return {{"received_packets", totals.received_packets},
            {"received_bytes", totals.received_bytes},
            {"transmitted_packets", totals.transmitted_packets},
            {"transmitted_bytes", totals.transmitted_bytes}};
}

class Report {
  public:
    explicit Report(Controller& controller)
        : controller_(controller), all_(totals_of(controller.datapath().workers())) {
        for (const Worker* worker : controller.datapath().workers())
            workers_.push_back(totals_of(worker->counters()));
    }

    Json json() const {
        Json ports = Json::array();
        for (size_t i = 0; i < controller_.system().devices.size(); ++i) {
            Json port = to_json(all_.port[i]);
            port["name"] = controller_.system().devices[i].name;
            const InterfaceIndex index = static_cast<InterfaceIndex>(i);
            for (size_t worker = 0; worker < workers_.size(); ++worker) {
                Json queue = to_json(workers_[worker].port[i]);
                queue["per_second"] = {
                    {"received", queue_rate(worker, index, &PortTotals::received_packets)},
                    {"transmitted", queue_rate(worker, index, &PortTotals::transmitted_packets)}};
                port["queues"].push_back(std::move(queue));
            }
            ports.push_back(std::move(port));
        }
        Json workers = Json::array();
        for (size_t i = 0; i < workers_.size(); ++i) {
            Json json = to_json(workers_[i]);
            json["in_flight"] = workers_[i].in_flight();
            json["per_second"] = {{"received", worker_rate(i, &Totals::received)},
                                  {"forwarded", worker_rate(i, &Totals::forwarded)}};
            workers.push_back(std::move(json));
        }
        Json json = to_json(all_);
        json["in_flight"] = all_.in_flight();
        json["flows_cut"] = controller_.publisher().flows_cut();
        json["per_second"] = rates_to_json(controller_.stats());
        json["ports"] = std::move(ports);
        json["workers"] = std::move(workers);
        return json;
    }

    std::string text() const {
        return port_lines() + worker_lines() + recheck_line() +
               fmt::format(
                   "\nreceived {} + handed in {} = forwarded {} + local {} + handed out {} + "
                   "merged {} + "
                   "dropped {}{}\n",
                   all_.received, all_.handed_in, all_.forwarded, all_.local, all_.handed_out,
                   all_.merged, all_.dropped(),
                   all_.in_flight() == 0 ? std::string()
                                         : fmt::format(" + in flight {}", all_.in_flight()));
    }

  private:
    // What reloads with `recheck` did; `drops` counts the same flows under `recheck`.
    std::string recheck_line() const {
        const Publisher& publisher = controller_.publisher();
        const uint64_t cut = publisher.flows_cut();
        if (cut == 0) return {};
        const std::string who = describe_flows_cut(publisher);
        return fmt::format("\nflows ended by rechecks {}{}{}\n", cut, who.empty() ? "" : ": ", who);
    }
    double worker_rate(size_t worker, uint64_t Totals::*counter) const {
        return controller_.stats().worker_rate(worker, counter);
    }
    double queue_rate(size_t worker, InterfaceIndex port, uint64_t PortTotals::*counter) const {
        return controller_.stats().queue_rate(worker, port, counter);
    }

    std::string port_lines() const {
        const Stats& stats = controller_.stats();
        std::string text =
            fmt::format("{:<16} {:>5} {:>14} {:>16} {:>14} {:>16} {:>11} {:>11}\n", "port", "queue",
                        "rx packets", "rx bytes", "tx packets", "tx bytes", "rx pkt/s", "tx pkt/s");
        const auto line = [&](std::string_view name, std::string_view queue,
                              const PortTotals& port) {
            text += fmt::format("{:<16} {:>5} {:>14} {:>16} {:>14} {:>16}", name, queue,
                                port.received_packets, port.received_bytes,
                                port.transmitted_packets, port.transmitted_bytes);
        };
        for (size_t i = 0; i < controller_.system().devices.size(); ++i) {
            const InterfaceIndex port = static_cast<InterfaceIndex>(i);
            line(controller_.system().devices[i].name, "all", all_.port[i]);
            text += fmt::format(" {:>11.0f} {:>11.0f}\n",
                                stats.port_rate(port, &PortTotals::received_packets),
                                stats.port_rate(port, &PortTotals::transmitted_packets));
            for (size_t worker = 0; workers_.size() > 1 && worker < workers_.size(); ++worker) {
                line("", std::to_string(worker), workers_[worker].port[i]);
                text += fmt::format(" {:>11.0f} {:>11.0f}\n",
                                    queue_rate(worker, port, &PortTotals::received_packets),
                                    queue_rate(worker, port, &PortTotals::transmitted_packets));
            }
        }
        return text;
    }

    std::string worker_lines() const {
        std::string text =
            fmt::format("\n{:<8} {:>14} {:>14} {:>14} {:>12} {:>12} {:>10} {:>11} {:>11}\n",
                        "worker", "received", "forwarded", "dropped", "handed in", "handed out",
                        "flows new", "rx pkt/s", "fwd pkt/s");
        for (size_t i = 0; i < workers_.size(); ++i) {
            const Totals& worker = workers_[i];
            text +=
                fmt::format("{:<8} {:>14} {:>14} {:>14} {:>12} {:>12} {:>10} {:>11.0f} {:>11.0f}\n",
                            i, worker.received, worker.forwarded, worker.dropped(),
                            worker.handed_in, worker.handed_out, worker.inserted,
                            worker_rate(i, &Totals::received), worker_rate(i, &Totals::forwarded));
        }
        const Stats& stats = controller_.stats();
        return text + fmt::format(
                          "per second: received {:.0f}, forwarded {:.0f}, dropped {:.0f}, "
                          "new flows {:.0f}\n",
                          stats.rate(&Totals::received), stats.rate(&Totals::forwarded),
                          stats.drop_rate(), stats.rate(&Totals::inserted));
    }

    Controller& controller_;
    Totals all_;
    std::vector<Totals> workers_;
};

}  // namespace

CommandOutput run_stats(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("Packets and rates of ports, queues and workers.");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    const Report report(controller);
    CommandOutput output;
    if (request.json)
        output.result = report.json();
    else
        output.out = report.text();
    return output;
}

}  // namespace rampart
