// Cycles for what begins and ends a flow, in process() alone: no ports, no clock in the loop.
//
//   new flow    one packet of UDP, in a table that is 75 % full, the rules that admit it and a
//   number
//               of others before them; in the room of one that ended
//   connection  SYN, SYN-ACK, ACK, request, response, FIN, FIN-ACK, ACK: per step, while as many
//               others as said are open; then its end in TIME_WAIT, by the ager's command
//
// Medians over bursts of 64. Arguments: --rules N, --flows N, --huge.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <rte_cycles.h>

#include "dataplane/mailbox.h"
#include "packet/checksum.h"
#include "packet_bed.h"

namespace rampart {
namespace {

double median_of(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

uint32_t number_after(int argc, char** argv, const std::string& option, uint32_t otherwise) {
    char** found = std::find(argv + 1, argv + argc, option);
    return found + 1 < argv + argc ? static_cast<uint32_t>(std::atoi(found[1])) : otherwise;
}

// Rules that no packet here matches.
std::string other_rules(uint32_t count) {
    std::string rules;
    for (uint32_t i = 0; i < count; ++i)
        rules += "      - { in: inside, src: 172." + std::to_string(16 + (i >> 16)) + "." +
                 std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255) + ", dst: 198.18." +
                 std::to_string(i & 255) +
                 ".0/24, proto: udp, dport: " + std::to_string(1000 + i % 500) +
                 ", state: new, action: accept }\n";
    return rules;
}

struct Step {
    const char* name;
    bool is_reply;
    uint8_t flags;
    uint32_t seq, ack;
};
constexpr uint32_t kOurs = 1000, kTheirs = 5000;
constexpr Step kConnection[] = {
    {"SYN", false, 0x02, kOurs, 0},
    {"SYN-ACK", true, 0x12, kTheirs, kOurs + 1},
    {"ACK", false, 0x10, kOurs + 1, kTheirs + 1},
    {"request", false, 0x18, kOurs + 1, kTheirs + 1},
    {"response", true, 0x18, kTheirs + 1, kOurs + 1},
    {"FIN", false, 0x11, kOurs + 1, kTheirs + 1},
    {"FIN-ACK", true, 0x11, kTheirs + 1, kOurs + 2},
    {"last ACK", false, 0x10, kOurs + 2, kTheirs + 2},
};
constexpr size_t kSteps = std::size(kConnection), kOpened = 5;

class SetupBench {
  public:
    SetupBench(uint32_t flows, uint32_t rules)
        : flows_(flows),
          bed_({.name = "setup",
                .capacity = flows * 4 / 3,
                .configuration = std::string(kBridged) + kChains + other_rules(rules) + kRules,
                .is_checked = true}),
          slot_of_(flows) {
        // Slots are given out in no order from here on, as in a table that has been in use.
        for (uint32_t flow = 0; flow < flows_; flow += kBurstSize)
            open(kOthers + flow, nullptr);
        std::shuffle(slot_of_.begin(), slot_of_.end(), std::mt19937(7));
        for (uint32_t flow = 0; flow < flows_; flow += kBurstSize)
            end(flow);
    }

    void run_new_flows() {
        std::vector<double> opening, ending;
        uint32_t next = 0;
        for (; next < flows_; next += kBurstSize)
            open(next, nullptr);
        for (uint32_t round = 0; round < kRounds; ++round) {
            for (uint32_t at = 0; at < kTogether; at += kBurstSize)
                ending.push_back(end(next - flows_ + at));
            for (uint32_t at = 0; at < kTogether; at += kBurstSize, next += kBurstSize)
                opening.push_back(open(next, nullptr));
        }
        std::printf("new flow, %u flows in the table: %.0f cycles, its end: %.0f\n",
                    bed_.table().count(), median_of(opening), median_of(ending));
    }

