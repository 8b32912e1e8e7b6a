// ConfigTransaction: every change of the running configuration, from the request to its outcome.
//
//   check -> store the texts -> (note the deadline) -> publish -> make it the startup configuration
//
// Whatever fails, the configuration that ran before runs again, and the answer says what happened.
// With a confirmation the last step waits for confirm(); tick() goes back at the deadline, whoever
// is or is not connected by then. Only one confirmation at a time: another change is refused until
// it is decided. Every change, and every refused one, is a line in the log. Without a store nothing
// is remembered, and what needs a memory says so. Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "config/loader.h"
#include "control/api_protocol.h"
#include "control/change_log.h"
#include "control/config_startup.h"
#include "control/config_store.h"

namespace rampart {

struct Published {
    uint32_t generation = 0;
    size_t workers = 0;
    bool is_active = false;  // all workers use it; false: not in time
};

struct ChangeRequest {
    SourceTexts sources;
    std::string how = "apply";
    std::string who;
    std::string comment;
    std::optional<uint32_t> confirm_s;  // absent: as the configuration says; 0: none
    bool is_temporary = false;          // until the next start or change
    std::string ssh_connection;         // of the client, if it has one
    bool is_terminal = false;           // somebody looks on
};

class ConfigTransaction {
  public:
    // The daemon around it.
    class Host {
      public:
        virtual ~Host() = default;
        // Loads, and checks what cannot change while the daemon runs.
        virtual std::optional<Configuration> load(const SourceTexts& sources,
                                                  Diagnostics& diagnostics) = 0;
        virtual Published publish(Configuration configuration) = 0;
        // What the caller should know before it is published; reported as warnings.
        virtual void warn(const Configuration& configuration, const ChangeRequest& request,
                          Diagnostics& diagnostics) = 0;
        // Of the file of --config as it is now; empty when it cannot be read.
        virtual std::string config_hash() = 0;
        virtual Moment now_on_both_clocks() = 0;
    };

    // `store` may be null; `why_no_store` says why.
    ConfigTransaction(Host& host, std::unique_ptr<ConfigStore> store, std::string why_no_store);

    // What runs since the start.
    void begin(Startup startup);

    CommandOutput apply(ChangeRequest request);
    // Something was to be applied that could not even be read.
    void note_unreadable(const std::string& how, const std::string& who, const std::string& path);
    CommandOutput confirm(const std::string& who);
    // To what ran before, or to an entry of the history. While something waits for confirmation:
    // back to what it replaced.
    CommandOutput roll_back(std::optional<EntryNumber> number, ChangeRequest request);
    // Often enough for the precision of the deadline.
    void tick();

    const ConfigStore* store() const noexcept { return store_.get(); }
    const std::string& why_no_store() const noexcept { return why_no_store_; }
    const SourceTexts& running() const noexcept { return running_; }
    EntryNumber running_entry() const noexcept { return running_entry_; }
    EntryNumber startup_entry() const noexcept { return store_ ? store_->state().startup : 0; }
    // Null when nothing waits.
    const PendingConfirmation* pending() const noexcept { return pending_ ? &*pending_ : nullptr; }
    int64_t time_left_s() const;
    // What was tried since the start.
    const ChangeLog& log() const noexcept { return log_; }

  private:
    struct Change;
    void note(const Change& change, uint32_t generation, std::string outcome);
    CommandOutput refuse(const Change& change, int exit, const std::string& why);
    std::optional<CommandOutput> store_texts(Change& change);
    std::optional<CommandOutput> note_deadline(Change& change);
    std::optional<CommandOutput> make_permanent(Change& change);
    CommandOutput report(const Change& change, const Published& published);
    // Publishes what runs, or ran, according to `running_`; empty, or what went wrong.
    std::string publish_again(const SourceTexts& sources);
    std::string undo(const Change& change);
    bool forget_pending(std::string& problem);
    CommandOutput end_pending(const std::string& reason, const std::string& who);

    Host& host_;
    std::unique_ptr<ConfigStore> store_;
    std::string why_no_store_;
    SourceTexts running_;
    EntryNumber running_entry_ = 0;
    EntryNumber previous_entry_ = 0;  // what ran before
    std::optional<PendingConfirmation> pending_;
    std::optional<SourceTexts> before_;  // to go back to; absent after a restart: the store has it
    ChangeLog log_;
    uint32_t republished_ = 0;      // generation of the last publish_again()
    int64_t next_try_boot_ms_ = 0;  // of a going back that failed
};

}  // namespace rampart
