// The target types, one per file of this folder. Only registry.cc lists them.
#pragma once

#include "rules/target.h"

namespace rampart {

extern const TargetType kTargetAccept;
extern const TargetType kTargetDrop;
extern const TargetType kTargetReject;
extern const TargetType kTargetReturn;
extern const TargetType kTargetContinue;
extern const TargetType kTargetJump;
extern const TargetType kTargetLog;
extern const TargetType kTargetNotrack;
extern const TargetType kTargetGoto;
extern const TargetType kTargetDnat;
extern const TargetType kTargetRedirect;
extern const TargetType kTargetSnat;
extern const TargetType kTargetMasquerade;
extern const TargetType kTargetNetmap;
extern const TargetType kTargetNoNat;

}  // namespace rampart
