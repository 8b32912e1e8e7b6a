// Listening ports: where programs of this network namespace wait for strangers.
//
// TCP sockets that listen and UDP sockets without a peer, on any address but loopback's. Asks the
// kernel anew each time, some microseconds per socket. Any thread. Source: sock_diag(7).
#pragma once

#include "base/port_set.h"
#include "base/result.h"

namespace rampart {

Result<PortSets> read_listening_ports();

}  // namespace rampart
