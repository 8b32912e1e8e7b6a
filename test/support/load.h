// load(): a configuration text becomes a Snapshot, as the daemon would load it.
//
// Throws std::runtime_error with the loader's diagnostics when the text is wrong: in a test that is
// a mistake of the test. config_with() frames a forward chain with a transparent pair named lan and
// wan.
#pragma once

#include <memory>
#include <string>

#include "rules/snapshot.h"

namespace rampart::test {

std::unique_ptr<Snapshot> load(const std::string& text, const std::string& path = "test.yaml");

// `forward` is the body of the chain: "{ policy: accept }", or YAML indented by four.
std::string config_with(const std::string& forward, const std::string& rest = "");

}  // namespace rampart::test
