#include "support/dpdk_session.h"

#include <algorithm>
#include <cstring>
#include <sched.h>
#include <stdexcept>

#include <rte_mbuf.h>

#include "dataplane/datagram_mark.h"

namespace rampart::test {

constexpr uint32_t kMbufs = 8191;

DpdkSession& DpdkSession::get() {
    // Never destroyed: EAL cannot start twice, and tests' statics may still hold tables.
    static DpdkSession* session = new DpdkSession;
    return *session;
}

DpdkSession::DpdkSession() {
    // EAL binds the caller to its lcore; the threads of tests shall run anywhere.
    cpu_set_t allowed;
    const int got = sched_getaffinity(0, sizeof(allowed), &allowed);
    int cpu = 0;
    while (got == 0 && cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &allowed))
        ++cpu;
    const std::string lcore = "0@" + std::to_string(cpu);
    auto eal = Eal::start({"--no-huge", "--no-pci", "--no-shconf", "-m", "256", "--no-telemetry",
                           "--log-level", "error", "--lcores", lcore});
    if (!eal) throw std::runtime_error(eal.error().message);
    if (got == 0) sched_setaffinity(0, sizeof(allowed), &allowed);
    eal_ = std::move(*eal);
    if (const auto marked = register_datagram_mark(); !marked)
        throw std::runtime_error(marked.error().message);
    auto pool = PacketPool::create("test-packets", kMbufs, -1);
    if (!pool) throw std::runtime_error(pool.error().message);
    pool_ = std::move(*pool);
}

rte_mbuf* DpdkSession::make_mbuf(std::span<const uint8_t> frame, std::span<const uint32_t> cuts) {
    rte_mbuf* head = nullptr;
    rte_mbuf** tail = &head;
    size_t first = 0;
    uint16_t segments = 0;
    for (size_t at = 0; at <= cuts.size(); ++at) {
        const size_t last =
            at < cuts.size() ? std::min<size_t>(cuts[at], frame.size()) : frame.size();
        rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_->get());
        if (mbuf == nullptr) throw std::runtime_error("the tests' packet pool is empty");
        char* room = rte_pktmbuf_append(mbuf, static_cast<uint16_t>(last - first));
        if (room == nullptr) throw std::runtime_error("a test frame does not fit an mbuf");
        if (last != first) std::memcpy(room, frame.data() + first, last - first);
        *tail = mbuf;
        tail = &mbuf->next;
        first = last;
        ++segments;
    }
    head->nb_segs = segments;
    head->pkt_len = static_cast<uint32_t>(frame.size());
    return head;
}

uint32_t DpdkSession::mbufs_out() const {
    return pool_->size() - pool_->available();
}

std::string DpdkSession::unique_name(const std::string& stem) {
    return stem + std::to_string(next_name_++);
}

Bytes bytes_of(const rte_mbuf* mbuf) {
    Bytes out;
    for (; mbuf != nullptr; mbuf = mbuf->next) {
        const uint8_t* data = rte_pktmbuf_mtod(mbuf, const uint8_t*);
        out.insert(out.end(), data, data + mbuf->data_len);
    }
    return out;
}

}  // namespace rampart::test
