// The match types, one per file of this folder. Only registry.cc lists them.
#pragma once

#include "rules/match.h"

namespace rampart {

extern const MatchType kMatchIn;
extern const MatchType kMatchOut;
extern const MatchType kMatchFamily;
extern const MatchType kMatchProto;
extern const MatchType kMatchSrc;
extern const MatchType kMatchDst;
extern const MatchType kMatchSport;
extern const MatchType kMatchDport;
extern const MatchType kMatchMatch;
extern const MatchType kMatchIcmp;
extern const MatchType kMatchIcmpv6;
extern const MatchType kMatchState;
extern const MatchType kMatchCtDir;
extern const MatchType kMatchCtStatus;
extern const MatchType kMatchCtHelper;
extern const MatchType kMatchSrcType;
extern const MatchType kMatchDstType;
extern const MatchType kMatchDstIface;
extern const MatchType kMatchCheck;
extern const MatchType kMatchCtMark;
extern const MatchType kMatchMark;
extern const MatchType kMatchTcpFlags;
extern const MatchType kMatchMacSrc;
extern const MatchType kMatchVlan;
extern const MatchType kMatchDscp;
extern const MatchType kMatchTtl;
extern const MatchType kMatchLength;
extern const MatchType kMatchFrag;
extern const MatchType kMatchPktType;
extern const MatchType kMatchTime;
extern const MatchType kMatchConnlimit;
extern const MatchType kMatchLimit;

}  // namespace rampart
