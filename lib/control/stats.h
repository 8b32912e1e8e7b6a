// Stats: totals and rates from the workers' counters.
//
// The counters only grow and are never reset; Totals adds them up over workers, Stats keeps a
// sample of a second ago to tell rates. Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/counters.h"

namespace rampart {

class Worker;

struct PortTotals {
    uint64_t received_packets = 0;
    uint64_t received_bytes = 0;
    uint64_t transmitted_packets = 0;
    uint64_t transmitted_bytes = 0;
    uint64_t transmit_dropped = 0;
};

// A plain copy of WorkerCounters; the fields mean the same.
struct Totals {
    std::array<PortTotals, kMaxInterfaces> port{};
    uint64_t received = 0;
    uint64_t forwarded = 0;
    uint64_t local = 0;
    uint64_t merged = 0, datagrams = 0, cut = 0;  // of fragments
    uint64_t generated = 0;
    uint64_t handed_in = 0;
    uint64_t handed_out = 0;
    std::array<uint64_t, kDropReasonCount> drops{};
    std::array<uint64_t, kInvalidReasonCount> invalid{};
    uint64_t inserted = 0;
    uint64_t expired = 0;
    uint64_t erased = 0;
    uint64_t early_drop = 0;
    uint64_t icmp_error = 0;
    uint64_t replies_limited = 0;
    uint64_t loops = 0;
    uint64_t busy_cycles = 0;
    uint64_t idle_cycles = 0;

    Totals& operator+=(const WorkerCounters& counters) noexcept;
    uint64_t dropped() const noexcept;
    uint64_t invalid_packets() const noexcept;
    // received + handed in - forwarded - local - handed out - merged - dropped: the packets that
    // workers hold now, fragments included.
    int64_t in_flight() const noexcept;
};

// As `conntrack -S` counts (nf_conntrack_stat); what it counts besides does not happen here.
struct ConntrackTotals {
    uint64_t invalid = 0;
    uint64_t insert_failed = 0;
    uint64_t drop = 0;
    uint64_t early_drop = 0;
    uint64_t error = 0;  // ICMP errors that are INVALID
};
ConntrackTotals conntrack_totals(const Totals& totals) noexcept;

Totals totals_of(const WorkerCounters& counters) noexcept;
Totals totals_of(const std::vector<Worker*>& workers) noexcept;

class Stats {
  public:
    static constexpr uint64_t kPeriod_us = 1'000'000;

    explicit Stats(std::vector<Worker*> workers);

    // Once per period.
    void sample(uint64_t now_ns);

    // Per second, between the last two samples.
    double rate(uint64_t Totals::*counter) const noexcept;
    double port_rate(InterfaceIndex port, uint64_t PortTotals::*counter) const noexcept;
    double all_ports_rate(uint64_t PortTotals::*counter) const noexcept;
    double drop_rate() const noexcept;
    double worker_rate(size_t worker, uint64_t Totals::*counter) const noexcept;
    // What one worker moved on one port: its queue of that port.
    double queue_rate(size_t worker, InterfaceIndex port,
                      uint64_t PortTotals::*counter) const noexcept;
    // Share of the cycles in which a worker found work, between the last two samples.
    double busy_ratio(uint16_t worker) const noexcept;

  private:
    double per_second(uint64_t now, uint64_t before) const noexcept;

    struct Sample {
        uint64_t ns = 0;
        Totals all;
        std::vector<Totals> workers;
    };
    std::vector<Worker*> workers_;
    Sample now_;
    Sample before_;
};

}  // namespace rampart
