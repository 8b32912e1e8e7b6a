// Random rules of every kind that the classifier knows, and packets that meet them.
//
// Few networks, ports and interfaces, so that rules overlap and packets often stand at their edges.
// Deterministic by seed.
#pragma once

#include <random>
#include <string>

#include "rules/rule_input.h"

namespace rampart::test {

// A configuration with a forward chain and three user chains, up to 60 rules each, and three sets.
std::string random_rule_set(std::mt19937_64& random);
// A rule that fits into each of them.
std::string random_rule(std::mt19937_64& random);

struct RandomPacket {
    Packet packet;
    Tuple tuple;
    CtClass ct_class = CtClass::New;
    Direction direction = Direction::Original;
    InterfaceIndex in = 0;
    InterfaceIndex out = 1;

    RandomPacket() noexcept;
};

RandomPacket random_packet(std::mt19937_64& random);

}  // namespace rampart::test
