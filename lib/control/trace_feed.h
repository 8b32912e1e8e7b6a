// TraceFeed: sets the workers' trace filters and gives what they chose to whoever asked for it.
//
// A few traces at a time, each with a place among the workers' filters. A filter that was taken
// away is freed when every worker has gone through two more loops. Control thread only; outlives
// the running of the workers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "control/event_loop.h"
#include "control/trace_filter.h"
#include "dataplane/packet_trace.h"

namespace rampart {

class Worker;

class TraceListener {
  public:
    virtual ~TraceListener() = default;
    virtual void on_record(const TraceRecord& record) = 0;
    virtual void on_lost(uint64_t records) = 0;
};

class TraceFeed {
  public:
    TraceFeed(EventLoop& loop, std::vector<Worker*> workers);

    // False: as many traces as there may be are running. The listener must be removed before it
    // goes.
    bool add(TraceListener& listener, std::unique_ptr<CompiledTraceFilter> filter);
    void remove(TraceListener& listener);

    // One turn of the timer.
    void turn();

  private:
    struct Trace {
        TraceListener* listener = nullptr;
        std::unique_ptr<CompiledTraceFilter> filter;
    };
    struct Retired {
        unsigned place = 0;  // not used again before
        std::unique_ptr<CompiledTraceFilter> filter;
        std::vector<uint64_t> loops;  // of each worker, when it was taken away
    };
    bool is_free(unsigned place) const;
    bool read_from(Worker& worker);
    void free_retired();

    EventLoop& loop_;
    std::vector<Worker*> workers_;
    std::vector<uint64_t> lost_;  // by worker: what has been told
    std::array<Trace, kMaxTraceFilters> traces_;
    std::vector<Retired> retired_;
    EventLoop::Source timer_;  // exists while there are traces or retired filters
    bool is_running_ = false;
};

}  // namespace rampart
