// set list and set save: what there is, terse; elements in slices, because there may be millions.
#include <fmt/format.h>

#include "base/scalar.h"
#include "control/commands/arguments.h"
#include "control/commands/set_parts.h"
#include "control/slice_timer.h"

namespace rampart {
namespace {

constexpr unsigned kElementsPerStep = 64;

std::string size_text(size_t bytes) {
    if (bytes >= 10u << 20) return fmt::format("{}M", bytes >> 20);
    if (bytes >= 10u << 10) return fmt::format("{}K", bytes >> 10);
    return fmt::format("{}", bytes);
}

Json to_json(const SetHandle& handle) {
    const NamedSet& set = *handle.set;
    const SetOptions& options = set.options();
    return {{"name", options.name},
            {"type", options.type->name},
            {"dynamic", set.is_dynamic()},
            {"counters", options.has_counters},
            {"timeout", set.timeout_s()},
            {"elements", set.size()},
            {"max", options.max},
            {"memory", set.memory_bytes()},
            {"references", handle.references},
            {"refused", set.refused()},
            {"file", options.file}};
}

std::string remarks(const NamedSet& set) {
    std::string text = set.is_dynamic() ? " dynamic" : "";
    if (set.options().has_counters) text += " counters";
    if (set.timeout_s() != 0) text += " timeout " + format_duration(set.timeout_s());
    if (set.refused() != 0) text += fmt::format(" refused {}", set.refused());
    return text;
}

constexpr std::string_view kHead =
    "name                             type           elements        max   memory  uses\n";

std::string to_text(const SetHandle& handle) {
    const NamedSet& set = *handle.set;
    return fmt::format("{:<32} {:<13} {:>9} {:>10} {:>8} {:>5} {}\n", set.options().name,
                       set.type().name, set.size(), set.options().max,
                       size_text(set.memory_bytes()), handle.references, remarks(set));
}

// The elements of one set. As JSON: the document of the set, with them in it.
class ElementWalk final : public ReplyStream {
  public:
    ElementWalk(std::shared_ptr<SetHandle> handle, Controller& controller, bool json, bool plain)
        : handle_(std::move(handle)), controller_(controller), json_(json), plain_(plain) {
        if (json_) {
            beginning_ = to_json(*handle_).dump();
            beginning_.back() = ',';
            beginning_ += "\"members\":[";
        } else if (!plain_) {
            beginning_ = std::string(kHead) + to_text(*handle_);
        }
    }

    Next produce(ReplyPiece& piece) override {
        const SliceTimer timer;
        const Now now = controller_.now();
        piece.out += std::exchange(beginning_, {});
        SetEntry entry;
        for (;;) {
            for (unsigned i = 0; i < kElementsPerStep; ++i) {
                if (!handle_->set->next(cursor_, entry, now)) {
                    if (json_) piece.out += "]}";
                    return Next::Done;
                }
                add(entry, piece.out);
            }
            if (timer.is_over() || piece.out.size() >= kPieceBytes) return Next::More;
        }
    }
    int exit_status() const override { return exit_code::kOk; }

  private:
    void add(const SetEntry& entry, std::string& out) {
        const NamedSet& set = *handle_->set;
        const std::string text =
            print_set_element(set.type(), entry.element, controller_.sets().names());
        if (!json_) {
            out += text;
            if (!plain_ && entry.seconds_left != 0)
                out += " timeout " + format_duration(entry.seconds_left);
            if (!plain_ && set.options().has_counters)
                out += fmt::format(" packets {} bytes {}", entry.packets, entry.bytes);
            out += '\n';
            return;
        }
        Json item = {{"element", text}, {"at_run_time", entry.at_run_time}};
        if (entry.seconds_left != 0) item["timeout"] = entry.seconds_left;
        if (set.options().has_counters) {
            item["packets"] = entry.packets;
            item["bytes"] = entry.bytes;
        }
        if (std::exchange(is_first_, false)) {
            out += item.dump();
        } else {
            out += ',';
            out += item.dump();
        }
    }

    std::shared_ptr<SetHandle> handle_;
    Controller& controller_;
    bool json_;
    bool plain_;
    bool is_first_ = true;
    std::string beginning_;
    SetCursor cursor_;
};

}  // namespace

CommandOutput set_list(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("The sets: type, elements, memory, and how many rules use them.");
    std::string name;
    bool elements = false;
    parser.option("name", name, "only this set");
    parser.flag("-e,--elements", elements, "also its elements");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    CommandOutput output;
    if (elements && name.empty())
        return CommandOutput::failed(exit_code::kUsage, "--elements needs the name of a set\n");
    if (!name.empty()) {
        auto handle = find_set(name, controller, output);
        if (handle == nullptr) return output;
        if (elements) {
            output.stream =
                std::make_unique<ElementWalk>(std::move(handle), controller, request.json, false);
            return output;
        }
        output.out = std::string(kHead) + to_text(*handle);
        output.result = to_json(*handle);
        return output;
    }
    output.out = kHead;
    output.result = {{"sets", Json::array()}};
    for (const std::shared_ptr<SetHandle>& handle : controller.sets().handles()) {
        output.out += to_text(*handle);
        output.result["sets"].push_back(to_json(*handle));
    }
    return output;
}

CommandOutput set_save(const ApiRequest& request, Controller& controller) {
    ArgumentParser parser("The elements of a set, one a line, as its file could have them.");
    std::string name;
    parser.required("name", name, "the set");
    if (auto answer = parser.parse(request)) return std::move(*answer);
    CommandOutput output;
    auto handle = find_set(name, controller, output);
    if (handle == nullptr) return output;
    output.stream = std::make_unique<ElementWalk>(std::move(handle), controller, false, true);
    return output;
}

}  // namespace rampart
