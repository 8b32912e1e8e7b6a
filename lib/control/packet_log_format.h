// Packet log format: one logged packet as text and as JSON. Pure functions, any thread.
//
// The text is that of iptables' LOG target (Linux 6.1, net/netfilter/nf_log_syslog.c, without the
// options that print sequence numbers or header options), field by field, so that what reads those
// lines reads these. Behind it stands which rule logged the packet and what that rule did.
#pragma once

#include <string>

#include "control/json.h"
#include "rules/packet_log.h"

namespace rampart {

// What the record's numbers stand for.
struct PacketLogNames {
    std::string prefix;
    std::string in, out;  // empty: none
    std::string chain, rule, place;
    std::string action;  // "drop"; "continue" for a rule that only logs
};

// "INPUT drop: IN=lan OUT=wan MAC=... SRC=... URGP=0 rule=ID action=drop"
std::string packet_log_text(const PacketLogRecord& record, const PacketLogNames& names);
Json packet_log_json(const PacketLogRecord& record, const PacketLogNames& names);

}  // namespace rampart
