#include "control/config_store.h"

#include <algorithm>
#include <exception>
#include <openssl/evp.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/scalar.h"
#include "control/json.h"

namespace rampart {
namespace {

constexpr const char* kStateFile = "state.json";
constexpr const char* kHistory = "history";

std::string entry_file(EntryNumber number) {
    return fmt::format("{}/{}.json", kHistory, number);
}

std::string text_file(EntryNumber number, size_t position) {
    return fmt::format("{}/{}.{}.yaml", kHistory, number, position + 1);
}

std::string rendered(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json to_json(const StoreState& state) {
    Json json{{"startup", state.startup},
              {"previous", state.previous},
              {"config_path", state.config_path},
              {"config_hash", state.config_hash}};
    if (state.pending.entry != 0)
        json["pending"] = {{"entry", state.pending.entry},
                           {"previous", state.pending.previous},
                           {"deadline_ms", state.pending.deadline_ms},
                           {"deadline_boot_ms", state.pending.deadline_boot_ms},
                           {"duration_ms", state.pending.duration_ms},
                           {"boot_id", state.pending.boot_id}};
    return json;
}

// Throws when something is missing or of another type; callers treat that like an unreadable file.
StoreState state_of(const Json& json) {
    StoreState state;
    json.at("startup").get_to(state.startup);
    json.at("previous").get_to(state.previous);
    json.at("config_path").get_to(state.config_path);
    json.at("config_hash").get_to(state.config_hash);
    if (const auto found = json.find("pending"); found != json.end()) {
        PendingConfirmation& pending = state.pending;
        found->at("entry").get_to(pending.entry);
        found->at("previous").get_to(pending.previous);
        found->at("deadline_ms").get_to(pending.deadline_ms);
        found->at("deadline_boot_ms").get_to(pending.deadline_boot_ms);
        found->at("duration_ms").get_to(pending.duration_ms);
        found->at("boot_id").get_to(pending.boot_id);
    }
    return state;
}

Json to_json(const HistoryEntry& entry) {
    return {{"how", entry.how},         {"who", entry.who},
            {"comment", entry.comment}, {"outcome", entry.outcome},
            {"hash", entry.hash},       {"when_ms", entry.when_ms},
            {"paths", entry.paths},     {"follows_includes", entry.follows_includes},
            {"bytes", entry.bytes}};
}

HistoryEntry entry_of(const Json& json) {
    HistoryEntry entry;
    json.at("how").get_to(entry.how);
    json.at("who").get_to(entry.who);
    json.at("comment").get_to(entry.comment);
    json.at("outcome").get_to(entry.outcome);
    json.at("hash").get_to(entry.hash);
    json.at("when_ms").get_to(entry.when_ms);
    json.at("paths").get_to(entry.paths);
    json.at("follows_includes").get_to(entry.follows_includes);
    json.at("bytes").get_to(entry.bytes);
    return entry;
}

template <typename T>
std::optional<T> parsed(const Result<std::string>& text, T (*read)(const Json&)) {
    if (!text) {
        spdlog::warn("{}", text.error().message);
        return std::nullopt;
    }
    try {
        return read(Json::parse(*text));
    } catch (const std::exception& problem) {
        spdlog::warn("{}", problem.what());
        return std::nullopt;
    }
}

// Each text with its name, in order; a length before each keeps them apart.
template <typename Visit>
void for_each_source(const SourceTexts& sources, Visit visit) {
    visit(sources.main);
    if (!sources.included) return;
    for (const SourceText& source : *sources.included)
        visit(source);
}

}  // namespace

std::string hash_of(const SourceTexts& sources) {
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free);
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    const auto add = [&](const std::string& text) {
        const std::string length = fmt::format("{}\n", text.size());
        EVP_DigestUpdate(context.get(), length.data(), length.size());
        EVP_DigestUpdate(context.get(), text.data(), text.size());
    };
    bool is_first = true;  // its name is an accident: the same text from elsewhere is the same
    for_each_source(sources, [&](const SourceText& source) {
        if (!is_first) add(source.path);
        add(source.text);
        is_first = false;
    });
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context.get(), digest, &size);
    std::string hex;
    for (unsigned i = 0; i < size; ++i)
        hex += fmt::format("{:02x}", digest[i]);
    return hex;
}

Result<std::unique_ptr<ConfigStore>> ConfigStore::open(const std::string& path,
                                                       DurableDirectory::Probe probe) {
    auto directory = DurableDirectory::open(path, std::move(probe));
    if (!directory) return tl::unexpected<Error>(directory.error());
    if (!(*directory)->has(kHistory)) {
        if (const auto made = (*directory)->make_folder(kHistory); !made)
            return tl::unexpected<Error>(made.error());
    }
    std::unique_ptr<ConfigStore> store(new ConfigStore(std::move(*directory)));
    store->read_history();
    store->read_state();
    return store;
}

void ConfigStore::read_state() {
    if (!directory_->has(kStateFile)) return;
    auto state = parsed(directory_->read(kStateFile), state_of);
    if (!state) {
        spdlog::warn("{}/{}: not readable; the file of --config counts", path(), kStateFile);
        return;
    }
    state_ = std::move(*state);
    last_number_ = std::max({last_number_, state_.startup, state_.previous});
}

