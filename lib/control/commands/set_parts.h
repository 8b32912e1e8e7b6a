// The parts of the command `set`. Control thread only.
#pragma once

#include "control/commands/registry.h"
#include "control/controller.h"

namespace rampart {

// Null: there is no such set; `problem` says so.
std::shared_ptr<SetHandle> find_set(const std::string& name, Controller& controller,
                                    CommandOutput& problem);
// The verbs that show; `request` begins after the verb.
CommandOutput set_list(const ApiRequest& request, Controller& controller);
CommandOutput set_save(const ApiRequest& request, Controller& controller);

}  // namespace rampart
