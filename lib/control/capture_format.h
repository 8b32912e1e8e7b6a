// Capture format: a captured frame as a line for people, and as a document with its bytes, which
// `rampartctl pcap -w` makes a file of. Pure functions.
//
//   {"time_ns":1764000000123456789,"interface":"lan","point":"dropped","reason":"rule","rule":"ssh",
//    "worker":0,"length":1514,"bytes":"<base64>"}
//
// `point` is received, sent, dropped or local; `length` is that of the whole frame.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "control/json.h"
#include "dataplane/packet_capture.h"
#include "rules/ruleset.h"

namespace rampart {

// `ruleset` is that of the frame's generation; null when it is gone: its rule is then not named.
std::string capture_text(const CaptureHead& head, std::span<const std::byte> bytes,
                         const Ruleset* ruleset, const Names& names);
Json capture_json(const CaptureHead& head, std::span<const std::byte> bytes, const Ruleset* ruleset,
                  const Names& names);

}  // namespace rampart
