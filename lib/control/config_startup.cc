#include "control/config_startup.h"

#include <ctime>
#include <fstream>

#include <fmt/format.h>

namespace rampart {
namespace {

int64_t read_ms(clockid_t clock) noexcept {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

// The stored configuration `entry`, unless it cannot be read; then `startup` says so.
bool take_entry(const ConfigStore& store, EntryNumber entry, Startup& startup) {
    auto sources = store.sources(entry);
    if (!sources) {
        startup.remark = fmt::format("the startup configuration is lost ({}): the file is used",
                                     sources.error().message);
        return false;
    }
    startup.sources = std::move(*sources);
    startup.entry = entry;
    return true;
}

}  // namespace

Moment moment_now() {
    Moment now{read_ms(CLOCK_REALTIME), read_ms(CLOCK_BOOTTIME), {}};
    std::ifstream("/proc/sys/kernel/random/boot_id") >> now.boot_id;
    return now;
}

int64_t time_left_ms(const PendingConfirmation& pending, const Moment& now) {
    const bool is_same_boot = !now.boot_id.empty() && now.boot_id == pending.boot_id;
    const int64_t left =
        is_same_boot ? pending.deadline_boot_ms - now.boot_ms : pending.deadline_ms - now.wall_ms;
    // More than it was at the beginning: the clock was set back, and going back is the safe choice.
    return left < 0 || left > pending.duration_ms ? 0 : left;
}

Startup choose_startup(const ConfigStore* store, SourceTexts file, const Moment& now) {
    Startup startup;
    startup.config_path = file.main.path;
    startup.config_hash = hash_of(file);
    startup.sources = std::move(file);
    if (store == nullptr) return startup;
    const StoreState& state = store->state();
    startup.expired = state.pending.entry;
    if (state.startup == 0) return startup;
    if (state.config_path != startup.config_path || state.config_hash != startup.config_hash) {
        startup.remark = fmt::format("{} changed since configuration {} became active: it is used",
                                     startup.config_path, state.startup);
        return startup;
    }
    if (state.pending.entry != 0 && time_left_ms(state.pending, now) > 0 &&
        take_entry(*store, state.pending.entry, startup)) {
        startup.pending = state.pending;
        startup.expired = 0;
        startup.remark = fmt::format("configuration {} still waits for confirmation, {} s left",
                                     startup.entry, time_left_ms(state.pending, now) / 1000);
        return startup;
    }
    const HistoryEntry* entry = store->find(state.startup);
    if (!take_entry(*store, state.startup, startup)) return startup;
    if (entry->hash != startup.config_hash)
        startup.remark = fmt::format("configuration {} of the history is used, not {}",
                                     state.startup, startup.config_path);
    if (startup.expired != 0)
        startup.remark += fmt::format("{}configuration {} was not confirmed in time",
                                      startup.remark.empty() ? "" : "; ", startup.expired);
    return startup;
}

}  // namespace rampart
