// Sends packets of source.bpf.c up the kernel's stack as if two interfaces had received them.
//
//   drive OBJECT CLIENT_IF SERVER_IF udp|tcp established|new FLOWS SECONDS
//
// `established`: all requests, all replies, for TCP all ACKs, then random packets of both
// directions in turn, one window for each line that it reads, until the end of its input. `new`:
// FLOWS first packets, for each line. Prints a line for each window: nanoseconds of this thread's
// CPU time, and packets.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "source.h"

#define CHUNK (1u << 16)

static struct source* source;
static int program;
static unsigned interfaces[2];
static unsigned char addresses[2][6];

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void fail(const char* what) {
    perror(what);
    exit(1);
}

static void send_packets(int is_reply, unsigned count) {
    static unsigned char frame[60];
    struct xdp_md context = {.data_end = sizeof(frame), .ingress_ifindex = interfaces[is_reply]};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame),
                .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = (int)count,
                .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 64);
    source->is_reply = (unsigned)is_reply;
    memcpy(source->link, addresses[is_reply], 6);
    if (bpf_prog_test_run_opts(program, &options) != 0) fail("BPF_PROG_TEST_RUN");
}

static void set_segment(unsigned char flags, unsigned seq, unsigned ack) {
    source->tcp_flags = flags;
    source->seq = seq;
    source->ack = ack;
}

static void pass(int is_reply) {
    source->next = 0;
    for (unsigned left = source->flows; left != 0;) {
        const unsigned count = left < CHUNK ? left : CHUNK;
        send_packets(is_reply, count);
        left -= count;
    }
}

static void open_flows(void) {
    set_segment(0x02, 1000, 0);
    pass(0);
    set_segment(0x12, 5000, 1001);
    pass(1);
    if (!source->is_tcp) return;
    set_segment(0x10, 1001, 5001);
    pass(0);
}

static void play_window(double length) {
    const double end = seconds(CLOCK_MONOTONIC) + length;
    source->is_random = 1;
    while (seconds(CLOCK_MONOTONIC) < end)
        for (int is_reply = 0; is_reply < 2; is_reply++) {
            set_segment(0x10, is_reply ? 5001 : 1001, is_reply ? 1001 : 5001);
            send_packets(is_reply, CHUNK);
        }
}

static void load(char** argument) {
    struct ifreq request;
    struct bpf_map* map;
    const int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct bpf_object* object = bpf_object__open_file(argument[1], NULL);
    if (object == NULL || bpf_object__load(object) != 0) fail(argument[1]);
    program = bpf_program__fd(bpf_object__find_program_by_name(object, "make_packet"));
    bpf_object__for_each_map(map, object) if (strstr(bpf_map__name(map), ".bss") != NULL) source =
        mmap(NULL, (size_t)getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
    if (source == NULL || source == MAP_FAILED) fail("the program's data");
    for (int i = 0; i < 2; i++) {
        snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", argument[2 + i]);
        interfaces[i] = if_nametoindex(argument[2 + i]);
        if (interfaces[i] == 0 || ioctl(socket_fd, SIOCGIFHWADDR, &request) != 0)
            fail(argument[2 + i]);
        memcpy(addresses[i], request.ifr_hwaddr.sa_data, 6);
    }
    memcpy(source->link + 6, "\x02pat\x01", 6);
}

int main(int argc, char** argv) {
    char line[16];
    if (argc != 8) {
        fprintf(stderr,
                "usage: drive OBJECT CLIENT_IF SERVER_IF udp|tcp established|new FLOWS SECONDS\n");
        return 2;
    }
    load(argv);
    source->is_tcp = strcmp(argv[4], "tcp") == 0;
    source->flows = (unsigned)strtoul(argv[6], NULL, 0);
    source->random = 88172645463325252ull;
    const int is_new = strcmp(argv[5], "new") == 0;
    if (!is_new) open_flows();
    unsigned long long next = 1ull << 28;
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        const unsigned long long done = source->done;
        const double cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
        if (is_new) {
            set_segment(0x02, 1000, 0);
            source->next = next;
            send_packets(0, source->flows);
            next += source->flows;
        } else {
            play_window(atof(argv[7]));
        }
        printf("%.0f %llu\n", (seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) * 1e9, source->done - done);
        fflush(stdout);
    }
    return 0;
}
