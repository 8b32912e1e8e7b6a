// Client: one request to the daemon and its reply, over the control socket
// (control/api_protocol.h).
#pragma once

#include <string>
#include <vector>

namespace rampart {

struct ClientOptions {
    std::string socket;
    unsigned timeout_s = 30;
    bool json = false;
};

// Takes an answer that comes in several parts, instead of stdout.
class AnswerSink {
  public:
    AnswerSink() = default;
    virtual ~AnswerSink() = default;
    AnswerSink(const AnswerSink&) = delete;
    AnswerSink& operator=(const AnswerSink&) = delete;

    // A part; the first one may be empty. False: no more is wanted.
    virtual bool take(const std::string& part) = 0;
    // A descriptor to be watched while waiting for more; -1: none.
    virtual int input() const { return -1; }
    // After each wait. False: no more is wanted.
    virtual bool look_at_input() { return true; }
    // Nothing more comes; what is printed from now on is not the answer.
    virtual void finish() {}
    // Of the whole, when the daemon's is 0.
    virtual int exit_status() const { return 0; }
};

// Sends the command, prints what comes back and returns the exit status; 3 when the daemon cannot
// be reached or does not answer in time. With a sink, that takes the parts of a long answer.
int run_remote(const ClientOptions& options, const std::string& command,
               const std::vector<std::string>& arguments, AnswerSink* sink = nullptr);

}  // namespace rampart
