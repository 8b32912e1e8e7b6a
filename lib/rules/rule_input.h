// RuleInput: everything a match may look at, for one packet.
//
// Filled by the classify stage on the worker's stack just before the chains are walked; the chain
// sees the packet with its own direction's tuple (after destination translation, before source
// translation, once NAT exists). Valid only during the walk.
#pragma once

#include "conntrack/ct_class.h"
#include "packet/packet.h"
#include "packet/tuple.h"
#include "rules/interface.h"

namespace rampart {

struct RuleInput {
    const Packet& packet;
    const Tuple& tuple;  // of this packet, in its own direction
    CtClass ct_class = CtClass::Invalid;
    Direction direction = Direction::Original;
    InterfaceIndex in = kNoInterface;
    InterfaceIndex out = kNoInterface;
};

}  // namespace rampart
