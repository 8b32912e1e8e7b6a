// Import: dumps of other firewalls become a configuration of Rampart.
//
//   iptables-save, ip6tables-save --dump--> words --modules--> ImportedDocument --write_yaml-->
//   YAML nft -j list ruleset -----------------------------------------^
//
// Nothing is ever silently wrong: what is not understood, and what this release cannot load, is
// reported with its line, and without `partial` there is no result at all. Needs no daemon, no
// root and no DPDK. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "import/interface_mapping.h"

namespace rampart {

struct ImportSource {
    std::string path;  // for messages
    std::string text;
};

struct ImportRequest {
    std::optional<ImportSource> ipv4;
    std::optional<ImportSource> ipv6;
    std::optional<ImportSource> nft;
    std::optional<ImportSource> ipset;
    std::vector<InterfaceMapping> interfaces;  // those that the user named
    bool partial = false;
    bool counters = false;
    // Rules that this release does not build yet are written all the same; `check` names them.
    bool keep_unbuilt = false;
};

struct ImportResult {
    std::optional<std::string> yaml;  // nothing: there were problems
    std::string messages;             // for standard error
};

ImportResult import_rules(const ImportRequest& request);

}  // namespace rampart
