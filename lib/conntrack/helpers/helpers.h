// The helpers that exist. Each is defined in the file of its name; registry.cc lists them.
#pragma once

#include "conntrack/helpers/helper.h"

namespace rampart {

extern const Helper kFtpHelper;
extern const Helper kTftpHelper;
extern const Helper kIrcHelper;
extern const Helper kSipHelper;
extern const Helper kPptpHelper;

}  // namespace rampart
