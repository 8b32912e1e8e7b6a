// EventFeed: takes what the workers write into their journals, and gives it to whoever listens.
//
// While nobody does, the workers write nothing and only INVALID packets are looked for, if they
// are logged at all. A timer empties the journals, a bounded number of records at a time; what the
// journals or a slow listener cannot hold is lost, and each listener is told how much. Control
// thread only.
#pragma once

#include <cstdint>
#include <vector>

#include "control/event_loop.h"
#include "control/flow_list.h"
#include "dataplane/journal.h"

namespace rampart {

struct FlowEvent {
    FlowEntry flow;
    JournalKind kind = JournalKind::New;  // not Invalid
    uint64_t time_ns = 0;                 // wall clock
    bool state_changed = false;
};

class EventListener {
  public:
    virtual ~EventListener() = default;
    virtual void on_event(const FlowEvent& event) = 0;
    virtual void on_lost(uint64_t events) = 0;
};

class EventFeed {
  public:
    EventFeed(EventLoop& loop, std::vector<Worker*> workers);

    // `listener` must be removed before it goes.
    void add(EventListener& listener);
    void remove(EventListener& listener);
    // Whether INVALID packets are logged; `names` are the interfaces, by InterfaceIndex.
    void log_invalid(bool wanted, std::vector<std::string> names);

    // One turn of the timer.
    void turn();

  private:
    void update();
    bool read_from(Worker& worker);
    void tell(const Worker& worker, const JournalRecord& record);
    void log(const JournalRecord& record) const;

    EventLoop& loop_;
    std::vector<Worker*> workers_;
    std::vector<uint64_t> lost_;  // by worker: what has been told
    std::vector<EventListener*> listeners_;
    std::vector<std::string> interface_names_;
    bool logs_invalid_ = false;
    bool is_running_ = false;
    EventLoop::Source timer_;  // exists while somebody listens
};

// "invalid tcp_window in=lan tcp 10.0.0.2:4000 > 192.0.2.1:80 len 52"
std::string describe_invalid(const JournalRecord& record, const std::string& interface);

}  // namespace rampart
