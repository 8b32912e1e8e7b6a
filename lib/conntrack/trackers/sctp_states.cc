#include "conntrack/trackers/sctp_states.h"

namespace rampart {
namespace {

using enum SctpState;
constexpr SctpState IV = Invalid, CL = Closed, CW = CookieWait, CE = CookieEchoed, ES = Established,
                    SS = ShutdownSent, SR = ShutdownRecd, SA = ShutdownAckSent, HS = HeartbeatSent;

// Rows: SctpChunkType. Columns: NONE, CLOSED, COOKIE_WAIT, COOKIE_ECHOED, ESTABLISHED,
// SHUTDOWN_SENT, SHUTDOWN_RECD, SHUTDOWN_ACK_SENT, HEARTBEAT_SENT.
constexpr SctpState kTable[2][kSctpRowCount][kSctpStateCount] = {
    {// Original direction.
     // init: while closing, the client may begin anew.
     {CL, CL, CW, CE, ES, CL, CL, SA, CW},
     // init_ack: only the reply direction's counts.
     {CL, CL, CW, CE, ES, SS, SR, SA, CL},
     // abort
     {CL, CL, CL, CL, CL, CL, CL, CL, CL},
     // shutdown
     {CL, CL, CW, CE, SS, SS, SR, SA, CL},
     // shutdown_ack: without an association it asks for a SHUTDOWN COMPLETE (RFC 9260, 8.4).
     {SA, CL, CW, CE, ES, SA, SA, SA, SA},
     // error
     {CL, CL, CW, CE, ES, SS, SR, SA, CL},
     // cookie_echo
     {CL, CL, CE, CE, ES, SS, SR, SA, CL},
     // cookie_ack
     {CL, CL, CW, ES, ES, SS, SR, SA, CL},
     // shutdown_complete
     {CL, CL, CW, CE, ES, SS, SR, CL, CL},
     // heartbeat: a host tries another path of an association that was set up elsewhere.
     {HS, CL, CW, CE, ES, SS, SR, SA, HS},
     // heartbeat_ack
     {CL, CL, CW, CE, ES, SS, SR, SA, HS}},
    {// Reply direction. NONE cannot happen: the first packet is always original. A flow that began
     // with a HEARTBEAT expects heartbeats only.
     // init
     {IV, CL, CW, CE, ES, SS, SR, SA, IV},
     // init_ack
     {IV, CW, CW, CE, ES, SS, SR, SA, IV},
     // abort
     {IV, CL, CL, CL, CL, CL, CL, CL, IV},
     // shutdown
     {IV, CL, CW, CE, SR, SS, SR, SA, IV},
     // shutdown_ack
     {IV, CL, CW, CE, ES, SA, SA, SA, IV},
     // error: in COOKIE_ECHOED the server refuses a stale cookie.
     {IV, CL, CW, CL, ES, SS, SR, SA, IV},
     // cookie_echo
     {IV, CL, CE, CE, ES, SS, SR, SA, IV},
     // cookie_ack
     {IV, CL, CW, ES, ES, SS, SR, SA, IV},
     // shutdown_complete
     {IV, CL, CW, CE, ES, SS, SR, CL, IV},
     // heartbeat
     {IV, CL, CW, CE, ES, SS, SR, SA, HS},
     // heartbeat_ack: the path works.
     {IV, CL, CW, CE, ES, SS, SR, SA, ES}},
};

}  // namespace

SctpState next_sctp_state(Direction direction, SctpChunkType type, SctpState state) noexcept {
    const unsigned row = static_cast<unsigned>(type);
    if (row >= kSctpRowCount) return state;  // DATA, SACK and the like change nothing
    return kTable[static_cast<unsigned>(direction)][row][static_cast<unsigned>(state)];
}

}  // namespace rampart
