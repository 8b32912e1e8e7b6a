#include "control/config_transaction.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/scalar.h"

namespace rampart {
namespace {

constexpr int64_t kRetry_ms = 5000;
constexpr const char* kNotChanged = "configuration not changed";

std::string short_hash(const std::string& hash) {
    return hash.substr(0, 12);
}

void add_line(std::string& text, const std::string& line) {
    text += line + '\n';
}

std::string duration_text(int64_t ms) {
    return format_duration(static_cast<uint32_t>((ms + 999) / 1000));
}

}  // namespace

// One change on its way.
struct ConfigTransaction::Change {
    ChangeRequest& request;
    std::string hash;
    EntryNumber entry = 0;  // 0: not in the history
    bool is_new_entry = false;
    uint32_t confirm_s = 0;
    std::string err = {};  // remarks so far
    std::string path = request.sources.main.path;

    std::string audit = fmt::format("configuration: {} of {} by {}, hash {}", request.how,
                                    request.sources.main.path, request.who, short_hash(hash));
};

ConfigTransaction::ConfigTransaction(Host& host, std::unique_ptr<ConfigStore> store,
                                     std::string why_no_store)
    : host_(host), store_(std::move(store)), why_no_store_(std::move(why_no_store)) {}

void ConfigTransaction::begin(Startup startup) {
    running_ = std::move(startup.sources);
    running_entry_ = startup.entry;
    pending_ = startup.pending;
    log_.add({.when_ms = host_.now_on_both_clocks().wall_ms,
              .how = "start",
              .who = "the daemon",
              .path = running_.main.path,
              .outcome = "active",
              .generation = 1,
              .is_successful = true});
    if (!startup.remark.empty()) spdlog::warn("start: {}", startup.remark);
    if (store_ == nullptr) {
        spdlog::warn("no history of configurations: {}", why_no_store_);
        return;
    }
    StoreState state = store_->state();
    previous_entry_ = pending_ ? pending_->previous : state.previous;
    if (startup.expired != 0) store_->set_outcome(startup.expired, "rolled back: not confirmed");
    const HistoryEntry* known = store_->find(state.startup);
    if (running_entry_ == 0 && known != nullptr && known->hash == startup.config_hash)
        running_entry_ = state.startup;
    if (running_entry_ == 0) {
        const auto added = store_->add({.how = "start",
                                        .who = "the daemon",
                                        .outcome = "active",
                                        .when_ms = host_.now_on_both_clocks().wall_ms},
                                       running_);
        if (!added) spdlog::warn("history: {}", added.error().message);
        running_entry_ = added.value_or(0);
        previous_entry_ = state.previous = state.startup;
        state.startup = running_entry_;
    }
    state.config_path = startup.config_path;
    state.config_hash = startup.config_hash;
    state.pending = pending_.value_or(PendingConfirmation());
    if (const auto written = store_->set_state(std::move(state)); !written)
        spdlog::warn("the startup configuration is not noted: {}", written.error().message);
}

int64_t ConfigTransaction::time_left_s() const {
    return pending_ ? (time_left_ms(*pending_, host_.now_on_both_clocks()) + 999) / 1000 : 0;
}

void ConfigTransaction::note(const Change& change, uint32_t generation, std::string outcome) {
    log_.add({.when_ms = host_.now_on_both_clocks().wall_ms,
              .how = change.request.how,
              .who = change.request.who,
              .path = change.path,
              .outcome = std::move(outcome),
              .generation = generation,
              .is_successful = generation != 0});
}

void ConfigTransaction::note_unreadable(const std::string& how, const std::string& who,
                                        const std::string& path) {
    log_.add({.when_ms = host_.now_on_both_clocks().wall_ms,
              .how = how,
              .who = who,
              .path = path,
              .outcome = "cannot be read",
              .is_successful = false});
}

CommandOutput ConfigTransaction::refuse(const Change& change, int exit, const std::string& why) {
    if (change.is_new_entry) store_->set_outcome(change.entry, "failed");
    spdlog::warn("{}: refused", change.audit);
    note(change, 0, "refused");
    return CommandOutput::failed(exit, change.err + why + '\n');
}

CommandOutput ConfigTransaction::apply(ChangeRequest request) {
    Change change{request, hash_of(request.sources)};
    if (pending_)
        return refuse(
            change, exit_code::kFailure,
            fmt::format("configuration {} waits for confirmation, {} left; {}\n"
                        "    hint: `rampartctl confirm` or `rampartctl rollback` first",
                        pending_->entry, format_duration(static_cast<uint32_t>(time_left_s())),
                        kNotChanged));
    Diagnostics diagnostics;
    auto configuration = host_.load(request.sources, diagnostics);
    if (configuration && !diagnostics.has_errors())
        host_.warn(*configuration, request, diagnostics);
    change.err = diagnostics.to_text();
    const std::string summary = diagnostics.summary();
    if (!configuration || diagnostics.has_errors())
        return refuse(change, exit_code::kConfiguration, summary + "; " + kNotChanged);
    if (!summary.empty()) add_line(change.err, summary);
    const uint32_t own = configuration->snapshot->reload.confirm_s;
    change.confirm_s =
        request.confirm_s.value_or(request.is_temporary || request.how == "reload" ? 0 : own);
    if (auto refused = store_texts(change)) return std::move(*refused);
    if (auto refused = note_deadline(change)) return std::move(*refused);
    const Published published = host_.publish(std::move(*configuration));
    if (!published.is_active)
        return refuse(change, exit_code::kFailure,
                      fmt::format("generation {}: not every worker took it up in time; {}",
                                  published.generation, undo(change)));
    if (auto refused = make_permanent(change)) return std::move(*refused);
    if (change.confirm_s != 0) before_ = std::move(running_);
    running_ = std::move(request.sources);
    if (running_entry_ != change.entry) previous_entry_ = running_entry_;
    running_entry_ = change.entry;
    return report(change, published);
}

// Before anything else, so that a full disk stops a change and not a way back.
std::optional<CommandOutput> ConfigTransaction::store_texts(Change& change) {
    if (store_ == nullptr) {
        if (change.confirm_s != 0)
            return refuse(change, exit_code::kFailure,
                          fmt::format("there is no memory of configurations to go back to: {}; {}",
                                      why_no_store_, kNotChanged));
        if (!change.request.is_temporary)
            add_line(change.err, "not remembered over a restart: " + why_no_store_);
        return std::nullopt;
    }
    const HistoryEntry* running = store_->find(running_entry_);
    if (running != nullptr && running->hash == change.hash) {
        change.entry = running_entry_;
        if (change.confirm_s != 0)
            add_line(change.err, "this is what runs already: there is nothing to confirm");
        change.confirm_s = 0;
        return std::nullopt;
    }
    const auto added = store_->add({.how = change.request.how,
                                    .who = change.request.who,
                                    .comment = change.request.comment,
                                    .outcome = "being applied",
                                    .when_ms = host_.now_on_both_clocks().wall_ms},
                                   change.request.sources);
    if (added) {
        change.entry = *added;
        change.is_new_entry = true;
        return std::nullopt;
    }
    if (change.request.is_temporary && change.confirm_s == 0) {
        add_line(change.err, "not in the history: " + added.error().message);
        return std::nullopt;
    }
    return refuse(change, exit_code::kFailure,
                  fmt::format("it cannot be stored: {}; {}\n    hint: `apply --temporary` needs no "
                              "disk",
                              added.error().message, kNotChanged));
}

std::optional<CommandOutput> ConfigTransaction::note_deadline(Change& change) {
    if (change.confirm_s == 0) return std::nullopt;
    const Moment now = host_.now_on_both_clocks();
    const int64_t ms = int64_t{change.confirm_s} * 1000;
    StoreState state = store_->state();
    state.pending = PendingConfirmation{
        change.entry, running_entry_, now.wall_ms + ms, now.boot_ms + ms, ms, now.boot_id};
    if (const std::string hash = host_.config_hash(); !hash.empty()) state.config_hash = hash;
    const auto pending = state.pending;
    if (const auto written = store_->set_state(std::move(state)); !written)
        return refuse(change, exit_code::kFailure,
                      fmt::format("the deadline cannot be stored: {}; {}", written.error().message,
                                  kNotChanged));
    pending_ = pending;
    return std::nullopt;
}

std::optional<CommandOutput> ConfigTransaction::make_permanent(Change& change) {
    if (store_ == nullptr || change.request.is_temporary || change.confirm_s != 0)
        return std::nullopt;
    StoreState state = store_->state();
    if (state.startup != change.entry) state.previous = running_entry_;
    state.startup = change.entry;
    state.pending = {};
    if (const std::string hash = host_.config_hash(); !hash.empty()) state.config_hash = hash;
    const auto written = store_->set_state(std::move(state));
    if (written) return std::nullopt;
    return refuse(change, exit_code::kFailure,
                  fmt::format("it cannot be made permanent: {}; {}\n    hint: `apply --temporary` "
                              "needs no disk",
                              written.error().message, undo(change)));
}

CommandOutput ConfigTransaction::report(const Change& change, const Published& published) {
    CommandOutput output;
    output.err = change.err;
    output.out = fmt::format("generation {} is active on {} worker{}\n", published.generation,
                             published.workers, published.workers == 1 ? "" : "s");
    output.result = {{"generation", published.generation},
                     {"workers", published.workers},
                     {"entry", change.entry},
                     {"hash", change.hash}};
    std::string outcome = "active";
    if (change.confirm_s != 0) {
        outcome = "waits for confirmation";
        output.result["confirm_s"] = change.confirm_s;
        output.out += fmt::format(
            "configuration {} goes back to {} in {} unless `rampartctl confirm` comes before\n",
            change.entry, pending_->previous, format_duration(change.confirm_s));
    } else if (change.request.is_temporary) {
        outcome = "temporary";
        output.out += "until the next start only\n";
    }
    if (change.is_new_entry) store_->set_outcome(change.entry, outcome);
    note(change, published.generation, outcome);
    spdlog::info("{}: generation {}, history {}, {}", change.audit, published.generation,
                 change.entry, outcome);
    return output;
}

std::string ConfigTransaction::publish_again(const SourceTexts& sources) {
    Diagnostics diagnostics;
    auto configuration = host_.load(sources, diagnostics);
    if (!configuration || diagnostics.has_errors())
        return "the former configuration cannot be loaded any more:\n" + diagnostics.to_text();
    const Published published = host_.publish(std::move(*configuration));
    republished_ = published.generation;
    if (published.is_active) return {};
    return fmt::format(
        "the former configuration is published again as generation {}, but not every "
        "worker runs it yet",
        published.generation);
}

// Tells what is active now.
std::string ConfigTransaction::undo(const Change& change) {
    std::string problem = publish_again(running_);
    if (change.confirm_s != 0) {
        std::string ignored;
        forget_pending(ignored);
    }
    return problem.empty() ? "the former configuration is active again" : problem;
}

// False: the store still says that something waits, and why.
bool ConfigTransaction::forget_pending(std::string& problem) {
    pending_.reset();
    StoreState state = store_->state();
    state.pending = {};
    const auto written = store_->set_state(std::move(state));
    if (!written) problem = written.error().message;
    return written.has_value();
}

CommandOutput ConfigTransaction::confirm(const std::string& who) {
    if (!pending_)
        return CommandOutput::failed(exit_code::kFailure, "nothing waits for confirmation\n");
    StoreState state = store_->state();
    state.startup = pending_->entry;
    state.previous = pending_->previous;
    state.pending = {};
    const EntryNumber entry = pending_->entry;
    if (const auto written = store_->set_state(std::move(state)); !written)
        return CommandOutput::failed(
            exit_code::kFailure,
            fmt::format(
                "the confirmation cannot be stored: {}; configuration {} still goes back to "
                "{} in {}\n",
                written.error().message, entry, pending_->previous,
                format_duration(static_cast<uint32_t>(time_left_s()))));
    pending_.reset();
    before_.reset();
    store_->set_outcome(entry, "confirmed");
    spdlog::info("configuration: {} confirmed by {}", entry, who);
    CommandOutput output;
    output.out = fmt::format("configuration {} is confirmed\n", entry);
    output.result = {{"entry", entry}};
    return output;
}

CommandOutput ConfigTransaction::roll_back(std::optional<EntryNumber> number,
                                           ChangeRequest request) {
    if (pending_ && (!number || *number == pending_->previous))
        return end_pending("on request", request.who);
    if (store_ == nullptr)
        return CommandOutput::failed(
            exit_code::kFailure,
            fmt::format("there is no history to go back to: {}; {}\n", why_no_store_, kNotChanged));
    const EntryNumber target = number.value_or(previous_entry_);
    if (target == 0)
        return CommandOutput::failed(exit_code::kFailure,
                                     "nothing ran before this configuration\n");
    auto sources = store_->sources(target);
    if (!sources)
        return CommandOutput::failed(exit_code::kFailure,
                                     sources.error().message + "; " + kNotChanged + '\n');
    request.sources = std::move(*sources);
    request.how = fmt::format("rollback to {}", target);
    if (!request.confirm_s) request.confirm_s = 0;
    return apply(std::move(request));
}

// Back to what ran before. On the disk first: a start from now on begins with it.
CommandOutput ConfigTransaction::end_pending(const std::string& reason, const std::string& who) {
    const PendingConfirmation ended = *pending_;
    std::string err;
    std::string problem;
    Result<SourceTexts> sources = SourceTexts();
    if (before_)
        sources = *before_;
    else if (sources = store_->sources(ended.previous); !sources)
        sources = store_->sources(store_->state().startup);
    if (sources) {
        problem = publish_again(*sources);
    } else {
        problem = sources.error().message;
    }
    if (!problem.empty()) {
        next_try_boot_ms_ = host_.now_on_both_clocks().boot_ms + kRetry_ms;
        spdlog::critical("configuration: going back from {} to {} failed: {}", ended.entry,
                         ended.previous, problem);
        return CommandOutput::failed(exit_code::kFailure, problem + '\n');
    }
    running_ = std::move(*sources);
    before_.reset();
    running_entry_ = ended.previous;
    previous_entry_ = store_->state().previous;
    if (!forget_pending(problem))
        add_line(err,
                 fmt::format("not stored: {}; a restart within {} begins with {} again", problem,
                             duration_text(time_left_ms(ended, host_.now_on_both_clocks())),
                             ended.entry));
    store_->set_outcome(ended.entry, "rolled back: " + reason);
    log_.add({.when_ms = host_.now_on_both_clocks().wall_ms,
              .how = fmt::format("back to {}, {}", ended.previous, reason),
              .who = who,
              .path = running_.main.path,
              .outcome = "active",
              .generation = republished_,
              .is_successful = true});
    spdlog::warn("configuration: {} rolled back to {} ({}), by {}", ended.entry, ended.previous,
                 reason, who);
    CommandOutput output;
    output.err = err;
    output.out = fmt::format("configuration {} is active again\n", ended.previous);
    output.result = {{"entry", ended.previous}};
    return output;
}

void ConfigTransaction::tick() {
    if (!pending_) return;
    const Moment now = host_.now_on_both_clocks();
    if (time_left_ms(*pending_, now) > 0 || now.boot_ms < next_try_boot_ms_) return;
    static_cast<void>(end_pending("not confirmed in time", "the daemon"));
}

}  // namespace rampart
