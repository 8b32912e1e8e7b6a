#include "kernel/netlink_socket.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace rampart {
namespace {

constexpr size_t kBufferBytes = 64 << 10;  // the kernel fills up to 32 KiB per message of a dump
constexpr int kListenBytes = 8 << 20;
constexpr int kMostReceives = 64;  // at a time

tl::unexpected<Error> netlink_failure(const char* what) {
    return failure(std::string(what) + ": " + std::strerror(errno));
}

struct Reading {
    const NetlinkSocket::Handler& handler;
    bool was_interrupted = false;
};

int on_message(const nlmsghdr* message, void* data) {
    Reading& reading = *static_cast<Reading*>(data);
    reading.was_interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    reading.handler(message);
    return MNL_CB_OK;
}

}  // namespace

Result<std::unique_ptr<NetlinkSocket>> NetlinkSocket::open(int bus) {
    std::unique_ptr<NetlinkSocket> socket(new NetlinkSocket);
    socket->buffer_.resize(kBufferBytes);
    socket->socket_ = mnl_socket_open2(bus, SOCK_CLOEXEC);
    if (socket->socket_ == nullptr || mnl_socket_bind(socket->socket_, 0, MNL_SOCKET_AUTOPID) != 0)
        return netlink_failure("the kernel's tables cannot be asked for (netlink)");
    socket->port_ = mnl_socket_get_portid(socket->socket_);
    return socket;
}

Result<std::unique_ptr<NetlinkSocket>> NetlinkSocket::listen(const std::vector<unsigned>& groups) {
    auto socket = open();
    if (!socket) return socket;
    const int descriptor = (*socket)->fd();
    for (unsigned group : groups) {
        if (mnl_socket_setsockopt((*socket)->socket_, NETLINK_ADD_MEMBERSHIP, &group,
                                  sizeof group) != 0)
            return netlink_failure("the kernel's changes cannot be followed (netlink)");
    }
    // Without the right to go above the system's limit, up to that.
    const int bytes = kListenBytes;
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    return socket;
}

NetlinkSocket::~NetlinkSocket() {
    if (socket_ != nullptr) mnl_socket_close(socket_);
}

int NetlinkSocket::fd() const noexcept {
    return mnl_socket_get_fd(socket_);
}

int NetlinkSocket::request(nlmsghdr* message, uint16_t more_flags) {
    message->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | more_flags);
    message->nlmsg_seq = ++sequence_;
    if (mnl_socket_sendto(socket_, message, message->nlmsg_len) < 0) return errno;
    for (;;) {
        const ssize_t bytes = mnl_socket_recvfrom(socket_, buffer_.data(), buffer_.size());
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0) return errno;
        const int verdict = mnl_cb_run(buffer_.data(), static_cast<size_t>(bytes), sequence_, port_,
                                       nullptr, nullptr);
        if (verdict < 0) return errno;
        if (verdict == MNL_CB_STOP) return 0;
    }
}

bool NetlinkSocket::dump(uint16_t type, uint8_t family, size_t header_bytes,
                         const Handler& handler) {
    alignas(nlmsghdr) char request_buffer[128] = {};
    nlmsghdr* message = mnl_nlmsg_put_header(request_buffer);
    message->nlmsg_type = type;
    // The family is the first byte of all of rtnetlink's headers.
    *static_cast<uint8_t*>(mnl_nlmsg_put_extra_header(message, header_bytes)) = family;
    return dump(message, handler);
}

bool NetlinkSocket::dump(nlmsghdr* message, const Handler& handler) {
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message->nlmsg_seq = ++sequence_;
    if (mnl_socket_sendto(socket_, message, message->nlmsg_len) < 0) return false;
    Reading reading{handler};
    for (;;) {
        const ssize_t bytes = mnl_socket_recvfrom(socket_, buffer_.data(), buffer_.size());
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0) return false;
        const int verdict = mnl_cb_run(buffer_.data(), static_cast<size_t>(bytes), sequence_, port_,
                                       on_message, &reading);
        if (verdict < 0) return false;
        if (verdict == MNL_CB_STOP) return !reading.was_interrupted;
    }
}

NetlinkSocket::Heard NetlinkSocket::receive(const Handler& handler) {
    Reading reading{handler};
    for (int i = 0; i < kMostReceives; ++i) {
        const ssize_t bytes = mnl_socket_recvfrom(socket_, buffer_.data(), buffer_.size());
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0 && errno == EAGAIN) return i == 0 ? Heard::Nothing : Heard::Something;
        if (bytes < 0) return Heard::Lost;
        mnl_cb_run(buffer_.data(), static_cast<size_t>(bytes), 0, 0, on_message, &reading);
    }
    return Heard::Something;
}

}  // namespace rampart
