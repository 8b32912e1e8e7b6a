// The options that every change of the configuration takes: --confirm, --no-confirm, --temporary,
// --comment. Control thread.
#pragma once

#include <optional>
#include <string>

#include "control/commands/arguments.h"
#include "control/config_transaction.h"

namespace rampart {

class ChangeOptions {
  public:
    void add_to(ArgumentParser& parser);
    // Fills the request from the options and from who asks; nothing, or what is wrong with them.
    std::optional<CommandOutput> fill(const ApiRequest& asked, ChangeRequest& request) const;

  private:
    std::string confirm_;
    std::string comment_;
    bool no_confirm_ = false;
    bool is_temporary_ = false;
};

}  // namespace rampart
