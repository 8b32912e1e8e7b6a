#include "config/schema.h"

namespace rampart {

namespace {

// clang-format off
constexpr SchemaKey kKeys[] = {
    // section, key, type, built, least, greatest, default, help, choices
    {"", "version", KeyType::Number, true, 1, 1, "",
     "The version of the language; always 1. Required."},
    {"", "include", KeyType::List, true, 0, 0, "[]",
     "Files and patterns such as conf.d/*.yaml, beside this one unless absolute; merged into it."},
    {"", "define", KeyType::Map, true, 0, 0, "{}",
     "Names for words or lists of words, used as $name."},
    {"", "interfaces", KeyType::Map, true, 0, 0, "",
     "The ports, in the order in which they are brought up. Required."},
    {"", "zones", KeyType::Map, true, 0, 0, "{}",
     "Names for groups of interfaces, usable wherever an interface is."},
    {"", "bridge", KeyType::Map, true, 0, 0, "{}",
     "What passes between the ports of a transparent pair besides IP."},
    {"", "conntrack", KeyType::Map, true, 0, 0, "{}",
     "Connection tracking."},
    {"", "reload", KeyType::Map, true, 0, 0, "{}",
     "What a new configuration does to existing flows and counters."},
    {"", "chains", KeyType::Map, true, 0, 0, "",
     "The rules. Required, with at least the chain forward."},
    {"", "sets", KeyType::Map, true, 0, 0, "{}",
     "Named sets of addresses, networks or ports."},
    {"", "nat", KeyType::Map, true, 0, 0, "{}",
     "Address translation: lists of rules that the first packet of each flow goes through."},
    {"", "cores", KeyType::Map, true, 0, 0, "{}",
     "The CPUs of the control thread and the workers."},
    {"", "memory", KeyType::Map, true, 0, 0, "{}",
     "Memory of the packet path."},
    {"", "control", KeyType::Map, true, 0, 0, "{}",
     "The control socket."},
    {"", "eal", KeyType::List, true, 0, 0, "[]",
     "Further arguments of the DPDK environment, after the derived ones."},
    {"", "logging", KeyType::Map, true, 0, 0, "{}",
     "What is logged."},
    {"", "ipfix", KeyType::Map, true, 0, 0, "{}",
     "Export of flows to a collector (IPFIX); absent: none. Read at the start."},
    {"", "monitoring", KeyType::Map, true, 0, 0, "",
     "Metrics for Prometheus and a status page, by HTTP; absent: nothing listens."},
    {"", "ha", KeyType::Map, false, 0, 0, "{}",
     "High availability."},
    {"", "services", KeyType::Switch, true, 0, 0, "false",
     "Names from /etc/services may stand for ports; they are looked up when the file is read."},
    {"interfaces.*", "device", KeyType::Text, true, 0, 0, "",
     "A PCI address in quotes, or vdev: and DPDK device arguments. Required, but for a VLAN."},
    {"interfaces.*", "bridge", KeyType::Text, true, 0, 0, "",
     "The other port of a transparent pair; one of the two may leave it out. Others are routed."},
    {"interfaces.*", "mtu", KeyType::Number, true, 68, 9600, "1500",
     "The largest IP packet, in bytes."},
    {"interfaces.*", "queues", KeyType::Text, true, 1, 64, "auto",
     "Receive queues: a number, or auto for one per worker."},
    {"interfaces.*", "tcp_loose", KeyType::Switch, true, 0, 0, "",
     "conntrack.tcp_loose for packets that come in here, where only half of a connection is seen."},
    {"interfaces.*", "tcp_be_liberal", KeyType::Switch, true, 0, 0, "",
     "conntrack.tcp_be_liberal for packets that come in here."},
    {"interfaces.*", "address", KeyType::List, true, 0, 0, "",
     "Addresses of the kernel twin, such as 192.0.2.1/24; dhcp: the system's own client sets them."},
    {"interfaces.*", "address6", KeyType::List, true, 0, 0, "",
     "IPv6 addresses of the kernel twin; auto, dhcp or dhcp-pd: the system sets them."},
    {"interfaces.*", "kernel", KeyType::Text, true, 0, 0, "",
     "The name of the kernel twin, if not the interface's; false: none."},
    {"interfaces.*", "parent", KeyType::Text, true, 0, 0, "",
     "Makes it a VLAN: the port that carries it."},
    {"interfaces.*", "vlan", KeyType::Number, true, 1, 4094, "",
     "The VLAN id."},
    {"interfaces.*", "members", KeyType::List, false, 0, 0, "",
     "The devices of a bond."},
    {"interfaces.*", "mode", KeyType::Text, false, 0, 0, "",
     "The mode of a bond."},
    {"bridge", "pass", KeyType::List, true, 0, 0, "[arp]",
     "EtherTypes besides IP: names, hexadecimal numbers, or all."},
    {"bridge", "strict_nd", KeyType::Switch, true, 0, 0, "false",
     "Whether neighbour discovery needs a rule, as any other packet."},
    {"conntrack", "max", KeyType::Number, true, 1, 1u << 28, "262144",
     "Flows, all workers together; fixed at start (nf_conntrack_max)."},
    {"conntrack", "index", KeyType::Text, true, 0, 0, "buckets",
     "What finds the flows of packets: a table of our own, or DPDK's rte_hash; fixed at start.",
     "buckets|rte_hash"},
    {"conntrack", "tcp_loose", KeyType::Switch, true, 0, 0, "true",
     "Pick up TCP connections in the middle."},
    {"conntrack", "tcp_be_liberal", KeyType::Switch, true, 0, 0, "false",
     "Only RSTs outside the window are invalid."},
    {"conntrack", "tcp_ignore_invalid_rst", KeyType::Switch, true, 0, 0, "false",
     "An RST whose sequence number is in the past is judged by the window alone."},
    {"conntrack", "tcp_max_retrans", KeyType::Number, true, 0, 255, "3",
     "Retransmissions after which tcp_max_retrans is the timeout."},
    {"conntrack", "checksum", KeyType::Switch, true, 0, 0, "true",
     "A wrong transport checksum makes a packet invalid."},
    {"conntrack", "accounting", KeyType::Switch, true, 0, 0, "false",
     "Count packets and bytes per flow and direction."},
    {"conntrack", "counters", KeyType::Switch, true, 0, 0, "true",
     "Room to count them: 32 bytes per flow. Without it accounting cannot be switched on; fixed at start."},
    {"conntrack", "timestamp", KeyType::Switch, true, 0, 0, "false",
     "Listings show when a flow began and how long it lasts (nf_conntrack_timestamp)."},
    {"conntrack", "timeouts", KeyType::Map, true, 0, 0, "{}",
     "Timeouts by name, see below."},
    {"conntrack", "on_full", KeyType::Text, true, 0, 0, "early_drop",
     "A new flow that finds the table full: drop it, or (early_drop) the oldest that is not ASSURED.",
     "drop|early_drop"},
    {"conntrack", "warn_at", KeyType::Text, true, 0, 0, "",
     "Fill level of the table, such as 85%, that is logged."},
    {"conntrack", "reserve", KeyType::Text, true, 0, 0, "5%",
     "Share of the table kept for flows of essential rules; nothing without such rules."},
    {"conntrack", "adaptive", KeyType::Map, true, 0, 0, "",
     "Shorter timeouts as the table fills, see below."},
    {"conntrack", "limits", KeyType::Map, true, 0, 0, "",
     "Flows per source, see below."},
    {"conntrack.adaptive", "start", KeyType::Text, true, 0, 0, "",
     "Fill level from which timeouts shrink, such as 60%."},
    {"conntrack.adaptive", "end", KeyType::Text, true, 0, 0, "",
     "Fill level at which nothing would be left of them, such as 120%."},
    {"conntrack.limits", "per_source", KeyType::Number, true, 1, 1u << 28, "",
     "Flows that one source may have at a time, all workers together."},
    {"conntrack.limits", "prefix4", KeyType::Number, true, 8, 32, "32",
     "Bits of an IPv4 address that make a source."},
    {"conntrack.limits", "prefix6", KeyType::Number, true, 16, 128, "64",
     "Bits of an IPv6 address that make a source."},
    {"logging", "invalid", KeyType::Text, true, 1, 100000, "",
     "INVALID packets to log, at most so many per second and worker: 10/second; absent: none."},
    {"logging", "rules", KeyType::Map, true, 0, 0, "{}",
     "Where the records of log statements go, see below."},
    {"logging.rules", "to", KeyType::Text, true, 0, 0, "daemon",
     "daemon (among its own messages), syslog, journald or file.",
     "daemon|syslog|journald|file"},
    {"logging.rules", "path", KeyType::Text, true, 0, 0, "",
     "The file; required with file."},
    {"logging.rules", "format", KeyType::Text, true, 0, 0, "text",
     "text, in the layout of iptables' LOG target, or json; journald gets fields as well.",
     "text|json"},
    {"logging.rules", "max_size", KeyType::Size, true, 1u << 20, uint64_t{1} << 40, "64M",
     "The size at which the file is renamed to NAME.1 and a new one begun."},
    {"logging.rules", "files", KeyType::Number, true, 1, 100, "4",
     "How many full files are kept."},
    {"logging", "drops", KeyType::Map, false, 0, 0, "",
     "Export of dropped packets."},
    {"logging", "events", KeyType::Map, false, 0, 0, "",
     "Export of the events of flows."},
    {"reload", "established", KeyType::Text, true, 0, 0, "keep",
     "keep: flows outlive rules that would refuse them, as in iptables. recheck: they are ended."},
    {"reload", "counters", KeyType::Text, true, 0, 0, "keep",
     "keep: counters follow the id of their rule. reset: they begin at zero."},
    {"reload", "confirm", KeyType::Duration, true, 1, 86400, "",
     "`apply` goes back by itself unless `confirm` comes in this time; absent: only with --confirm."},
    {"cores", "control", KeyType::Number, true, 0, 1023, "",
     "The CPU of the control thread; absent: the first allowed one."},
    {"cores", "workers", KeyType::List, true, 1, 64, "",
     "The CPUs of the workers, or how many workers there are."},
    {"cores", "idle", KeyType::Text, true, 0, 0, "poll",
     "What a worker without packets does: poll or sleep.", "poll|sleep"},
    {"memory", "hugepages", KeyType::Text, true, 0, 0, "auto",
     "auto, always or never.", "auto|always|never"},
    {"memory", "size", KeyType::Size, true, 16u << 20, uint64_t{1} << 40, "",
     "Of the DPDK heap; absent: computed from tables and pools."},
    {"memory", "mbufs", KeyType::Number, true, 1024, 16777216, "",
     "Packet buffers; absent: computed from ports and queues."},
    {"control", "socket", KeyType::Text, true, 0, 0, "/run/rampart/rampart.sock",
     "The path of the control socket."},
    {"control", "mode", KeyType::Text, true, 0, 0, "\"0660\"",
     "Its access rights, an octal number in quotes."},
    {"control", "group", KeyType::Text, true, 0, 0, "rampart",
     "The group that owns it."},
    {"control", "state", KeyType::Text, true, 0, 0, "/var/lib/rampart",
     "The directory where the daemon keeps its configurations."},
    {"control", "confine", KeyType::Text, true, 0, 0, "full",
     "What the daemon gives up once it is ready: full: unneeded capabilities and system calls; "
     "capabilities: the first only; none.", "full|capabilities|none"},
    {"ipfix", "collector", KeyType::Text, true, 0, 0, "",
     "Its address and port, such as \"192.0.2.10:4739\" or \"[2001:db8::1]:4739\". Required."},
    {"ipfix", "transport", KeyType::Text, true, 0, 0, "udp",
     "udp, where what is lost stays lost, or tcp.", "udp|tcp"},
    {"ipfix", "source", KeyType::Text, true, 0, 0, "",
     "The address it is sent from; absent: as the kernel's routes have it."},
    {"ipfix", "domain", KeyType::Number, true, 0, 4294967295, "0",
     "The observation domain id, by which a collector tells exporters apart."},
    {"ipfix", "events", KeyType::List, true, 0, 0, "[end]",
     "What is reported of a flow: new, end."},
    {"ipfix", "template_refresh", KeyType::Duration, true, 1, 86400, "60s",
     "How often the templates are sent again over UDP."},
    {"monitoring", "listen", KeyType::Text, true, 1, 65535, "127.0.0.1:9482",
     "IPv4 address and port."},
    {"monitoring", "remote", KeyType::Switch, true, 0, 0, "false",
     "Needed for an address that other machines can reach: whoever reaches it may read everything."},
    {"monitoring", "metrics", KeyType::Switch, true, 0, 0, "true",
     "/metrics, for Prometheus."},
    {"monitoring", "rule_metrics", KeyType::Switch, true, 0, 0, "true",
     "Metrics of each rule as well; off for rule sets of ten thousands."},
    {"monitoring", "status_page", KeyType::Switch, true, 0, 0, "false",
     "A page for browsers that shows how the firewall does; it changes nothing."},
    {"sets.*", "type", KeyType::Text, true, 0, 0, "",
     "What it holds: ip, net, port, mac, iface, or ip,port net,port ip,proto,port net,net. Required."},
    {"sets.*", "elements", KeyType::List, true, 0, 0, "[]",
     "What is in it; of concatenations lists such as [192.0.2.1, udp, 53]."},
    {"sets.*", "file", KeyType::Text, true, 0, 0, "",
     "A file with further elements, one a line; an absolute path that the daemon reads."},
    {"sets.*", "dynamic", KeyType::Switch, true, 0, 0, "false",
     "Rules may add elements (add_to) and delete them."},
    {"sets.*", "timeout", KeyType::Duration, true, 1, 20000000, "",
     "How long elements stay that rules add; absent: until they are deleted."},
    {"sets.*", "max", KeyType::Number, true, 1, 1u << 25, "65536",
     "Elements that it may have."},
    {"sets.*", "counters", KeyType::Switch, true, 0, 0, "false",
     "Count packets and bytes per element, of the rules that match with it."},
    {"chains.*", "policy", KeyType::Text, true, 0, 0, "",
     "accept or drop: what happens to packets that no rule decides. Required on hooks.",
     "accept|drop"},
    {"chains.*", "rules", KeyType::List, true, 0, 0, "[]",
     "The rules, first match wins."},
    {"nat", "prerouting", KeyType::List, true, 0, 0, "[]",
     "Rules for destinations, before routing: dnat, redirect, netmap, no_nat."},
    {"nat", "postrouting", KeyType::List, true, 0, 0, "[]",
     "Rules for sources, after the chain forward: snat, masquerade, netmap, no_nat."},
    {"rule", "id", KeyType::Text, true, 0, 0, "",
     "A name that counters keep across reloads; absent: derived from the text."},
    {"rule", "comment", KeyType::Text, true, 0, 0, "",
     "Free text, shown in listings."},
    {"rule", "enabled", KeyType::Switch, true, 0, 0, "true",
     "false: the rule is checked but not used."},
    {"rule", "essential", KeyType::Switch, true, 0, 0, "false",
     "What this rule accepts may use the table's reserve (conntrack.reserve) and never gives way."},
    {"rule", "not", KeyType::Map, true, 0, 0, "",
     "Matches that must not hold, each negated on its own."},
    {"rule", "action", KeyType::Text, true, 0, 0, "",
     "What happens to the packet; absent: it is counted and the next rule is tried."},
    {"rule", "synproxy", KeyType::Map, false, 0, 0, "",
     "Options of the action synproxy."},
    {"rule", "protect", KeyType::Text, false, 0, 0, "",
     "Shorthand for synproxy rules."},
};
// clang-format on

}  // namespace

std::span<const SchemaKey> schema_keys() noexcept {
    return kKeys;
}

const SchemaKey* find_schema_key(std::string_view section, std::string_view name) noexcept {
    for (const SchemaKey& key : kKeys) {
        if (key.section == section && key.name == name) return &key;
    }
    return nullptr;
}

std::vector<std::string_view> schema_names(std::string_view section) {
    std::vector<std::string_view> names;
    for (const SchemaKey& key : kKeys) {
        if (key.section == section) names.push_back(key.name);
    }
    return names;
}

std::string_view to_string(KeyType type) noexcept {
    switch (type) {
        case KeyType::Map:
            return "a mapping";
        case KeyType::List:
            return "a list";
        case KeyType::Text:
            return "a word";
        case KeyType::Number:
            return "a number";
        case KeyType::Switch:
            return "true or false";
        case KeyType::Duration:
            return "a duration such as 30s or 2h4m";
        case KeyType::Size:
            break;
    }
    return "a size such as 512M";
}

}  // namespace rampart
