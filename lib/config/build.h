// The builders: each turns one part of the document into its part of the Configuration.
//
// They report everything they find and go on; the result counts only when there was no error.
// `document` is the expanded top level of the file. Order: build_interfaces fills the names that
// build_chains needs. Control thread only.
#pragma once

#include "base/diagnostics.h"
#include "base/value.h"
#include "config/system_settings.h"
#include "rules/snapshot.h"

namespace rampart {

void build_system(const Value& document, SystemSettings& system, Diagnostics& diagnostics);
void build_monitoring(const Value& document, MonitoringSettings& monitoring,
                      Diagnostics& diagnostics);
// Ports, bridge pairs and zones.
void build_interfaces(const Value& document, SystemSettings& system, Names& names,
                      Diagnostics& diagnostics);
void build_link(const Value& document, LinkSettings& link, Ruleset& ruleset,
                Diagnostics& diagnostics);
// After the interfaces, which may have exceptions of their own.
void build_conntrack(const Value& document, const Names& names, ConntrackSettings& conntrack,
                     Diagnostics& diagnostics);
// After conntrack, which says whether flows are counted.
void build_ipfix(const Value& document, bool accounting, std::optional<IpfixSettings>& settings,
                 Diagnostics& diagnostics);
void build_logging(const Value& document, LoggingSettings& logging, Diagnostics& diagnostics);
void build_reload(const Value& document, ReloadSettings& reload, Diagnostics& diagnostics);
// After the interfaces, before the chains. Opens the files that sets name.
void build_sets(const Value& document, Names& names, Diagnostics& diagnostics);
void warn_of_unused_sets(const Names& names, Diagnostics& diagnostics);
void build_chains(const Value& document, Ruleset& ruleset, Diagnostics& diagnostics);

}  // namespace rampart
