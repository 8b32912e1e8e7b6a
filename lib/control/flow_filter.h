// FlowFilter: which flows a `conntrack` command means. All conditions must hold.
//
// FilterWords is what stands on the command line, option by option; make_filter() checks it. The
// options and their meaning are those of conntrack-tools. Pure, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ip_address.h"
#include "base/result.h"
#include "control/flow_list.h"

namespace rampart {

// Empty: not given.
struct FilterWords {
    std::string family{};                  // -f
    std::string protocol{};                // -p
    std::string src{}, dst{};              // -s -d, prefixes allowed
    std::string reply_src{}, reply_dst{};  // -r -q
    std::string sport{}, dport{};          // of the original direction
    std::string reply_sport{}, reply_dport{};
    std::string icmp_type{}, icmp_code{}, icmp_id{};
    std::string state{};   // TCP
    std::string status{};  // -u
    std::string mark{};    // -m VALUE[/MASK]
    std::string zone{};    // -w
    std::string id{};      // -i
};

struct FlowFilter {
    std::optional<Family> family;
    std::optional<uint8_t> protocol;
    std::optional<IpRange> src, dst, reply_src, reply_dst;
    std::optional<uint16_t> sport, dport, reply_sport, reply_dport;
    std::optional<uint16_t> icmp_type, icmp_code, icmp_id;
    std::optional<std::string> state;
    uint16_t status_set = 0;       // flow_status bits that must be set
    uint16_t status_clear = 0;     // and those that must not
    std::optional<uint32_t> mark;  // already masked; flows have mark 0
    std::optional<uint16_t> zone;
    std::optional<uint32_t> id;
    bool is_empty = true;  // no condition at all

    bool matches(const FlowEntry& entry) const;
};

Result<FlowFilter> make_filter(const FilterWords& words);

}  // namespace rampart
