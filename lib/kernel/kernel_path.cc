#include "kernel/kernel_path.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <rte_mbuf.h>

namespace rampart {
namespace {

constexpr uint32_t kBurst = 64;            // packets from a worker or a twin at a time
constexpr size_t kMostSegments = 16;       // of a packet to the kernel
constexpr uint16_t kLinkHeaderBytes = 18;  // Ethernet with one VLAN tag
constexpr timespec kIdlePeriod{0, 1'000'000};
constexpr timespec kBusyPeriod{0, 50'000};
constexpr uint64_t kCarrierPeriod_ns = 100'000'000;
constexpr int kMostListens = 16;  // to the kernel's changes, before packets have their turn again
constexpr uint64_t kWakeTag = 1000, kMirrorTag = 1001;  // in epoll, beside the twins' indices

// DPDK's TAP driver finds its interface by name, and takes one that was moved to another network
// namespace for down.
bool hides_link(const DeviceSettings& settings) {
    return settings.device.starts_with("net_tap");
}

uint64_t now_ns() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

KernelPath::KernelPath(Options options)
    : options_(std::move(options)),
      twins_(options_.interfaces.size()),
      kernel_links_(options_.interfaces.size()),
      addresses_(options_.interfaces.size()),
      counters_(new KernelPathCounters[options_.interfaces.size()]) {}

Result<std::unique_ptr<KernelPath>> KernelPath::create(Options options) {
    std::unique_ptr<KernelPath> path(new KernelPath(std::move(options)));
    auto links = LinkSetup::open();
    if (!links) return tl::unexpected(links.error());
    path->links_.emplace(std::move(*links));
    if (const auto made = path->make_twins(); !made) return tl::unexpected(made.error());
    if (const auto made = path->make_vlans(); !made) return tl::unexpected(made.error());
    for (const Error& error : path->set_addresses(path->options_.interfaces))
        return tl::unexpected(error);
    auto mirror = Mirror::create(*path->options_.routing, path->kernel_links_);
    if (!mirror) return tl::unexpected(mirror.error());
    path->mirror_ = std::move(*mirror);
    if (const auto opened = path->open_waiting(); !opened) return tl::unexpected(opened.error());
    return path;
}

Result<void> KernelPath::make_twins() {
    for (size_t i = 0; i < options_.interfaces.size(); ++i) {
        const DeviceSettings& settings = options_.interfaces[i];
        if (!settings.is_routed || !settings.has_device()) continue;
        const size_t bytes = settings.mtu + kLinkHeaderBytes;
        const size_t room = rte_pktmbuf_data_room_size(options_.pool) - RTE_PKTMBUF_HEADROOM;
        segments_ = std::clamp((bytes + room - 1) / room, segments_, kMostSegments);
        if (settings.twin.name.empty()) {
            // Nobody in the kernel knows of it; packets still are routed to what is behind it.
            options_.routing->set_link(static_cast<InterfaceIndex>(i), true, settings.mtu,
                                       {options_.macs[i]});
            continue;
        }
        auto twin = Twin::create(
            {settings.name, settings.twin.name, options_.macs[i], settings.mtu}, *links_);
        if (!twin) return tl::unexpected(twin.error());
        kernel_links_[i] = (*twin)->link();
        twins_[i] = std::move(*twin);
        const std::string borrowed = BorrowedDevice::name_in(settings.device);
        if (borrowed.empty()) continue;
        auto device = BorrowedDevice::take(borrowed);
        if (!device) return tl::unexpected(device.error());
        borrowed_.push_back(std::move(*device));
    }
    return {};
}

Result<void> KernelPath::make_vlans() {
    for (size_t i = 0; i < options_.interfaces.size(); ++i) {
        const DeviceSettings& settings = options_.interfaces[i];
        if (settings.has_device()) continue;
        auto link = links_->add_vlan(kernel_links_[settings.twin.parent], settings.twin.name,
                                     settings.twin.vlan, settings.mtu);
        if (!link) return tl::unexpected(link.error());
        if (const auto set = links_->set_up(*link); !set) return tl::unexpected(set.error());
        kernel_links_[i] = *link;
    }
    return {};
}

std::vector<Error> KernelPath::set_addresses(const std::vector<DeviceSettings>& interfaces) {
    std::vector<Error> errors;
    const auto check = [&](const Result<void>& result, const DeviceSettings& settings) {
        if (!result)
            errors.push_back({"interface '" + settings.name + "': " + result.error().message,
                              result.error().hint});
    };
    const auto has = [](const std::vector<IpPrefix>& list, const IpPrefix& wanted) {
        return std::any_of(list.begin(), list.end(), [&](const IpPrefix& address) {
            return address.address == wanted.address && address.length == wanted.length;
        });
    };
    for (size_t i = 0; i < interfaces.size() && i < addresses_.size(); ++i) {
        if (kernel_links_[i] == 0) continue;
        const std::vector<IpPrefix>& wanted = interfaces[i].twin.addresses;
        for (const IpPrefix& address : addresses_[i])
            if (!has(wanted, address))
                check(links_->remove_address(kernel_links_[i], address), interfaces[i]);
        for (const IpPrefix& address : wanted)
            if (!has(addresses_[i], address))
                check(links_->add_address(kernel_links_[i], address), interfaces[i]);
        addresses_[i] = wanted;
    }
    return errors;
}

Result<void> KernelPath::open_waiting() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    const auto add = [&](int fd, uint64_t tag) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = tag;
        return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
    };
    bool is_good =
        epoll_ >= 0 && wake_ >= 0 && add(wake_, kWakeTag) && add(mirror_->fd(), kMirrorTag);
    for (size_t i = 0; is_good && i < twins_.size(); ++i)
        if (twins_[i] != nullptr) is_good = add(twins_[i]->fd(), i);
    if (!is_good) return failure("the twins cannot be waited for (epoll)");
    return {};
}

KernelPath::~KernelPath() {
    stop();
    for (rte_mbuf* mbuf : spare_)
        rte_pktmbuf_free(mbuf);
    if (epoll_ >= 0) close(epoll_);
    if (wake_ >= 0) close(wake_);
}

void KernelPath::start() {
    stop_ = false;
    thread_ = std::thread([this] { loop(); });
    pthread_setname_np(thread_.native_handle(), "rampart-kernel");
    if (!options_.cpu) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(*options_.cpu, &set);
    pthread_setaffinity_np(thread_.native_handle(), sizeof set, &set);
}

void KernelPath::stop() {
    if (!thread_.joinable()) return;
    stop_ = true;
    eventfd_write(wake_, 1);
    thread_.join();
    while (take_from_workers() > 0) {
    }
}

void KernelPath::run_inside(const std::function<void()>& work) {
    if (!thread_.joinable()) {
        work();
        return;
    }
    work_.store(&work, std::memory_order_release);
    eventfd_write(wake_, 1);
    while (work_.load(std::memory_order_acquire) != nullptr) {
        constexpr timespec kPeriod{0, 20'000};
        nanosleep(&kPeriod, nullptr);
    }
}

void KernelPath::run_work() {
    const std::function<void()>* work = work_.load(std::memory_order_acquire);
    if (work == nullptr) return;
    (*work)();
    work_.store(nullptr, std::memory_order_release);
}

void KernelPath::loop() {
    bool is_busy = false;
    while (!stop_.load(std::memory_order_relaxed)) {
        wait(is_busy);
        is_busy = take_from_workers() > 0;
        for (size_t i = 0; i < twins_.size(); ++i)
            if (twins_[i] != nullptr) is_busy |= read_twin(static_cast<InterfaceIndex>(i)) > 0;
        for (int i = 0; i < kMostListens && mirror_->listen(); ++i) {
        }
        const uint64_t now = now_ns();
        mirror_->work(now, options_.wait_for_workers);
        follow_carriers(now);
        run_work();
    }
    run_work();
}

void KernelPath::wait(bool is_busy) {
    epoll_event events[8];
    const timespec& period = is_busy ? kBusyPeriod : kIdlePeriod;
    const int count = epoll_pwait2(epoll_, events, 8, &period, nullptr);
    if (count < 0 && errno == ENOSYS) epoll_wait(epoll_, events, 8, 1);
    uint64_t value = 0;
    for (int i = 0; i < count; ++i)
        if (events[i].data.u64 == kWakeTag) eventfd_read(wake_, &value);
}

uint32_t KernelPath::take_from_workers() {
    rte_mbuf* mbufs[kBurst];
    uint32_t taken = 0;
    for (uint16_t worker = 0; worker < options_.workers; ++worker) {
        const uint32_t count = options_.hand_off->take(worker, options_.workers, mbufs, kBurst);
        for (uint32_t i = 0; i < count; ++i)
            deliver(mbufs[i]);
        taken += count;
    }
    return taken;
}

void KernelPath::deliver(rte_mbuf* mbuf) noexcept {
    const size_t index = mbuf->port;
    if (index >= twins_.size()) {
        rte_pktmbuf_free(mbuf);
        return;
    }
    KernelPathCounters& counters = counters_[index];
    if (twins_[index] == nullptr) {
        counters.dropped_no_twin.add(1);
        rte_pktmbuf_free(mbuf);
        return;
    }
    iovec parts[kMostSegments];
    size_t count = 0;
    const rte_mbuf* segment = mbuf;
    for (; segment != nullptr && count < kMostSegments; segment = segment->next)
        parts[count++] = {rte_pktmbuf_mtod(segment, void*), segment->data_len};
    const bool is_whole = segment == nullptr;
    const ssize_t bytes =
        is_whole ? writev(twins_[index]->fd(), parts, static_cast<int>(count)) : -1;
    if (bytes < 0) {
        counters.dropped_refused.add(1);
    } else {
        counters.to_kernel_packets.add(1);
        counters.to_kernel_bytes.add(static_cast<uint64_t>(bytes));
    }
    rte_pktmbuf_free(mbuf);
}

bool KernelPath::fill_spare() {
    while (spare_.size() < segments_) {
        rte_mbuf* mbuf = rte_pktmbuf_alloc(options_.pool);
        if (mbuf == nullptr) return false;
        spare_.push_back(mbuf);
    }
    return true;
}

// The spare buffers that were read into, the last one first.
rte_mbuf* KernelPath::take_frame(size_t bytes) noexcept {
    rte_mbuf* head = nullptr;
    rte_mbuf** tail = &head;
    uint16_t segments = 0;
    for (size_t left = bytes; left > 0; ++segments) {
        rte_mbuf* mbuf = spare_.back();
        spare_.pop_back();
        mbuf->data_len = static_cast<uint16_t>(std::min<size_t>(left, rte_pktmbuf_tailroom(mbuf)));
        left -= mbuf->data_len;
        *tail = mbuf;
        tail = &mbuf->next;
    }
    head->nb_segs = segments;
    head->pkt_len = static_cast<uint32_t>(bytes);
    return head;
}

// Several packets at a time; the rest waits in the TAP's own queue.
uint32_t KernelPath::read_twin(InterfaceIndex index) {
    KernelPathCounters& counters = counters_[index];
    const int fd = twins_[index]->fd();
    const auto worker = static_cast<uint16_t>(index % options_.workers);
    uint32_t packets = 0;
    for (; packets < kBurst; ++packets) {
        if (!fill_spare()) {
            char lost[1];  // reading takes the whole frame away
            if (read(fd, lost, sizeof lost) < 0) break;
            counters.dropped_no_mbuf.add(1);
            continue;
        }
        iovec parts[kMostSegments];
        for (size_t i = 0; i < segments_; ++i) {
            rte_mbuf* mbuf = spare_[spare_.size() - 1 - i];
            parts[i] = {rte_pktmbuf_mtod(mbuf, void*), rte_pktmbuf_tailroom(mbuf)};
        }
        const ssize_t bytes = readv(fd, parts, static_cast<int>(segments_));
        if (bytes <= 0) break;
        rte_mbuf* mbuf = take_frame(static_cast<size_t>(bytes));
        mbuf->port = static_cast<uint16_t>(index | kFromKernel);
        if (!options_.hand_off->give(options_.workers, worker, mbuf)) {
            counters.dropped_hand_off_full.add(1);
            rte_pktmbuf_free(mbuf);
            continue;
        }
        counters.from_kernel_packets.add(1);
        counters.from_kernel_bytes.add(static_cast<uint64_t>(bytes));
    }
    return packets;
}

void KernelPath::follow_carriers(uint64_t now) {
    if (now < next_carriers_ns_ || !options_.has_carrier) return;
    next_carriers_ns_ = now + kCarrierPeriod_ns;
    for (size_t i = 0; i < twins_.size(); ++i) {
        const auto index = static_cast<InterfaceIndex>(i);
        const DeviceSettings& settings = options_.interfaces[i];
        if (!settings.is_routed || !settings.has_device() || hides_link(settings)) continue;
        const bool has_carrier = options_.has_carrier(index);
        if (twins_[i] != nullptr)
            twins_[i]->set_carrier(has_carrier);
        else
            options_.routing->set_link(index, has_carrier, settings.mtu, {options_.macs[i]});
    }
}

}  // namespace rampart
