#include "control/flow_writer.h"

namespace rampart {

void FlowWriter::add(std::string& out, const FlowReport& report) {
    const bool is_first = count_++ == 0;
    switch (format_.form) {
        case FlowForm::Text:
            append_flow_text(out, report, format_);
            out += '\n';
            break;
        case FlowForm::Save:
            append_flow_save(out, report);
            out += '\n';
            break;
        case FlowForm::Xml:
            if (is_first && has_frame_) out += kXmlBegin;
            append_flow_xml(out, report, format_);
            out += '\n';
            break;
        case FlowForm::JsonText:
            if (!json_lines_) out += is_first ? '[' : ',';
            out += flow_to_json(report, format_).dump();
            if (json_lines_) out += '\n';
            break;
    }
}

void FlowWriter::end(std::string& out) const {
    if (format_.form == FlowForm::Xml && has_frame_ && count_ != 0) out += kXmlEnd;
    if (format_.form != FlowForm::JsonText || json_lines_) return;
    out += count_ == 0 ? "[]" : "]";
    if (!is_document_) out += '\n';
}

}  // namespace rampart
