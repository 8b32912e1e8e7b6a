#include "conntrack/trackers/tcp_states.h"

namespace rampart {
namespace {

using enum TcpState;
constexpr TcpState IG = Ignore, IV = Invalid, SS = SynSent, SR = SynRecv, ES = Established,
                   FW = FinWait, CW = CloseWait, LA = LastAck, TW = TimeWait, CL = Close,
                   S2 = SynSent2;

}  // namespace

// Columns: NONE, SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE,
// SYN_SENT2.
const TcpState kTcpTable[2][kTcpClassCount][kTcpStateCount] = {
    {// Original direction.
     // syn: opens, is a retransmission, or meets a live connection (ignored: the peer will answer
     // with a challenge ACK, RFC 5961). In TIME_WAIT and CLOSE it may open the connection again.
     {SS, SS, IG, IG, IG, IG, IG, SS, SS, S2},
     // synack: only after the reply's SYN, in a simultaneous open.
     {IV, IV, SR, IV, IV, IV, IV, IV, IV, SR},
     // fin: the table cannot tell a retransmitted FIN from the other side's, so a second one
     // always leads to LAST_ACK.
     {IV, IV, FW, FW, LA, LA, LA, TW, CL, IV},
     // ack: without an entry it picks up a running connection (tcp_loose).
     {ES, IV, ES, ES, CW, CW, TW, TW, CL, IV},
     // rst: validated by sequence number before it takes effect.
     {IV, CL, CL, CL, CL, CL, CL, CL, CL, CL},
     {IV, IV, IV, IV, IV, IV, IV, IV, IV, IV}},
    {// Reply direction. NONE cannot happen: the first packet is always original.
     // syn: simultaneous open, or the old server opens a new connection after TIME_WAIT.
     {IV, S2, IV, IV, IV, IV, IV, SS, IV, S2},
     // synack: late ones are ignored; they may answer an ignored SYN.
     {IV, SR, IG, IG, IG, IG, IG, IG, IG, SR},
     {IV, IV, FW, FW, LA, LA, LA, TW, CL, IV},
     // ack: in SYN_SENT it may be a challenge ACK of an older incarnation.
     {IV, IG, SR, ES, CW, CW, TW, TW, CL, IG},
     {IV, CL, CL, CL, CL, CL, CL, CL, CL, CL},
     {IV, IV, IV, IV, IV, IV, IV, IV, IV, IV}},
};

}  // namespace rampart
