#include "scenario/runner/scenario.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <yaml-cpp/yaml.h>

#include "support/packet_line.h"

namespace rampart::test {
namespace {

[[noreturn]] void fail(const YAML::Node& node, const std::string& what) {
    throw std::runtime_error("line " + std::to_string(node.Mark().line + 1) + ": " + what);
}

std::string read_text(const std::filesystem::path& file) {
    std::ifstream stream(file);
    if (!stream) throw std::runtime_error("cannot read " + file.string());
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
}

std::string trimmed(const std::string& text) {
    const size_t first = text.find_first_not_of(' ');
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string emitted(const YAML::Node& node) {
    YAML::Emitter emitter;
    emitter.SetMapFormat(YAML::Flow);
    emitter.SetSeqFormat(YAML::Flow);
    emitter << node;
    return emitter.c_str();
}

uint64_t nanoseconds_of(const YAML::Node& node, const std::string& text) {
    size_t used = 0;
    double value = 0;
    try {
        value = std::stod(text, &used);
    } catch (const std::exception&) {
        fail(node, "not a duration: '" + text + "'");
    }
    static const std::map<std::string, double> kUnits = {
        {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    const auto unit = kUnits.find(text.substr(used));
    if (unit == kUnits.end()) fail(node, "a duration needs ms, s, m, h or d: '" + text + "'");
    return static_cast<uint64_t>(value * unit->second);
}

// The short form of a configuration: two ports named lan and wan, and the chain forward.
std::string framed_config(const YAML::Node& node, bool is_routed) {
    std::string text = "version: 1\n";
    if (node["interfaces"]) {
        text += "interfaces: " + emitted(node["interfaces"]) + "\n";
    } else {
        text += "interfaces: { lan: { device: \"vdev:net_null0\"";
        text += is_routed ? "" : ", bridge: wan";
        text += " }, wan: { device: \"vdev:net_null1\" } }\n";
    }
    for (const char* section : {"define", "zones", "sets", "bridge", "conntrack", "reload", "nat"})
        if (node[section]) text += std::string(section) + ": " + emitted(node[section]) + "\n";
    const std::string policy = node["policy"] ? node["policy"].as<std::string>() : "drop";
    text += "chains:\n  forward:\n    policy: " + policy + "\n";
    if (node["rules"]) {
        text += "    rules:\n";
        for (const YAML::Node& rule : node["rules"])
            text += "      - " + emitted(rule) + "\n";
    }
    if (node["chains"])
        for (const auto& chain : node["chains"])
            text += "  " + chain.first.as<std::string>() + ": " + emitted(chain.second) + "\n";
    return text;
}

std::optional<std::string> config_of(const YAML::Node& node, const std::filesystem::path& root,
                                     bool is_routed) {
    if (node.IsScalar()) return node.as<std::string>();
    if (node["config_text"]) return node["config_text"].as<std::string>();
    if (!node["config"]) return framed_config(node, is_routed);
    const std::string name = node["config"].as<std::string>();
    if (name == "none") return std::nullopt;
    return read_text(root / name);
}

class Reader {
  public:
    Reader(Scenario& scenario, const std::filesystem::path& root)
        : scenario_(scenario), root_(root) {}

    void read(const YAML::Node& file);

  private:
    void read_network(const YAML::Node& file);
    Step step_of(const YAML::Node& node);
    PacketRow row_of(const YAML::Node& node);
    std::string with_names(const std::string& line) const;
    std::vector<std::string> list_of(const YAML::Node& node) const;

    Scenario& scenario_;
    const std::filesystem::path& root_;
    std::map<std::string, std::string> names_;
};

void Reader::read(const YAML::Node& file) {
    static const std::vector<std::string> kKeys = {
        "intent", "config",    "config_text", "interfaces", "define", "zones",  "sets",
        "bridge", "conntrack", "reload",      "policy",     "rules",  "chains", "nat",
        "names",  "addresses", "routes",      "neighbours", "mtus",   "steps"};
    for (const auto& entry : file)
        if (std::find(kKeys.begin(), kKeys.end(), entry.first.as<std::string>()) == kKeys.end())
            fail(entry.first, "unknown key '" + entry.first.as<std::string>() + "'");
    if (!file["intent"]) fail(file, "a scenario begins with its intent");
    scenario_.intent = file["intent"].as<std::string>();
    const bool is_routed = file["addresses"] || file["routes"];
    scenario_.config = config_of(file, root_, is_routed);
    if (file["conntrack"] && file["conntrack"]["max"])
        scenario_.capacity = file["conntrack"]["max"].as<uint32_t>();
    if (file["names"])
        for (const auto& name : file["names"])
            names_[name.first.as<std::string>()] = name.second.as<std::string>();
    if (is_routed) read_network(file);
    if (!file["steps"] || !file["steps"].IsSequence()) fail(file, "there are no steps");
    for (const YAML::Node& node : file["steps"])
        scenario_.steps.push_back(step_of(node));
}

void Reader::read_network(const YAML::Node& file) {
    NetworkSpec network;
    if (file["addresses"])
        for (const auto& entry : file["addresses"])
            network.addresses[entry.first.as<std::string>()] = list_of(entry.second);
    network.routes = list_of(file["routes"]);
    if (file["neighbours"]) network.neighbours = list_of(file["neighbours"]);
    if (file["mtus"])
        for (const auto& entry : file["mtus"])
            network.mtus[entry.first.as<std::string>()] = entry.second.as<uint16_t>();
    scenario_.network = std::move(network);
}

Step Reader::step_of(const YAML::Node& node) {
    Step step;
    step.line = node.Mark().line + 1;
    if (node.IsScalar() || node["send"]) {
        step.what = SendStep{{row_of(node)}};
    } else if (node["burst"]) {
        SendStep burst;
        for (const YAML::Node& row : node["burst"])
            burst.rows.push_back(row_of(row));
        step.what = burst;
    } else if (node["advance"]) {
        const std::vector<std::string> words = words_of(node["advance"].as<std::string>());
        if (words.empty() || words.size() > 2 || (words.size() == 2 && words[1] != "unswept"))
            fail(node, "advance: DURATION [unswept]");
        step.what = AdvanceStep{nanoseconds_of(node, words[0]), words.size() == 1};
    } else if (node["flows"]) {
        step.what = FlowsStep{list_of(node["flows"])};
    } else if (node["counters"]) {
        CountersStep counters;
        for (const auto& entry : node["counters"])
            counters.packets[entry.first.as<std::string>()] = entry.second.as<uint64_t>();
        step.what = counters;
    } else if (node["reload"]) {
        const auto config = config_of(node["reload"], root_, scenario_.network.has_value());
        if (!config) fail(node, "reload needs a configuration");
        step.what = ReloadStep{*config};
    } else {
        fail(node, "a step is a packet, send, burst, advance, flows, counters or reload");
    }
    return step;
}

// "PACKET | EXPECT | CLASS | FLOW", or the same under the keys send, expect, class and flow.
PacketRow Reader::row_of(const YAML::Node& node) {
    PacketRow row;
    std::optional<std::string>* const columns[] = {&row.expect, &row.ct_class, &row.flow};
    if (node.IsScalar()) {
        std::stringstream text(with_names(node.as<std::string>()));
        std::string column;
        std::getline(text, column, '|');
        row.packet = trimmed(column);
        for (std::optional<std::string>* target : columns) {
            if (!std::getline(text, column, '|')) break;
            if (const std::string value = trimmed(column); !value.empty()) *target = value;
        }
        if (!text.eof()) fail(node, "a row has at most four columns");
        return row;
    }
    static const char* const kKeys[] = {"expect", "class", "flow"};
    row.packet = with_names(node["send"].as<std::string>());
    for (size_t i = 0; i < 3; ++i)
        if (node[kKeys[i]]) *columns[i] = with_names(node[kKeys[i]].as<std::string>());
    for (const auto& entry : node)
        if (const std::string key = entry.first.as<std::string>();
            key != "send" && key != "expect" && key != "class" && key != "flow")
            fail(entry.first, "unknown key '" + key + "' in a step");
    return row;
}

// Whole words that are names become what they stand for.
std::string Reader::with_names(const std::string& line) const {
    if (names_.empty()) return line;
    std::string out;
    for (const std::string& word : words_of(line)) {
        const auto name = names_.find(word);
        out += (out.empty() ? "" : " ") + (name == names_.end() ? word : name->second);
    }
    return out;
}

std::vector<std::string> Reader::list_of(const YAML::Node& node) const {
    std::vector<std::string> list;
    if (node && node.IsSequence())
        for (const YAML::Node& item : node)
            list.push_back(with_names(item.as<std::string>()));
    return list;
}

}  // namespace

Scenario read_scenario(const std::filesystem::path& file, const std::filesystem::path& root) {
    Scenario scenario;
    scenario.path = std::filesystem::relative(file, root).string();
    try {
        Reader(scenario, root).read(YAML::LoadFile(file.string()));
    } catch (const YAML::Exception& error) {
        throw std::runtime_error(error.what());
    }
    return scenario;
}

}  // namespace rampart::test
