// ReplyStream: an answer that a command makes in slices, because it is long, or slow, or endless.
//
// The server asks for the next slice when the client has taken the last one, so a slow client costs
// no memory and a long answer never keeps the control thread from its other work. Control thread.
#pragma once

#include <cstdint>
#include <string>

namespace rampart {

// What a slice adds to the answer. When the request asked for JSON, `out` is a part of the
// document's text.
struct ReplyPiece {
    std::string out;
    std::string err;
};

class ReplyStream {
  public:
    enum class Next : uint8_t {
        More,  // ask again when this slice is written
        Wait,  // the same, but there is nothing to do for the moment
        Done,
    };

    ReplyStream() = default;
    virtual ~ReplyStream() = default;
    ReplyStream(const ReplyStream&) = delete;
    ReplyStream& operator=(const ReplyStream&) = delete;

    // Works for a millisecond at most, and appends no more than about kPieceBytes.
    virtual Next produce(ReplyPiece& piece) = 0;
    // Meaningful after Done.
    virtual int exit_status() const = 0;
    // It ends only when the client asks for it.
    virtual bool is_endless() const { return false; }
    // The client wants no more: what remains is the summary.
    virtual void stop() {}

    static constexpr size_t kPieceBytes = 64u << 10;
};

}  // namespace rampart
