// Frames, tuples and flows as text, in the words of the packet lines.
//
// The printer reads the bytes by itself, without lib/packet, and checks what it prints: a wrong
// length or checksum shows as "bad-ip-checksum", "bad-checksum" or "bad-length". Test code only.
#pragma once

#include <string>

#include "packet/tuple.h"
#include "support/frame.h"

namespace rampart::test {

// "tcp 192.0.2.1:80 > 10.0.0.2:4000 RA seq 0 ack 1001 win 0 len 0 ttl 64"
std::string frame_text(const Bytes& frame);
// "udp 10.0.0.2:4000 > 192.0.2.1:53", "icmp 10.0.0.2 > 192.0.2.1 echo-request id 7"
std::string tuple_text(const Tuple& tuple);

}  // namespace rampart::test