void ConfigStore::read_history() {
    std::vector<std::string> texts;
    for (const std::string& name : directory_->list(kHistory)) {
        const size_t dot = name.find('.');
        const auto number = parse_decimal(name.substr(0, dot), UINT32_MAX);
        if (!number || dot == std::string::npos) continue;
        last_number_ = std::max(last_number_, *number);
        if (name.substr(dot) != ".json") {
            texts.push_back(name);
            continue;
        }
        auto entry = parsed(directory_->read(entry_file(*number)), entry_of);
        if (!entry || entry->paths.empty()) continue;
        entry->number = *number;
        history_.push_back(std::move(*entry));
    }
    std::sort(history_.begin(), history_.end(),
              [](const auto& a, const auto& b) { return a.number < b.number; });
    // Texts of entries that were never completed, or are being removed.
    for (const std::string& name : texts) {
        const auto number = parse_decimal(name.substr(0, name.find('.')), UINT32_MAX);
        if (!directory_->has(entry_file(*number)))
            static_cast<void>(directory_->remove(fmt::format("{}/{}", kHistory, name)));
    }
}

Result<void> ConfigStore::set_state(StoreState state) {
    const auto written = directory_->write(kStateFile, rendered(to_json(state)));
    if (written) {
        state_ = std::move(state);
        return {};
    }
    // Perhaps the new one is there, but not yet safe from a power failure.
    if (const auto restored = directory_->write(kStateFile, rendered(to_json(state_))); !restored)
        spdlog::warn("{}", restored.error().message);
    return written;
}

const HistoryEntry* ConfigStore::find(EntryNumber number) const noexcept {
    for (const HistoryEntry& entry : history_)
        if (entry.number == number) return &entry;
    return nullptr;
}

Result<void> ConfigStore::write_entry(const HistoryEntry& entry) {
    return directory_->write(entry_file(entry.number), rendered(to_json(entry)));
}

Result<EntryNumber> ConfigStore::add(HistoryEntry entry, const SourceTexts& sources) {
    entry.number = last_number_ + 1;
    entry.hash = hash_of(sources);
    entry.follows_includes = sources.included.has_value();
    entry.bytes = 0;
    entry.paths.clear();
    Result<void> written;
    for_each_source(sources, [&](const SourceText& source) {
        if (written)
            written = directory_->write(text_file(entry.number, entry.paths.size()), source.text);
        entry.paths.push_back(source.path);
        entry.bytes += source.text.size();
    });
    if (written) written = write_entry(entry);
    if (!written) {
        remove_entry(entry);
        return tl::unexpected<Error>(written.error());
    }
    last_number_ = entry.number;
    history_.push_back(std::move(entry));
    remove_surplus();
    return last_number_;
}

void ConfigStore::set_outcome(EntryNumber number, const std::string& outcome) {
    const auto found = std::find_if(history_.begin(), history_.end(),
                                    [&](const auto& entry) { return entry.number == number; });
    if (found == history_.end()) return;
    found->outcome = outcome;
    if (const auto written = write_entry(*found); !written)
        spdlog::warn("{}", written.error().message);
}

Result<SourceTexts> ConfigStore::sources(EntryNumber number) const {
    const HistoryEntry* entry = find(number);
    if (entry == nullptr)
        return failure(fmt::format("there is no configuration {} in the history", number),
                       "`rampartctl history` lists them");
    SourceTexts sources;
    if (entry->follows_includes) sources.included.emplace();
    for (size_t i = 0; i < entry->paths.size(); ++i) {
        auto text = directory_->read(text_file(number, i));
        if (!text) return tl::unexpected<Error>(text.error());
        SourceText source{entry->paths[i], std::move(*text)};
        if (i == 0)
            sources.main = std::move(source);
        else if (sources.included)
            sources.included->push_back(std::move(source));
    }
    if (hash_of(sources) != entry->hash)
        return failure(fmt::format("{}/{}: the text is not the one that was stored", path(),
                                   text_file(number, 0)));
    return sources;
}

bool ConfigStore::is_in_use(EntryNumber number) const noexcept {
    return number == state_.startup || number == state_.previous ||
           number == state_.pending.entry || number == state_.pending.previous;
}

// Never the newest: it is about to be used.
void ConfigStore::remove_surplus() {
    uint64_t bytes = 0;
    for (const HistoryEntry& entry : history_)
        bytes += entry.bytes;
    for (size_t i = 0; i + 1 < history_.size();) {
        if (history_.size() <= kMaxEntries && bytes <= kMaxBytes) return;
        if (is_in_use(history_[i].number)) {
            ++i;
            continue;
        }
        bytes -= history_[i].bytes;
        remove_entry(history_[i]);
        history_.erase(history_.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

void ConfigStore::remove_entry(const HistoryEntry& entry) {
    Result<void> removed = directory_->remove(entry_file(entry.number));
    for (size_t i = 0; i < entry.paths.size(); ++i)
        if (removed) removed = directory_->remove(text_file(entry.number, i));
    if (!removed) spdlog::warn("{}", removed.error().message);
}

}  // namespace rampart
