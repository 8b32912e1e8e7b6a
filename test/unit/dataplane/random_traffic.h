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
// With effects: also rejects, and rules that change or look at the flow itself. These may tell the
// packets of a burst, which are all tracked before the first of them is judged, from single ones.
std::string random_config(std::mt19937_64& random, bool with_effects = true);
Arrival random_arrival(std::mt19937_64& random);

}  // namespace rampart::test