    void run_connections() {
        std::vector<std::vector<double>> cycles(kSteps + 1);
        uint32_t next = 0;
        for (; next < flows_; next += kBurstSize)
            for (size_t step = 0; step < kOpened; ++step)
                open(next, &kConnection[step]);
        for (uint32_t round = 0; round < kRounds; ++round) {
            for (uint32_t at = 0; at < kTogether; at += kBurstSize)
                for (size_t step = kOpened; step < kSteps; ++step)
                    cycles[step].push_back(open(next - flows_ + at, &kConnection[step]));
            for (uint32_t at = 0; at < kTogether; at += kBurstSize)
                cycles[kSteps].push_back(end(next - flows_ + at));
            for (uint32_t at = 0; at < kTogether; at += kBurstSize, next += kBurstSize)
                for (size_t step = 0; step < kOpened; ++step)
                    cycles[step].push_back(open(next, &kConnection[step]));
        }
        double sum = 0;
        std::printf("connection, %u open:", bed_.table().count());
        for (size_t step = 0; step <= kSteps; ++step) {
            const double median = median_of(cycles[step]);
            std::printf("  %s %.0f", step < kSteps ? kConnection[step].name : "its end", median);
            sum += median;
        }
        std::printf("  sum %.0f\n", sum);
    }

  private:
    // So many end, and then begin, at a time: more than a cache holds.
    static constexpr uint32_t kTogether = 1 << 14, kRounds = 24;
    static constexpr uint32_t kOthers = 1u << 31;

    // The next packet of 64 flows from `first` on, in no order that the memory knows.
    double open(uint32_t first, const Step* step) {
        uint8_t frame[kFrameBytes];
        for (uint32_t i = 0; i < kBurstSize; ++i) {
            const uint32_t flow = first + i;
            Packet4 packet{.src = 0x0a000000 + (flow & 0xffffff),
                           .dst = 0xc0a80000 + flow % 251,
                           .sport = static_cast<uint16_t>(1024 + (flow >> 24)),
                           .dport = 80,
                           .tcp = step != nullptr};
            if (step != nullptr) {
                packet.flags = step->flags;
                packet.seq = step->seq;
                packet.ack = step->ack;
                if (step->is_reply) {
                    std::swap(packet.src, packet.dst);
                    std::swap(packet.sport, packet.dport);
                }
            }
            bed_.load_frame(i, frame, write_frame(frame, packet),
                            step != nullptr && step->is_reply);
        }
        const double cycles = bed_.send(kBurstSize);
        for (uint32_t i = 0; i < kBurstSize; ++i)
            slot_of_[(first + i) % flows_] = bed_.burst().flow[i].index();
        return cycles;
    }

    // 64 of them, as the ager's commands end them.
    double end(uint32_t first) {
        const FlowIndex* slots = &slot_of_[first % flows_];
        FlowTable& table = bed_.table();
        const uint64_t start = rte_rdtsc_precise();
        for (uint32_t at = 0; at < kBurstSize; at += kCommandsAtOnce) {
            for (uint32_t i = at; i < at + kCommandsAtOnce; ++i)
                table.prefetch_slot(slots[i]);
            for (uint32_t i = at; i < at + kCommandsAtOnce; ++i)
                table.prefetch_end_if_due(slots[i], table.flow(slots[i]).deadline.load());
            for (uint32_t i = at; i < at + kCommandsAtOnce; ++i)
                table.erase(slots[i]);
            table.end_burst();
        }
        return static_cast<double>(rte_rdtsc_precise() - start) / kBurstSize;
    }

    uint32_t flows_;
    PacketBed bed_;
    std::vector<FlowIndex> slot_of_;  // by flow, of those that are open
};

}  // namespace
}  // namespace rampart

int main(int argc, char** argv) {
    const auto eal = rampart::start_eal(argc, argv);
    if (eal == nullptr) return 1;
    const uint32_t flows = rampart::number_after(argc, argv, "--flows", 1 << 20);
    const uint32_t rules = rampart::number_after(argc, argv, "--rules", 10000);
    rampart::SetupBench(flows, rules).run_new_flows();
    rampart::SetupBench(flows, rules).run_connections();
    return 0;
}
