#include "support/ring_port.h"

#include <stdexcept>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

namespace rampart::test {
namespace {

rte_ring* make_ring(unsigned slots) {
    const std::string name = DpdkSession::get().unique_name("port-ring");
    rte_ring* ring = rte_ring_create(name.c_str(), slots, -1, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (ring == nullptr) throw std::runtime_error("no memory for a ring");
    return ring;
}

uint16_t note_received(uint16_t, uint16_t, rte_mbuf**, uint16_t count, uint16_t, void* put) {
    static_cast<void>(static_cast<std::atomic<uint64_t>*>(put)->load(std::memory_order_acquire));
    return count;
}

uint16_t note_sending(uint16_t, uint16_t, rte_mbuf**, uint16_t count, void* sent) {
    static_cast<std::atomic<uint64_t>*>(sent)->fetch_add(1, std::memory_order_release);
    return count;
}

}  // namespace

RingPort::RingPort(uint16_t queues, unsigned receive_slots, unsigned transmit_slots) {
    DpdkSession& session = DpdkSession::get();
    for (uint16_t queue = 0; queue < queues; ++queue) {
        receive_.push_back(make_ring(receive_slots));
        transmit_.push_back(make_ring(transmit_slots));
    }
    const int id = rte_eth_from_rings(session.unique_name("ring-port").c_str(), receive_.data(),
                                      queues, transmit_.data(), queues, 0);
    if (id < 0) throw std::runtime_error("no port could be made of rings");
    id_ = static_cast<uint16_t>(id);
    const rte_eth_conf conf{};
    bool is_good = rte_eth_dev_configure(id_, queues, queues, &conf) == 0;
    for (uint16_t queue = 0; queue < queues; ++queue)
        is_good =
            is_good &&
            rte_eth_rx_queue_setup(id_, queue, 64, SOCKET_ID_ANY, nullptr, session.pool()) == 0 &&
            rte_eth_tx_queue_setup(id_, queue, 64, SOCKET_ID_ANY, nullptr) == 0;
    for (uint16_t queue = 0; is_good && queue < queues; ++queue) {
        on_receive_.push_back(rte_eth_add_rx_callback(id_, queue, note_received, &put_));
        on_send_.push_back(rte_eth_add_tx_callback(id_, queue, note_sending, &sent_));
        is_good = on_receive_.back() != nullptr && on_send_.back() != nullptr;
    }
    if (!is_good || rte_eth_dev_start(id_) != 0)
        throw std::runtime_error("a port made of rings does not start");
}

RingPort::~RingPort() {
    rte_eth_dev_stop(id_);
    // The next port may get this one's number, and with it what is not removed.
    for (uint16_t queue = 0; queue < on_receive_.size(); ++queue) {
        rte_eth_remove_rx_callback(id_, queue, on_receive_[queue]);
        rte_eth_remove_tx_callback(id_, queue, on_send_[queue]);
        rte_free(const_cast<rte_eth_rxtx_callback*>(on_receive_[queue]));
        rte_free(const_cast<rte_eth_rxtx_callback*>(on_send_[queue]));
    }
    rte_eth_dev_close(id_);
    take();
    for (const auto* rings : {&receive_, &transmit_}) {
        for (rte_ring* ring : *rings) {
            void* mbuf = nullptr;
            while (rte_ring_dequeue(ring, &mbuf) == 0)
                rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
            rte_ring_free(ring);
        }
    }
}

bool RingPort::put(uint16_t queue, rte_mbuf* mbuf) {
    put_.fetch_add(1, std::memory_order_release);
    return rte_ring_enqueue(receive_[queue], mbuf) == 0;
}

std::vector<Bytes> RingPort::take() {
    std::vector<Bytes> frames;
    for (rte_ring* ring : transmit_) {
        void* mbuf = nullptr;
        while (rte_ring_dequeue(ring, &mbuf) == 0) {
            static_cast<void>(sent_.load(std::memory_order_acquire));
            frames.push_back(bytes_of(static_cast<rte_mbuf*>(mbuf)));
            rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
        }
    }
    return frames;
}

}  // namespace rampart::test
