// Monitoring: what the daemon tells by HTTP: /metrics for Prometheus, / for people.
//
//   client --- HttpServer's threads --- SampleDesk --- control: Sampler
//
// Control only takes samples; texts are made of them on the server's threads. Nothing here changes
// anything, whatever a client sends. Control thread.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "config/monitoring_settings.h"
#include "control/event_loop.h"

namespace rampart {

class Controller;
class HttpServer;
class Sampler;
class SampleDesk;

class Monitoring {
  public:
    // Takes the port. What asks before begin() waits, and is told to come back. `prepare` is what
    // each thread begins with.
    static Result<std::unique_ptr<Monitoring>> open(const MonitoringSettings& settings,
                                                    EventLoop& loop, std::function<void()> prepare);
    ~Monitoring();
    Monitoring(const Monitoring&) = delete;
    Monitoring& operator=(const Monitoring&) = delete;

    // `controller` is complete.
    void begin(Controller& controller);
    // After the statistics were sampled.
    void each_second();

  private:
    Monitoring(const MonitoringSettings& settings, EventLoop& loop);

    const MonitoringSettings& settings_;
    EventLoop& loop_;
    std::unique_ptr<Sampler> sampler_;
    std::unique_ptr<SampleDesk> desk_;
    std::unique_ptr<HttpServer> server_;
    EventLoop::Source counting_;
};

}  // namespace rampart
