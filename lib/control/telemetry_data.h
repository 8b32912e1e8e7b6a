// Telemetry data: documents in the form of DPDK's telemetry, and what that form cannot carry.
//
// DPDK 22.11 knows whole numbers, short texts, lists of these, and dictionaries that may be nested;
// no list of dictionaries, no fractions, no truth values. Names are letters, digits, '_' and '/'.
// An answer has kRoom bytes; what does not fit would be left out without a word, so long lists are
// given a page at a time (page_of). Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "control/json.h"

struct rte_tel_data;

namespace rampart {

inline constexpr size_t kTelemetryRoom_bytes = 15'000;  // of DPDK's 16 KiB
inline constexpr size_t kTelemetryEntries = 256;        // of a dictionary, RTE_TEL_MAX_DICT_ENTRIES

// A name that DPDK takes: other characters become '_'.
std::string telemetry_name(std::string_view text);

// What the elements of `list`, which are objects, say, by the value of their member `key`, from
// element `first` on; where there is no room for more, "next" is the element to go on with.
// Elements of the same name get "_2", "_3" and so on behind it.
Json page_of(const Json& list, std::string_view key, size_t first);

// `document` is an object. Texts longer than DPDK takes are cut; truth values become 0 and 1,
// fractions texts.
void fill(rte_tel_data* data, const Json& document);

}  // namespace rampart
