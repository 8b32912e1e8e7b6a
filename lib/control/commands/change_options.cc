#include "control/commands/change_options.h"

#include <fmt/format.h>

#include "base/scalar.h"
#include "control/caller.h"

namespace rampart {
namespace {

constexpr uint32_t kMaxConfirm_s = 86400;
constexpr size_t kMaxComment = 200;

}  // namespace

void ChangeOptions::add_to(ArgumentParser& parser) {
    parser.option("--confirm", confirm_,
                  "go back by itself unless `rampartctl confirm` comes in this time; 120s if no "
                  "time is given");
    parser.flag("--no-confirm", no_confirm_, "do not wait, whatever reload.confirm says");
    parser.flag("--temporary", is_temporary_, "until the next start of the daemon only");
    parser.option("--comment", comment_, "a remark for the history");
}

std::optional<CommandOutput> ChangeOptions::fill(const ApiRequest& asked,
                                                 ChangeRequest& request) const {
    request.who = describe_caller(asked.peer);
    request.comment = comment_.substr(0, kMaxComment);
    request.is_temporary = is_temporary_;
    request.ssh_connection = asked.ssh_connection;
    request.is_terminal = asked.is_terminal;
    if (no_confirm_) request.confirm_s = 0;
    if (confirm_.empty()) return std::nullopt;
    const auto seconds = parse_duration_s(confirm_);
    if (!seconds || *seconds == 0 || *seconds > kMaxConfirm_s)
        return CommandOutput::failed(
            exit_code::kUsage,
            fmt::format("--confirm: '{}' is not a duration from 1s to 1d, such as 120s\n",
                        confirm_));
    if (no_confirm_ || is_temporary_)
        return CommandOutput::failed(
            exit_code::kUsage, "--confirm goes neither with --no-confirm nor with --temporary\n");
    request.confirm_s = seconds;
    return std::nullopt;
}

}  // namespace rampart
