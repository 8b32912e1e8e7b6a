// CaptureFeed: sets the workers' capture filters and gives what they chose to whoever asked for it.
//
//   worker: filter -> ring of cells     control: turn() puts frames together -> CaptureListener
//
// A few captures at a time, each with a place among the workers' filters. Filters never change: a
// capture of a rule gets a new one with each configuration, which knows that rule by the numbers of
// the running configuration and of the next. A filter that was taken away is freed when every
// worker has gone through two more loops. Control thread only; outlives the running of the workers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/event_loop.h"
#include "control/packet_filter.h"
#include "dataplane/packet_capture.h"

namespace rampart {

class Worker;

// What somebody wants to see.
struct CaptureWish {
    std::unique_ptr<PacketFilter> frames;
    uint64_t interfaces = UINT64_MAX;  // as bits; all ones: wherever
    uint32_t snap_length = kMaxCaptureLength;
    bool drops_only = false;
    std::optional<DropReason> reason{};
    std::string rule{};  // its id; empty: whatever rules say
};

class CaptureListener {
  public:
    virtual ~CaptureListener() = default;
    // `bytes` are valid during the call; they may be more than this listener asked for.
    virtual void on_frame(const CaptureHead& head, std::span<const std::byte> bytes) = 0;
};

class CaptureFeed {
  public:
    CaptureFeed(EventLoop& loop, std::vector<Worker*> workers);
    ~CaptureFeed();

    // False: as many captures as there may be are running. The listener must be removed before it
    // goes.
    bool add(CaptureListener& listener, CaptureWish wish);
    void remove(CaptureListener& listener);
    // Frames that the workers had no room for, since add().
    uint64_t lost(const CaptureListener& listener) const;

    // Before `next` is published: it follows what follow() was given last.
    void follow(const Snapshot& next);
    // One turn of the timer. True: there is more.
    bool turn();

  private:
    struct Capture {
        CaptureListener* listener = nullptr;
        std::shared_ptr<const CaptureWish> wish;
        std::unique_ptr<CaptureFilter> filter;
        std::vector<uint64_t> lost_before;  // by worker
    };
    struct Retired {
        unsigned place = 0;                       // not used again before
        std::shared_ptr<const CaptureWish> wish;  // owns the program
        std::unique_ptr<CaptureFilter> filter;
        std::vector<uint64_t> loops;  // of each worker, when it was taken away
    };
    // A frame of which not all cells have come.
    struct Unfinished {
        CaptureHead head;
        std::vector<std::byte> bytes;
        bool has_head = false;
    };

    bool is_free(unsigned place) const;
    // For workers that use `running` or, where it is not null, `next`.
    static std::unique_ptr<CaptureFilter> make_filter(const CaptureWish& wish,
                                                      const Snapshot* running,
                                                      const Snapshot* next);
    void set_filter(unsigned place, const CaptureFilter* filter);
    void retire(unsigned place);
    bool read_from(size_t worker);
    void take(Unfinished& frame, const CaptureCell& cell);
    void hand_out(const Unfinished& frame);
    // Those whose filter no worker can hold any more.
    size_t count_over() const;
    void free_retired(size_t over);
    void run();

    EventLoop& loop_;
    std::vector<Worker*> workers_;
    std::vector<Unfinished> unfinished_;  // by worker
    std::array<Capture, kMaxCaptures> captures_;
    std::vector<Retired> retired_;         // the oldest first
    const Snapshot* published_ = nullptr;  // last
    EventLoop::Source timer_;              // exists while there are captures or retired filters
    EventLoop::Source rest_;               // goes on with a turn when nothing else is due
    bool is_running_ = false;
};

}  // namespace rampart
