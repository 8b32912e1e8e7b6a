#include "control/caller.h"

#include <pwd.h>

#include <fmt/format.h>

namespace rampart {

std::string describe_caller(const ApiPeer& peer) {
    if (peer.uid == UINT32_MAX) return "somebody";
    const passwd* user = getpwuid(peer.uid);
    return fmt::format("{} (uid {}), pid {}", user != nullptr ? user->pw_name : "?", peer.uid,
                       peer.pid);
}

}  // namespace rampart
