// Loader: a configuration file becomes a Snapshot and the SystemSettings, or Diagnostics.
//
//   file -> document (strict YAML -> Value) -> schema (keys, types) -> build_* (registries) ->
//   compiled
//
// Needs neither root nor DPDK: `rampartctl check` and the daemon call the same function. All
// problems of a file are reported in one run; a result exists only when there is no error.
// Control thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "config/system_settings.h"
#include "rules/snapshot.h"

namespace rampart {

struct Configuration {
    SystemSettings system;
    std::unique_ptr<Snapshot> snapshot;  // generation and paths not yet set
};

// `path` is only used in messages.
std::optional<Configuration> load_configuration(std::string path, std::string text,
                                                Diagnostics& diagnostics);
// Reads a regular file of at most kMaxFileBytes (else RP-E001 with the reason) and loads it.
std::optional<Configuration> load_configuration_file(const std::string& path,
                                                     Diagnostics& diagnostics);

inline constexpr size_t kMaxFileBytes = 16u << 20;

}  // namespace rampart
