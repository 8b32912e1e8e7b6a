// FillWatch: says once when the flow table gets fuller than `conntrack.warn_at`, once when it is
// well below again, and at most every ten seconds what a full table did to flows. When a full table
// has to refuse flows for some seconds, connections that are being closed give way (netfilter's
// early-drop mode).
//
// Looks at the fullest worker: its share can be full while others are not. Control thread, once per
// second.
#pragma once

#include <cstdint>
#include <vector>

namespace rampart {

class Worker;
struct ConntrackSettings;

class FillWatch {
  public:
    explicit FillWatch(std::vector<Worker*> workers) : workers_(std::move(workers)) {}

    void look(const ConntrackSettings& settings, uint64_t now_ns);
    bool is_above() const noexcept { return is_above_; }
    // Flows of the fullest worker in percent of its share.
    uint32_t fill_percent() const noexcept;

  private:
    void report_full(uint64_t now_ns);
    void make_room();

    std::vector<Worker*> workers_;
    bool is_above_ = false;
    uint64_t reported_ns_ = 0;
    uint64_t early_drops_ = 0;  // when last reported
    uint64_t refused_ = 0;
    uint64_t refused_before_ = 0;  // at the last look
    unsigned refusing_looks_ = 0;  // in a row
};

}  // namespace rampart
