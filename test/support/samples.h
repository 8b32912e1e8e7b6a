// Sample frames: one of every kind that the parser tells apart, as packet lines; and mutations.
//
// Used by the parser's tests, the random tests and as seeds of the fuzzers. Constants.
#pragma once

#include <algorithm>
#include <random>
#include <string_view>

#include "support/frame.h"

namespace rampart::test {

inline constexpr std::string_view kSampleLines[] = {
    "tcp 10.0.0.2:4000 > 192.0.2.1:80 S seq 1000 opt mss,nop,wscale=7,sackok,ts",
    "tcp 192.0.2.1:80 > 10.0.0.2:4000 SA seq 5000 ack 1001 opt mss,wscale=7 vlan 20",
    "tcp 10.0.0.2:4000 > 192.0.2.1:80 P. seq 1001 ack 5001 len 100 opt nop,nop,sack=5100-5200",
    "tcp 10.0.0.2:4000 > 192.0.2.1:80 F. seq 1101 ack 5001",
    "tcp 10.0.0.2:4000 > 192.0.2.1:80 R seq 1102",
    "tcp [2001:db8:1::2]:4000 > [2001:db8:2::1]:443 S seq 7 opt mss",
    "udp 10.0.0.2:4000 > 192.0.2.1:53 len 30",
    "udp 192.0.2.1:53 > 10.0.0.2:4000 len 333 ip-options 0707040000000000",
    "udp [2001:db8:1::2]:4000 > [2001:db8:2::1]:53 len 30 ext hop-by-hop ext destination ext ah",
    "udp [2001:db8:1::2]:4000 > [2001:db8:2::1]:53 len 30 ext fragment",
    "udp 10.0.0.2:4000 > 192.0.2.1:53 len 30 mf",
    "icmp 10.0.0.2 > 192.0.2.1 echo-request id 7 len 56",
    "icmp 192.0.2.1 > 10.0.0.2 echo-reply id 7 len 56",
    "icmp 198.51.100.1 > 10.0.0.2 error 3/3 about udp 10.0.0.2:4000 > 192.0.2.1:53 len 30",
    "icmp 198.51.100.1 > 10.0.0.2 error 11/0 about tcp 10.0.0.2:4000 > 192.0.2.1:80 S seq 1000",
    "icmp 198.51.100.1 > 10.0.0.2 error 3/1 about icmp 10.0.0.2 > 192.0.2.1 echo-request id 7",
    "icmp 2001:db8:9::9 > 2001:db8:1::2 error 2/0 about udp [2001:db8:1::2]:4000 > "
    "[2001:db8:2::1]:53 len 30 ext fragment",
    "icmp 2001:db8:1::2 > 2001:db8:2::1 echo-request id 7 len 8",
    "icmp fe80::2 > ff02::1:ff00:1 135/0 ttl 255 len 24",
    "icmp fe80::2 > ff02::16 143/0 ttl 1 len 24 ext hop-by-hop",
    "ip 10.0.0.2 > 192.0.2.1 proto 47 len 40",
    "ip 10.0.0.2 > 192.0.2.1 proto 132 len 40",
    "sctp 10.0.0.2:3000 > 192.0.2.1:4000 vtag 0 init tag 17",
    "sctp 10.0.0.2:3000 > 192.0.2.1:4000 vtag 34 cookie-echo data sack",
    "sctp [2001:db8:1::2]:3000 > [2001:db8:2::1]:4000 vtag 34 heartbeat data ext destination",
    "gre 10.0.0.2 > 192.0.2.1 key 7 len 40",
    "gre 192.0.2.1 > 10.0.0.2 call 7 len 40",
    "udplite 10.0.0.2:3000 > 192.0.2.1:4000 coverage 20 sum-as 17 len 40",
    "icmp fe80::1 > 2001:db8:1::2 redirect-to 2001:db8:2::1 option 4 9 ttl 255 about udp "
    "[2001:db8:1::2]:4000 > [2001:db8:2::1]:53 len 16",
    "icmp 198.51.100.1 > 10.0.0.2 error 3/2 about gre 10.0.0.2 > 192.0.2.1 call 7 len 20",
    "arp",
    "ether 0x88cc",
};

// A few random changes to bytes near the front, or to the length.
inline void mutate(Bytes& frame, std::mt19937_64& random) {
    const unsigned changes = 1 + static_cast<unsigned>(random() % 4);
    for (unsigned i = 0; i < changes && !frame.empty(); ++i) {
        const size_t at = random() % std::min<size_t>(frame.size(), 110);
        switch (random() % 5) {
            case 0:
                frame[at] = static_cast<uint8_t>(random());
                break;
            case 1:
                frame[at] ^= static_cast<uint8_t>(1u << random() % 8);
                break;
            case 2:
                frame[at] = random() % 2 ? 0xff : 0;
                break;
            case 3:
                frame.resize(at + 1);
                break;
            case 4:
                frame.insert(frame.begin() + static_cast<long>(at), frame[at]);
                break;
        }
    }
}

}  // namespace rampart::test
