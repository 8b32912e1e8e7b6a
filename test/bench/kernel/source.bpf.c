// XDP: turns each frame of a test run into the packet of a flow, by the arithmetic of
// pattern_packet.h, and passes it to the kernel's stack.
// clang-format off: the first header has the types of the others.
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
// clang-format on

#include "source.h"

struct source source;
char licence_text[] SEC("license") = "GPL";

static __always_inline unsigned int words(unsigned int value) {
    return (value & 0xffff) + (value >> 16);
}

static __always_inline unsigned short folded(unsigned int sum) {
    return ~words(words(sum));
}

static __always_inline unsigned long long next_index(void) {
    unsigned long long x = source.random;
    if (!source.is_random) return source.next++;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    source.random = x;
    return ((x >> 32) * source.flows) >> 32;
}

SEC("xdp")
int make_packet(struct xdp_md* context) {
    unsigned char* p = (unsigned char*)(long)context->data;
    unsigned long long at = next_index();
    unsigned int client = bpf_htonl(0x0a000000u | (at & 0x3fff) | ((at >> 25 & 0xff) << 14));
    unsigned int server = bpf_htonl(0xc6120000u | (at & 0x7f) | ((at >> 15 & 0x3ff) << 7));
    unsigned short client_port = bpf_htons(0x8000 | (at & 0x7fff));
    unsigned short server_port = bpf_htons(source.is_tcp ? 80 : 53);
    unsigned int addresses = words(client) + words(server);
    unsigned short* h;
    unsigned int sum, i;

    if (p + 60 > (unsigned char*)(long)context->data_end) return XDP_ABORTED;
    source.done++;
    for (i = 0; i < 12; i++)
        p[i] = source.link[i];
    for (i = 12; i < 60; i += 2)
        *(unsigned short*)(p + i) = 0;
    h = (unsigned short*)(p + 12);
    h[0] = bpf_htons(0x0800);
    h[1] = bpf_htons(0x4500);
    h[2] = bpf_htons(source.is_tcp ? 40 : 46);
    h[5] = bpf_htons(64 << 8 | (source.is_tcp ? 6 : 17));
    h[6] = folded(h[1] + h[2] + h[5] + addresses);
    *(unsigned int*)(h + 7) = source.is_reply ? server : client;
    *(unsigned int*)(h + 9) = source.is_reply ? client : server;
    h[11] = source.is_reply ? server_port : client_port;
    h[12] = source.is_reply ? client_port : server_port;
    sum = addresses + client_port + server_port + bpf_htons(source.is_tcp ? 6 : 17);
    if (source.is_tcp) {
        *(unsigned int*)(h + 13) = bpf_htonl(source.seq);
        *(unsigned int*)(h + 15) = bpf_htonl(source.ack);
        h[17] = bpf_htons(0x5000 | source.tcp_flags);
        h[18] = bpf_htons(0x4000);
        sum += h[13] + h[14] + h[15] + h[16] + h[17] + h[18] + bpf_htons(20);
        h[19] = folded(sum);
    } else {
        h[13] = bpf_htons(26);
        sum += h[13] + bpf_htons(26);
        h[14] = folded(sum);
    }
    return XDP_PASS;
}
