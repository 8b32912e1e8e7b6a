// ApiServer: the unix socket on which rampartctl and others talk to the daemon.
//
// Never blocks: sockets are non-blocking, a client reads its reply at its own pace, and no further
// request of it is looked at before it did. An answer that comes as a ReplyStream is made slice by
// slice when there is nothing else to do, one client after another, and only for a client that has
// taken the last slice. At most kMaxClients; who stays silent, or does not read, for kIdle_s
// seconds is disconnected. The socket file is removed at the end. Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>

#include "base/result.h"
#include "config/system_settings.h"
#include "control/api_protocol.h"
#include "control/event_loop.h"

namespace rampart {

class ApiServer {
  public:
    static constexpr size_t kMaxClients = 64;
    static constexpr unsigned kIdle_s = 60;
    using Run = std::function<CommandOutput(const ApiRequest&)>;

    // `settings.socket` is the path. Refuses a path on which another daemon listens; replaces a
    // socket that nobody serves any more.
    static Result<std::unique_ptr<ApiServer>> open(EventLoop& loop, const ControlSettings& settings,
                                                   Run run);
    ~ApiServer();
    ApiServer(const ApiServer&) = delete;
    ApiServer& operator=(const ApiServer&) = delete;

  private:
    struct Client;
    ApiServer(EventLoop& loop, int fd, std::string path, Run run);

    void accept_all();
    void on_event(int fd, uint32_t events);
    bool read_some(Client& client);
    bool run_requests(Client& client);
    bool write_some(Client& client);
    bool update_client(Client& client);
    void begin_answer(Client& client, const ApiRequest& request, CommandOutput output);
    void make_slice(Client& client);
    void serve_streams();
    void wait_for_streams();
    void close_idle();

    EventLoop& loop_;
    int fd_;
    std::string path_;
    ino_t inode_ = 0;
    Run run_;
    EventLoop::Source accepting_;
    EventLoop::Source idle_timer_;
    EventLoop::Source slices_;  // triggered while a stream has something to say
    EventLoop::Source retry_;   // exists while a stream waits
    bool is_retrying_ = false;
    int last_served_ = -1;  // the client whose slice was made last
    uint64_t seconds_ = 0;
    std::map<int, std::unique_ptr<Client>> clients_;
};

}  // namespace rampart
