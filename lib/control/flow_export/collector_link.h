// CollectorLink: the way to the collector of IPFIX messages, over UDP or TCP, which never waits.
//
// Over UDP a message is sent or lost at once. A TCP connection is made by the event loop; what it
// does not take at once waits here, at most kMaxWaiting_bytes of it, and whole messages are lost
// beyond that, so the stream stays readable. Both are tried again each second: the network may
// come up later than the daemon. Owns the socket. Control thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "config/ipfix_settings.h"
#include "control/event_loop.h"

namespace rampart {

class CollectorLink {
  public:
    static constexpr size_t kMaxWaiting_bytes = 1u << 20;

    // `on_session` is called whenever a new transport session begins, once for UDP; `on_lost` with
    // the records of messages that were taken by send() and did not leave.
    CollectorLink(EventLoop& loop, const IpfixSettings& settings, std::function<void()> on_session,
                  std::function<void(uint32_t)> on_lost);
    ~CollectorLink();
    CollectorLink(const CollectorLink&) = delete;
    CollectorLink& operator=(const CollectorLink&) = delete;

    // Opens it if it is not open. Once per second.
    void open();
    bool is_up() const noexcept { return is_up_; }
    // False: lost.
    bool send(std::span<const uint8_t> message, uint32_t records);
    // Why the last attempt failed; empty: it did not.
    const std::string& problem() const noexcept { return problem_; }

  private:
    struct Waiting {
        std::vector<uint8_t> rest;
        uint32_t records;
    };
    int make_socket(const sockaddr_storage& collector);
    void begin_session();
    void on_ready(uint32_t events);
    void drain();
    void close_with(std::string problem);
    bool is_tcp() const noexcept { return settings_.transport == IpfixSettings::Transport::Tcp; }

    EventLoop& loop_;
    IpfixSettings settings_;
    std::function<void()> on_session_;
    std::function<void(uint32_t)> on_lost_;
    int fd_ = -1;
    bool is_up_ = false;
    std::string problem_;
    std::deque<Waiting> waiting_;
    size_t waiting_bytes_ = 0;
    EventLoop::Source source_;
};

}  // namespace rampart
