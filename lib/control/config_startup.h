// Which configuration a start begins with: the one that was made permanent last, by `apply` or by
// an editor, whichever came later.
//
//   the file of --config changed since the store noted it     the file
//   something waits for confirmation, its time is not up      that, and the countdown goes on
//   else                                                      the startup configuration of the
//   store
//
// Decision 0012 tells why. Pure but for reading the store. Control thread, before the ports open.
#pragma once

#include <optional>
#include <string>

#include "control/config_store.h"

namespace rampart {

// One moment on both clocks.
struct Moment {
    int64_t wall_ms = 0;
    int64_t boot_ms = 0;  // since boot, suspension included
    std::string boot_id;
};

// Reads the system's clocks.
Moment moment_now();

// Milliseconds until the deadline; 0 when it is over, or when the clock tells nothing.
int64_t time_left_ms(const PendingConfirmation& pending, const Moment& now);

struct Startup {
    SourceTexts sources;
    EntryNumber entry = 0;  // 0: the file, which is not in the store yet
    std::optional<PendingConfirmation> pending;
    EntryNumber expired = 0;  // waited for confirmation, and is not used any more
    std::string config_path;  // the file of --config
    std::string config_hash;
    std::string remark;  // for the log: why it is not simply the file
};

// `file`: what --config names. Without a store it is the file.
Startup choose_startup(const ConfigStore* store, SourceTexts file, const Moment& now);

}  // namespace rampart
