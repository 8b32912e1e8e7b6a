// Who asks, for the log and the history. Control thread.
#pragma once

#include <string>

#include "control/api_protocol.h"

namespace rampart {

// "alice (uid 1000), pid 812".
std::string describe_caller(const ApiPeer& peer);

}  // namespace rampart
