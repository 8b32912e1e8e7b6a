// FlowWriter: many flows or events, one after another, with what stands before, between and after
// them in their form. Counts them. Control thread.
#pragma once

#include <cstddef>
#include <string>

#include "control/conntrack_format.h"

namespace rampart {

class FlowWriter {
  public:
    // `is_document`: the answer to --json, a list without a newline.
    FlowWriter(const ConntrackFormat& format, bool is_document)
        : format_(format), is_document_(is_document) {
        if (is_document) format_.form = FlowForm::JsonText;
    }

    // An XML document begins before its first flow, unless it is said that there is none.
    void without_frame() noexcept { has_frame_ = false; }
    // Each event is a JSON document of its own, in a line.
    void json_lines() noexcept { json_lines_ = true; }

    void add(std::string& out, const FlowReport& report);
    void end(std::string& out) const;
    size_t count() const noexcept { return count_; }

  private:
    ConntrackFormat format_;
    bool is_document_;
    bool has_frame_ = true;
    bool json_lines_ = false;
    size_t count_ = 0;
};

}  // namespace rampart
