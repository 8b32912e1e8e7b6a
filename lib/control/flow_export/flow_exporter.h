// FlowExporter: tells a collector about flows, by IPFIX, as the section `ipfix` says.
//
// Listens to the event feed and sends what it hears in messages of the encoder, when they are full
// or a quarter of a second after their first record. It never waits: what cannot be sent is lost
// and counted, and so is what the feed lost before. Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/ipfix_settings.h"
#include "control/event_feed.h"
#include "control/event_loop.h"
#include "control/flow_export/collector_link.h"
#include "control/flow_export/ipfix_encoder.h"

namespace rampart {

class FlowExporter final : public EventListener {
  public:
    struct Counts {
        uint64_t records = 0;      // sent, or waiting for a TCP connection to take them
        uint64_t messages = 0;     // that they were in
        uint64_t lost = 0;         // records that could not be sent
        uint64_t lost_events = 0;  // that a worker's journal could not hold
    };

    // `feed` and `loop` outlive it.
    FlowExporter(EventFeed& feed, EventLoop& loop, const IpfixSettings& settings);
    ~FlowExporter() override;
    FlowExporter(const FlowExporter&) = delete;
    FlowExporter& operator=(const FlowExporter&) = delete;

    const IpfixSettings& settings() const noexcept { return settings_; }
    const Counts& counts() const noexcept { return counts_; }
    bool is_up() const noexcept { return link_.is_up(); }
    const std::string& problem() const noexcept { return link_.problem(); }
    std::string collector() const;  // "192.0.2.10:4739"

    void on_event(const FlowEvent& event) override;
    void on_lost(uint64_t events) override { counts_.lost_events += events; }

  private:
    void begin_session();
    void turn();
    void each_second();
    void tell_problem();

    EventFeed& feed_;
    IpfixSettings settings_;
    Counts counts_;
    CollectorLink link_;
    std::unique_ptr<IpfixEncoder> encoder_;  // of the present session; null before the first
    unsigned turns_ = 0;
    unsigned seconds_ = 0;  // since the templates were sent
    bool has_told_problem_ = false;
    EventLoop::Source timer_;
};

}  // namespace rampart
