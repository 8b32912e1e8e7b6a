// TcpModel: connection tracking of TCP, once more, as slowly and plainly as it can be said.
//
// Written from the description of netfilter's behaviour (docs/conntrack.md, RFC 9293, RFC 5961) and
// sharing no code with lib/conntrack/trackers, so that a mistake there cannot hide here. Tests feed
// the same packets to both. Values, one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rampart::test {

struct ModelPacket {
    int direction = 0;  // 0: original, 1: reply
    bool syn = false, ack_flag = false, fin = false, rst = false;
    uint32_t seq = 0, ack = 0;  // `ack` is the field, whatever the flag
    uint32_t window = 0, length = 0;
    std::optional<uint32_t> scale;  // as on the wire
    bool sack_permitted = false;
    std::vector<uint32_t> sack_right_edges;

    bool has_options() const { return scale || sack_permitted || !sack_right_edges.empty(); }
};

struct ModelSettings {
    bool loose = true, liberal = false, ignore_invalid_rst = false;
    uint32_t max_retrans = 3;
};

enum class ModelVerdict { Accept, Ignore, Invalid, Reopen, Erase };

struct ModelResult {
    ModelVerdict verdict = ModelVerdict::Accept;
    std::optional<uint32_t> timeout_s;  // the entry's new timeout; none: it stays
};

class TcpModel {
  public:
    struct Side {
        uint32_t end = 0, maxend = 0, maxwin = 0, maxack = 0, scale = 0;
        bool offered_scale = false, sack_permitted = false, close_init = false, liberal = false,
             unacked = false, knows_maxack = false;
    };
    struct Last {
        std::string kind = "none";  // syn synack fin ack rst none
        int direction = 0;
        uint32_t seq = 0, ack = 0, end = 0, window = 0, scale = 0;
        bool offered_scale = false, sack_permitted = false;
        bool expect_challenge = false, simultaneous = false;
    };

    // The first packet; Accept or Invalid.
    ModelResult first(const ModelPacket& packet, const ModelSettings& settings);
    // A further one. `left_s`: seconds until the entry expires.
    ModelResult next(const ModelPacket& packet, const ModelSettings& settings, uint32_t left_s);

    std::string state = "NONE";
    bool seen_reply = false;
    bool assured = false;
    Side side[2];
    Last last;
    uint32_t retrans = 0;

  private:
    enum class Fit { Accept, Ignore, Invalid };

    ModelResult run(const ModelPacket& packet, const ModelSettings& settings, uint32_t left_s);
    Fit check_reset(const ModelPacket& packet, const ModelSettings& settings, std::string& target,
                    bool& needs_window) const;
    bool resynchronise(const ModelPacket& packet);
    void note_ignored(const ModelPacket& packet);
    Fit check_window(const ModelPacket& packet, const std::string& old_state, bool liberal);
    void learn_syn(const ModelPacket& packet);
    ModelResult commit(const ModelPacket& packet, const ModelSettings& settings,
                       const std::string& old_state, const std::string& new_state);
    uint32_t timeout_of(const ModelPacket& packet, const ModelSettings& settings,
                        const std::string& new_state) const;
    ModelResult refuse_close(const ModelPacket& packet, uint32_t left_s);
};

}  // namespace rampart::test
