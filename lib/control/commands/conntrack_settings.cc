// conntrack settings: what is set, under our names and the kernel's; and the help.
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "control/commands/conntrack_parts.h"
#include "control/controller.h"

namespace rampart {
namespace {

constexpr std::string_view kSysctlPrefix = "net.netfilter.nf_conntrack_";

struct Setting {
    std::string key;               // below `conntrack` in the configuration
    std::string_view sysctl_name;  // after kSysctlPrefix; "-": the kernel has none
    uint64_t value;
};

std::vector<Setting> all_settings(const ConntrackSettings& conntrack) {
    std::vector<Setting> settings{
        {"max", "max", conntrack.max},
        {"accounting", "acct", conntrack.accounting},
        {"timestamp", "timestamp", conntrack.timestamp},
        {"checksum", "checksum", conntrack.checksum},
        {"tcp_loose", "tcp_loose", conntrack.tcp_loose},
        {"tcp_be_liberal", "tcp_be_liberal", conntrack.tcp_be_liberal},
        {"tcp_ignore_invalid_rst", "tcp_ignore_invalid_rst", conntrack.tcp_ignore_invalid_rst},
        {"tcp_max_retrans", "tcp_max_retrans", conntrack.tcp_max_retrans},
    };
    for (size_t i = 0; i < kTimeoutCount; ++i)
        settings.push_back({fmt::format("timeouts.{}", kTimeouts[i].name), kTimeouts[i].sysctl,
                            conntrack.timeouts[i] / kTicksPerSecond});
    return settings;
}

}  // namespace

CommandOutput conntrack_settings(const Controller& controller) {
    CommandOutput output;
    output.result = Json::array();
    for (const Setting& setting : all_settings(controller.publisher().current().conntrack)) {
        const bool has_sysctl = setting.sysctl_name != "-";
        const std::string name =
            has_sysctl ? fmt::format("{}{}", kSysctlPrefix, setting.sysctl_name) : "-";
        output.out +=
            fmt::format("{:<58} {:<36} {}\n", name, "conntrack." + setting.key, setting.value);
        Json row{{"key", "conntrack." + setting.key}, {"value", setting.value}};
        if (has_sysctl) row["sysctl"] = name;
        output.result.push_back(std::move(row));
    }
    return output;
}

std::string conntrack_help() {
    return R"(conntrack: the flow table, with the options of conntrack-tools 1.4.7

  -L [conntrack|expect|dying|unconfirmed]   list
  -G      one flow: -p, -s, -d and the protocol's own options
  -D      delete what the options select, and print it
  -F      delete all
  -C      count
  -S      statistics, one line per worker
  -E      events, until interrupted
  settings                the settings, with the kernel's names
  -V, -h                  version, help

Which flows:
  -f ipv4|ipv6            -p PROTOCOL (name or number)
  -s, -d ADDRESS[/LENGTH] of the original direction; --mask-src, --mask-dst ADDRESS
  -r, -q ADDRESS          source and destination of replies
  -u STATUS[,...]         ASSURED SEEN_REPLY UNREPLIED EXPECTED FIXED_TIMEOUT; !X: not set
  -m VALUE[/MASK]         mark
  -w ZONE                 --orig-zone ZONE, --reply-zone ZONE
  -n, -g, -j [ADDRESS[:PORT]]   translated source, destination, either
  -i ID                   with -D and -G
After -p:
  tcp, udp, udplite, sctp --sport --dport --reply-port-src --reply-port-dst PORT
  tcp, sctp               --state NAME
  icmp, icmpv6            --icmp-type, --icmp-code, --icmp-id, --icmpv6-... NUMBER
  gre                     --srckey --dstkey --reply-key-src --reply-key-dst KEY

How:
  -o extended,id,timestamp,ktimestamp,labels | xml | save | json
  -z                      -L: show packets and bytes and count anew
  -e NEW,UPDATES,DESTROY,ALL    -E: which events
  -b BYTES                -E: accepted, and not needed
)";
}

}  // namespace rampart
