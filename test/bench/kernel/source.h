// What the kernel's packet source and the program that drives it share: one page of global data.
#pragma once

struct source {
    unsigned long long next;    // the index of the next flow, in passes
    unsigned long long random;  // the state of the generator, in random order
    unsigned long long done;    // packets made
    unsigned int flows, is_random, is_reply, is_tcp, seq, ack;
    unsigned char tcp_flags, link[12], unused[3];
};
