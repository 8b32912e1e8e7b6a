// The modules of iptables by group. Only registry.cc lists them.
#pragma once

#include "import/module.h"

namespace rampart {

// headers.cc: what stands in the packet.
extern const Module kMatchTcpOptions, kMatchUdpOptions, kMatchSctpOptions, kMatchMultiport,
    kMatchIcmpType, kMatchIcmp6Type, kMatchIprange, kMatchMacOptions, kMatchDscpOptions,
    kMatchTtlOptions, kMatchHopLimit, kMatchLengthOptions;
// origin.cc: where the packet comes from and goes to.
extern const Module kMatchPkttype, kMatchAddrtype, kMatchPhysdev, kMatchRpfilter;
// tracking.cc: what connection tracking knows.
extern const Module kMatchStateOptions, kMatchConntrackOptions, kMatchMarkOptions, kMatchConnmark,
    kMatchHelperOptions, kMatchComment;
// rates.cc
extern const Module kMatchLimitOptions, kMatchHashlimit, kMatchConnlimitOptions;
// sets.cc
extern const Module kMatchSetOptions, kMatchRecent, kTargetSetOptions;
// statements.cc
extern const Module kTargetLogOptions, kTargetNflog, kTargetMarkOptions, kTargetConnmark,
    kTargetDscpOptions, kTargetTcpmss;
// verdicts.cc
extern const Module kTargetRejectOptions, kTargetCt, kTargetNotrackOptions, kTargetSynproxyOptions;
// translation.cc
extern const Module kTargetSnatOptions, kTargetDnatOptions, kTargetMasqueradeOptions,
    kTargetRedirectOptions, kTargetNetmapOptions;

}  // namespace rampart
