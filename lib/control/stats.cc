#include "control/stats.h"

#include <numeric>

#include "dataplane/worker.h"

namespace rampart {

Totals& Totals::operator+=(const WorkerCounters& counters) noexcept {
    for (size_t i = 0; i < port.size(); ++i) {
        port[i].received_packets += counters.port[i].received_packets.load();
        port[i].received_bytes += counters.port[i].received_bytes.load();
        port[i].transmitted_packets += counters.port[i].transmitted_packets.load();
        port[i].transmitted_bytes += counters.port[i].transmitted_bytes.load();
        port[i].transmit_dropped += counters.port[i].transmit_dropped.load();
    }
    received += counters.received.load();
    forwarded += counters.forwarded.load();
    local += counters.local.load();
    merged += counters.merged.load();
    datagrams += counters.datagrams.load();
    cut += counters.cut.load();
    generated += counters.generated.load();
    handed_in += counters.handed_in.load();
    handed_out += counters.handed_out.load();
    for (size_t i = 0; i < drops.size(); ++i)
        drops[i] += counters.drops[i].load();
    for (size_t i = 0; i < invalid.size(); ++i)
        invalid[i] += counters.invalid[i].load();
    inserted += counters.inserted.load();
    expired += counters.expired.load();
    erased += counters.erased.load();
    early_drop += counters.early_drop.load();
    icmp_error += counters.icmp_error.load();
    replies_limited += counters.replies_limited.load();
    loops += counters.loops.load();
    busy_cycles += counters.busy_cycles.load();
    idle_cycles += counters.idle_cycles.load();
    return *this;
}

uint64_t Totals::dropped() const noexcept {
    return std::accumulate(drops.begin(), drops.end(), uint64_t{0});
}

uint64_t Totals::invalid_packets() const noexcept {
    return std::accumulate(invalid.begin(), invalid.end(), uint64_t{0});
}

int64_t Totals::in_flight() const noexcept {
    return static_cast<int64_t>(received + handed_in - forwarded - local - handed_out - merged -
                                dropped());
}

ConntrackTotals conntrack_totals(const Totals& totals) noexcept {
    const auto drops = [&](DropReason reason) { return totals.drops[static_cast<size_t>(reason)]; };
    return {.invalid = totals.invalid_packets() - totals.icmp_error,
            .insert_failed = drops(DropReason::InsertFailed),
            .drop = drops(DropReason::TableFull) + drops(DropReason::SourceLimit) +
                    drops(DropReason::InsertFailed),
            .early_drop = totals.early_drop,
            .error = totals.icmp_error};
}

Totals totals_of(const WorkerCounters& counters) noexcept {
    Totals totals;
    totals += counters;
    return totals;
}

Totals totals_of(const std::vector<Worker*>& workers) noexcept {
    Totals totals;
    for (const Worker* worker : workers)
        totals += worker->counters();
    return totals;
}

Stats::Stats(std::vector<Worker*> workers) : workers_(std::move(workers)) {
    now_.workers.resize(workers_.size());
    before_.workers.resize(workers_.size());
}

void Stats::sample(uint64_t now_ns) {
    before_ = std::move(now_);
    now_.ns = now_ns;
    now_.all = {};
    now_.workers.clear();
    for (const Worker* worker : workers_) {
        now_.workers.push_back(totals_of(worker->counters()));
        now_.all += worker->counters();
    }
}

double Stats::per_second(uint64_t now, uint64_t before) const noexcept {
    if (before_.ns == 0 || now_.ns <= before_.ns) return 0;
    return static_cast<double>(now - before) * 1e9 / static_cast<double>(now_.ns - before_.ns);
}

double Stats::rate(uint64_t Totals::*counter) const noexcept {
    return per_second(now_.all.*counter, before_.all.*counter);
}

double Stats::port_rate(InterfaceIndex port, uint64_t PortTotals::*counter) const noexcept {
    return per_second(now_.all.port[port].*counter, before_.all.port[port].*counter);
}

double Stats::all_ports_rate(uint64_t PortTotals::*counter) const noexcept {
    double sum = 0;
    for (size_t port = 0; port < kMaxInterfaces; ++port)
        sum += port_rate(static_cast<InterfaceIndex>(port), counter);
    return sum;
}

double Stats::drop_rate() const noexcept {
    return per_second(now_.all.dropped(), before_.all.dropped());
}

double Stats::worker_rate(size_t worker, uint64_t Totals::*counter) const noexcept {
    return per_second(now_.workers[worker].*counter, before_.workers[worker].*counter);
}

double Stats::queue_rate(size_t worker, InterfaceIndex port,
                         uint64_t PortTotals::*counter) const noexcept {
    return per_second(now_.workers[worker].port[port].*counter,
                      before_.workers[worker].port[port].*counter);
}

double Stats::busy_ratio(uint16_t worker) const noexcept {
    const Totals& now = now_.workers[worker];
    const Totals& before = before_.workers[worker];
    const uint64_t busy = now.busy_cycles - before.busy_cycles;
    const uint64_t idle = now.idle_cycles - before.idle_cycles;
    return busy + idle == 0 ? 0 : static_cast<double>(busy) / static_cast<double>(busy + idle);
}

}  // namespace rampart
