// W107: a warning to whoever is about to cut its own connection with a new configuration.
//
// The client tells its SSH_CONNECTION. If that connection crosses the firewall it is in a worker's
// table; the new rules are asked what they would do with its next packets, and whether it could
// begin again. Through a routed port it ends at the box, so `input` and `output` are asked, else
// `forward`. A connection on a management port that the kernel keeps is not seen, and is not in
// danger either. Control thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/diagnostics.h"
#include "control/flow_list.h"
#include "rules/snapshot.h"

namespace rampart {

struct ChangeRequest;

// "10.0.0.5 51234 192.0.2.1 22" as sshd writes it; nothing when it is something else.
std::optional<Tuple> parse_ssh_connection(std::string_view text);

// What these rules would do to a flow that exists: empty, or a sentence that says it.
std::string describe_danger(const Ruleset& ruleset, bool is_rechecked, const FlowEntry& flow);

// `wanted`: what is about to be published.
void warn_about_own_connection(const Snapshot& wanted, const ChangeRequest& request,
                               const std::vector<Worker*>& workers, Tick now,
                               Diagnostics& diagnostics);

}  // namespace rampart
