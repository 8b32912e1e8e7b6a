// ChangeLog: the last attempts to change the configuration, successful or not, since the start.
//
// ConfigTransaction writes it; metrics and the status page show it. Control thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

namespace rampart {

struct ConfigChange {
    int64_t when_ms = 0;  // wall clock
    std::string how;      // "start", "apply", "reload", "rollback to 3", ...
    std::string who;
    std::string path;         // of the main file
    std::string outcome;      // "active", "refused", ...
    uint32_t generation = 0;  // 0: none was made
    bool is_successful = false;
};

class ChangeLog {
  public:
    static constexpr size_t kKept = 10;

    void add(ConfigChange change) {
        last_was_successful_ = change.is_successful;
        if (change.is_successful) last_success_ms_ = change.when_ms;
        changes_.push_front(std::move(change));
        if (changes_.size() > kKept) changes_.pop_back();
    }

    // Newest first.
    const std::deque<ConfigChange>& changes() const noexcept { return changes_; }
    bool last_was_successful() const noexcept { return last_was_successful_; }
    int64_t last_success_ms() const noexcept { return last_success_ms_; }

  private:
    std::deque<ConfigChange> changes_;
    bool last_was_successful_ = true;
    int64_t last_success_ms_ = 0;
};

}  // namespace rampart
