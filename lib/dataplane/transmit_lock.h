// TransmitLock: for ports that have fewer transmit queues than there are workers.
//
// Real NICs and most virtual ports give every worker a queue of its own, and no lock is taken. Some
// (net_pcap, a TAP bound to one queue) do not; then the workers take turns.
#pragma once

#include <rte_spinlock.h>

namespace rampart {

class TransmitLock {
  public:
    TransmitLock() noexcept { rte_spinlock_init(&lock_); }
    void lock() noexcept { rte_spinlock_lock(&lock_); }
    void unlock() noexcept { rte_spinlock_unlock(&lock_); }

  private:
    rte_spinlock_t lock_;
};

// Does nothing for a null lock.
class TransmitGuard {
  public:
    explicit TransmitGuard(TransmitLock* lock) noexcept : lock_(lock) {
        if (lock_ != nullptr) lock_->lock();
    }
    ~TransmitGuard() {
        if (lock_ != nullptr) lock_->unlock();
    }
    TransmitGuard(const TransmitGuard&) = delete;
    TransmitGuard& operator=(const TransmitGuard&) = delete;

  private:
    TransmitLock* lock_;
};

}  // namespace rampart
