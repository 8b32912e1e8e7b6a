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
extern const MatchType kMatchIcmp;
extern const MatchType kMatchIcmpv6;
extern const MatchType kMatchState;
extern const MatchType kMatchCtDir;

}  // namespace rampart
