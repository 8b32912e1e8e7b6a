// ConfigStore: the configurations that the daemon had, and which of them it starts with.
//
//   state.json         which is the startup configuration, what waits for confirmation
//   history/12.json    who applied it, when, from which files, and what became of it
//   history/12.1.yaml  the text of its first file; 12.2.yaml ... of those that it includes
//
// An entry is complete when its .json stands: texts are written first and removed last. state.json
// is the only truth about what is active; each change of it is one write of a DurableDirectory. At
// most kMaxEntries and kMaxBytes are kept; what state.json names is never removed.
// Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/source_files.h"
#include "control/durable_directory.h"

namespace rampart {

using EntryNumber = uint64_t;  // 0: none

struct HistoryEntry {
    EntryNumber number = 0;
    std::string how;      // "start", "apply", "reload", "rollback to 3"
    std::string who;      // "root (uid 0), pid 812"
    std::string comment;  // as given with --comment
    std::string outcome;  // "active", "waits for confirmation", "confirmed", "rolled back: ..."
    std::string hash;     // SHA-256 over names and texts, in hex
    int64_t when_ms = 0;  // wall clock
    std::vector<std::string> paths;  // of its files, as the client named them; the first includes
    bool follows_includes = false;
    uint64_t bytes = 0;  // of all texts
};

// Runs now, and goes back to `previous` at the deadline unless it is confirmed.
struct PendingConfirmation {
    EntryNumber entry = 0;  // 0: nothing waits
    EntryNumber previous = 0;
    int64_t deadline_ms = 0;       // wall clock, for after a reboot
    int64_t deadline_boot_ms = 0;  // time since boot, which nobody sets
    int64_t duration_ms = 0;       // from the beginning to the deadline
    std::string boot_id;
};

struct StoreState {
    EntryNumber startup = 0;   // what a start begins with, as long as the file is the one below
    EntryNumber previous = 0;  // what ran before the startup configuration
    std::string config_path;   // the file of --config, and its hash, when `startup` was chosen
    std::string config_hash;
    PendingConfirmation pending;
};

// SHA-256 over the names and texts of all files, in hex.
std::string hash_of(const SourceTexts& sources);

class ConfigStore {
  public:
    static constexpr size_t kMaxEntries = 50;
    static constexpr uint64_t kMaxBytes = 256u << 20;

    // What cannot be read of it is told to the log and left out.
    static Result<std::unique_ptr<ConfigStore>> open(const std::string& path,
                                                     DurableDirectory::Probe probe = {});

    const StoreState& state() const noexcept { return state_; }
    // On failure the state is what it was, in memory and, as far as it can be, on the disk.
    Result<void> set_state(StoreState state);

    // Oldest first.
    const std::vector<HistoryEntry>& history() const noexcept { return history_; }
    const HistoryEntry* find(EntryNumber number) const noexcept;
    // Numbers the entry and stores it with its texts; removes the oldest that are too many.
    Result<EntryNumber> add(HistoryEntry entry, const SourceTexts& sources);
    // A remark: its loss changes nothing, so a failure is only told to the log.
    void set_outcome(EntryNumber number, const std::string& outcome);
    // Fails when they are not what was stored.
    Result<SourceTexts> sources(EntryNumber number) const;
    const std::string& path() const noexcept { return directory_->path(); }

  private:
    explicit ConfigStore(std::unique_ptr<DurableDirectory> directory)
        : directory_(std::move(directory)) {}
    void read_state();
    void read_history();
    Result<void> write_entry(const HistoryEntry& entry);
    void remove_surplus();
    void remove_entry(const HistoryEntry& entry);
    bool is_in_use(EntryNumber number) const noexcept;

    std::unique_ptr<DurableDirectory> directory_;
    StoreState state_;
    std::vector<HistoryEntry> history_;
    EntryNumber last_number_ = 0;
};

}  // namespace rampart
