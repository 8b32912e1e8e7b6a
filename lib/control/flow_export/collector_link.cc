#include "control/flow_export/collector_link.h"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace rampart {

namespace {

#ifndef IPV6_FREEBIND
constexpr int IPV6_FREEBIND = 78;
#endif

sockaddr_storage socket_address(const IpAddress& address, uint16_t port) noexcept {
    sockaddr_storage storage{};
    if (address.family == Family::Ipv6) {
        sockaddr_in6 in6{};
        in6.sin6_family = AF_INET6;
        in6.sin6_port = htons(port);
        std::memcpy(&in6.sin6_addr, address.bytes.data(), sizeof in6.sin6_addr);
        std::memcpy(&storage, &in6, sizeof in6);
    } else {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        std::memcpy(&in.sin_addr, address.bytes.data(), sizeof in.sin_addr);
        std::memcpy(&storage, &in, sizeof in);
    }
    return storage;
}

socklen_t size_of(const sockaddr_storage& address) noexcept {
    return address.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

const sockaddr* as_sockaddr(const sockaddr_storage& address) noexcept {
    return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace

CollectorLink::CollectorLink(EventLoop& loop, const IpfixSettings& settings,
                             std::function<void()> on_session,
                             std::function<void(uint32_t)> on_lost)
    : loop_(loop),
      settings_(settings),
      on_session_(std::move(on_session)),
      on_lost_(std::move(on_lost)) {}

CollectorLink::~CollectorLink() {
    source_ = {};
    if (fd_ >= 0) close(fd_);
}

// The source address may belong to an interface that comes up later, such as a twin.
int CollectorLink::make_socket(const sockaddr_storage& collector) {
    const int type = is_tcp() ? SOCK_STREAM : SOCK_DGRAM;
    const int fd = socket(collector.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || !settings_.source) return fd;
    const int on = 1;
    if (collector.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
    else
        setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
    const sockaddr_storage source = socket_address(*settings_.source, 0);
    if (bind(fd, as_sockaddr(source), size_of(source)) == 0) return fd;
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
}

void CollectorLink::open() {
    if (fd_ >= 0) return;
    const sockaddr_storage collector = socket_address(settings_.collector, settings_.port);
    fd_ = make_socket(collector);
    if (fd_ < 0) return close_with(std::strerror(errno));
    if (!is_tcp()) return begin_session();
    if (connect(fd_, as_sockaddr(collector), size_of(collector)) != 0 && errno != EINPROGRESS)
        return close_with(std::strerror(errno));
    source_ = loop_.on_io(fd_, EPOLLOUT, [this](uint32_t events) { on_ready(events); });
}

void CollectorLink::begin_session() {
    is_up_ = true;
    problem_.clear();
    on_session_();
}

void CollectorLink::on_ready(uint32_t events) {
    if (!is_up_) {
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        if (error != 0) return close_with(std::strerror(error));
        source_.set_events(EPOLLIN);
        return begin_session();
    }
    // A collector has nothing to say: it can only end.
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        char ignored[512];
        const ssize_t got = recv(fd_, ignored, sizeof ignored, MSG_DONTWAIT);
        if (got == 0) return close_with("the collector closed the connection");
        if (got < 0 && errno != EAGAIN && errno != EINTR) return close_with(std::strerror(errno));
    }
    if (events & EPOLLOUT) drain();
}

bool CollectorLink::send(std::span<const uint8_t> message, uint32_t records) {
    if (!is_up_) return false;
    if (!is_tcp()) {
        const sockaddr_storage collector = socket_address(settings_.collector, settings_.port);
        const ssize_t sent = sendto(fd_, message.data(), message.size(), MSG_DONTWAIT,
                                    as_sockaddr(collector), size_of(collector));
        problem_ = sent < 0 ? std::strerror(errno) : "";
        return sent >= 0;
    }
    if (waiting_bytes_ + message.size() > kMaxWaiting_bytes) {
        problem_ = "the collector is too slow";
        return false;
    }
    waiting_.push_back({{message.begin(), message.end()}, records});
    waiting_bytes_ += message.size();
    drain();
    return true;
}

void CollectorLink::drain() {
    while (!waiting_.empty()) {
        std::vector<uint8_t>& rest = waiting_.front().rest;
        const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) break;
        if (sent < 0) return close_with(std::strerror(errno));
        waiting_bytes_ -= static_cast<size_t>(sent);
        rest.erase(rest.begin(), rest.begin() + sent);
        if (rest.empty()) waiting_.pop_front();
    }
    if (waiting_.empty()) problem_.clear();
    source_.set_events(waiting_.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void CollectorLink::close_with(std::string problem) {
    problem_ = std::move(problem);
    is_up_ = false;
    source_ = {};
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
    uint32_t lost = 0;
    for (const Waiting& waiting : waiting_)
        lost += waiting.records;
    waiting_.clear();
    waiting_bytes_ = 0;
    if (lost != 0) on_lost_(lost);
}

}  // namespace rampart
