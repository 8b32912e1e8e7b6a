// Dump: the output of iptables-save or ip6tables-save, as tables of chains and rules of words.
//
// Quotation marks and backslashes are read as iptables-restore does. Nothing is interpreted here
// but the lines' first words. What is no line of a dump is reported and left out.
// One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "import/report.h"

namespace rampart {

struct DumpCounters {
    uint64_t packets = 0;
    uint64_t bytes = 0;
};

struct DumpRule {
    std::string chain;
    std::vector<std::string> words;  // behind `-A CHAIN`
    Origin origin;
    std::optional<DumpCounters> counters;
};

struct DumpChain {
    std::string name;
    std::string policy;  // "ACCEPT", "DROP", or "-" for a user chain
    Origin origin;
};

struct DumpTable {
    std::string name;
    std::vector<DumpChain> chains;
    std::vector<DumpRule> rules;
    Origin origin;
};

struct Dump {
    Family family = Family::Ipv4;
    std::vector<DumpTable> tables;
};

// `file` is the source's index in `report`.
Dump read_dump(std::string_view text, uint32_t file, Family family, ImportReport& report);

// The words of one line; nothing when a quotation mark is left open.
std::optional<std::vector<std::string>> split_words(std::string_view line);

}  // namespace rampart
