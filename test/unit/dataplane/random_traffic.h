// Random rules and random conversations, for tests that compare two ways to the same verdicts.
//
// Few addresses, ports and rules, so that packets meet flows and rules often. Deterministic by
// seed.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "support/pipeline.h"

namespace rampart::test {

// The text of a configuration with random chains over what random_arrival() sends.
std::string random_config(std::mt19937_64& random, bool with_reject = true);
Arrival random_arrival(std::mt19937_64& random);

}  // namespace rampart::test
