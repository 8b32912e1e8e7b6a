// The commands of `conntrack` that go through the table, one file each. conntrack.cc chooses.
// Control thread.
#pragma once

#include "control/api_protocol.h"
#include "control/conntrack_options.h"

namespace rampart {

class Controller;

struct ConntrackCall {
    ConntrackOptions options;
    Controller& controller;
    bool json;  // the answer is a document
};

CommandOutput conntrack_expect(ConntrackCall call);
CommandOutput conntrack_list(ConntrackCall call);
CommandOutput conntrack_get(ConntrackCall call);
CommandOutput conntrack_delete(ConntrackCall call);
CommandOutput conntrack_flush(ConntrackCall call);
CommandOutput conntrack_events(ConntrackCall call);
CommandOutput conntrack_settings(const Controller& controller);
std::string conntrack_help();

}  // namespace rampart
