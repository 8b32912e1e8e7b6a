// Loader: a configuration file becomes a Snapshot and the SystemSettings, or Diagnostics.
//
//   files -> documents (strict YAML -> Value) -> merged -> schema (keys, types) -> build_*
//   (registries) -> compiled
//
// Needs neither root nor DPDK: `rampartctl check` and the daemon call the same function. All
// problems of a file are reported in one run; a result exists only when there is no error.
// Control thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "config/source_files.h"
#include "config/system_settings.h"
#include "rules/snapshot.h"

namespace rampart {

struct Configuration {
    SystemSettings system;
    std::unique_ptr<Snapshot> snapshot;  // generation and paths not yet set
    Value document;                      // merged, with `define` applied; for comparisons
};

// Reads no file: `include` must have been followed before (config/source_files.h).
std::optional<Configuration> load_configuration(SourceTexts sources, Diagnostics& diagnostics);
// A text that includes nothing. `path` is only used in messages.
std::optional<Configuration> load_configuration(std::string path, std::string text,
                                                Diagnostics& diagnostics);
// Reads a file and what it includes, and loads them.
std::optional<Configuration> load_configuration_file(const std::string& path,
                                                     Diagnostics& diagnostics);

}  // namespace rampart
