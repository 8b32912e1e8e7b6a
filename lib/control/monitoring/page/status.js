// Fetches /status.json every two seconds and shows it. Whatever comes from the firewall's configuration (names,
// comments) goes into the page as text nodes, never as markup.
"use strict";

const PERIOD_MS = 2000;
const PATIENCE_MS = 6000;
const SVG = "http://www.w3.org/2000/svg";

const find = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat("en");

// -- words for numbers -----------------------------------------------------------------------------

function scaled(value, unit) {
  const steps = ["", "k", "M", "G", "T"];
  let step = 0;
  while (value >= 999.5 && step + 1 < steps.length) {
    value /= 1000;
    step += 1;
  }
  const digits = step === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${steps[step]}${unit}`;
}
const bits = (bytes) => scaled(bytes * 8, "bit/s");
const packets = (perSecond) => scaled(perSecond, "pps");
const rate = (value) => (value > 0 && value < 10 ? value.toFixed(1) : scaled(value, "").trim());
const short = (text) => text.replace(/\.0+ /, " ");
const bytes = (value) => scaled(value, "B");
const percent = (ratio) => `${(ratio * 100).toFixed(ratio < 0.0995 ? 1 : 0)} %`;

function duration(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor((seconds % 86400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
const clock = (ms) => new Date(ms).toLocaleTimeString("en-GB");
const moment = (ms) => new Date(ms).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const ago = (seconds, now) => (seconds === 0 ? "-" : now - seconds < 2 ? "now" : `${duration(now - seconds)} ago`);

// -- elements --------------------------------------------------------------------------------------

function set(id, text, value) {
  const element = find(id);
  if (element.textContent !== text) element.textContent = text;
  if (value !== undefined) element.dataset.value = value;
}

function make(name, options = {}, ...children) {
  const element = document.createElement(name);
  if (options.className) element.className = options.className;
  if (options.text !== undefined) element.textContent = options.text;
  if (options.title) element.title = options.title;
  if (options.scope) element.scope = options.scope;
  if (options.value !== undefined) element.dataset.value = options.value;
  element.append(...children);
  return element;
}

function draw(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const heading = (text) => make("th", { scope: "row", text });
const cell = (text, className = "", title = "") => make("td", { text, className, title });
const number = (value) => make("td", { className: "number", text: whole.format(value), value });

// A bar with its share in words beside it, so that it needs neither colour nor eyes.
function meter(ratio, className = "") {
  const shown = Math.min(Math.max(ratio, 0), 1);
  const bar = draw("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    draw("rect", { class: "track", width: 100, height: 8 }),
    draw("rect", { class: `fill ${className}`, width: shown * 100, height: 8 }));
  return make("td", { value: ratio }, make("div", { className: "meter" }, bar, make("span", { text: percent(ratio) })));
}
const alarm = (ratio) => (ratio >= 0.9 ? "bad" : ratio >= 0.75 ? "warn" : "");

function fill(id, rows, nothing) {
  const body = find(id).tBodies[0];
  if (rows.length === 0) {
    const columns = find(id).tHead.rows[0].cells.length;
    const empty = cell(nothing, "note");
    empty.colSpan = columns;
    rows = [make("tr", {}, empty)];
  }
  body.replaceChildren(...rows);
}

// -- charts ----------------------------------------------------------------------------------------

// A ceiling that is easy to read: 1, 2 or 5 times a power of ten.
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].find((step) => step * power >= value) * power;
}

class Chart {
  constructor(id, title, series, words) {
    this.box = find(id);
    this.legend = find(`${id}-legend`);
    this.title = title;
    this.series = series;
    this.words = words;
    this.rows = [];
    this.seconds = 600;
    this.at = null; // the row under the cursor; null: the last
    this.box.addEventListener("pointermove", (event) => this.point(event));
    this.box.addEventListener("pointerleave", () => this.choose(null));
    this.box.addEventListener("blur", () => this.choose(null));
    this.box.addEventListener("keydown", (event) => this.step(event));
    new ResizeObserver(() => this.paint()).observe(this.box);
  }

  show(rows, seconds) {
    // A row that is under the cursor moves along.
    const time = this.at === null ? null : this.rows[this.at]?.time;
    this.rows = rows;
    this.seconds = seconds;
    const at = rows.findIndex((row) => row.time === time);
    this.at = at < 0 ? null : at;
    this.paint();
  }

  choose(at) {
    this.at = at;
    this.paint();
  }

  step(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -60, PageDown: 60, Home: -1e6, End: 1e6 };
    if (!(event.key in steps) || this.rows.length === 0) return;
    event.preventDefault();
    const from = this.at ?? this.rows.length - 1;
    this.choose(Math.min(Math.max(from + steps[event.key], 0), this.rows.length - 1));
  }

  point(event) {
    if (this.rows.length === 0) return;
    const box = this.box.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const time = this.end() - (1 - share) * this.seconds;
    let best = 0;
    this.rows.forEach((row, index) => {
      if (Math.abs(row.time - time) < Math.abs(this.rows[best].time - time)) best = index;
    });
    this.choose(best);
  }

  end() {
    return this.rows.length === 0 ? 0 : this.rows[this.rows.length - 1].time;
  }

  paint() {
    const width = this.box.clientWidth;
    const height = this.box.clientHeight - 18; // below: the times
    if (width === 0) return;
    const top = ceiling(Math.max(...this.rows.flatMap((row) => this.series.map((one) => one.of(row))), 1));
    const x = (row) => width - ((this.end() - row.time) / this.seconds) * width;
    const y = (value) => height - (value / top) * (height - 14);
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      const level = y(top * share);
      parts.push(draw("line", { class: "grid", x1: 0, x2: width, y1: level, y2: level }));
      if (share > 0) {
        const label = draw("text", { x: 0, y: level - 3 });
        label.textContent = short(this.words(top * share));
        parts.push(label);
      }
    }
    const marks = width < 500 ? [10, 5, 0] : [10, 8, 6, 4, 2, 0];
    for (const minutes of marks) {
      const at = width - (minutes * 60 / this.seconds) * width;
      const anchor = minutes === 0 ? "end" : minutes === 10 ? "start" : "middle";
      const label = draw("text", { x: at, y: height + 14, "text-anchor": anchor });
      label.textContent = minutes === 0 ? "now" : `-${minutes} min`;
      parts.push(label);
    }
    for (const one of this.series) parts.push(...this.curve(one, x, y, height));
    const chosen = this.rows[this.at ?? this.rows.length - 1];
    if (this.at !== null && chosen)
      parts.push(draw("line", { class: "cursor", x1: x(chosen), x2: x(chosen), y1: 0, y2: height }));
    this.box.replaceChildren(draw("svg", { "aria-hidden": "true" }, ...parts));
    this.describe(chosen);
  }

  // Seconds that are missing leave a gap.
  curve(one, x, y, height) {
    const runs = [];
    this.rows.forEach((row, index) => {
      if (index === 0 || row.time - this.rows[index - 1].time > 3) runs.push([]);
      runs[runs.length - 1].push(`${x(row).toFixed(1)},${y(one.of(row)).toFixed(1)}`);
    });
    const parts = [];
    for (const run of runs) {
      const first = run[0].split(",")[0];
      const last = run[run.length - 1].split(",")[0];
      if (one.hasArea)
        parts.push(draw("polygon", {
          class: `area ${one.look}`,
          points: `${first},${height} ${run.join(" ")} ${last},${height}`,
        }));
      parts.push(draw("polyline", { class: `curve ${one.look}`, points: run.join(" ") }));
    }
    return parts;
  }

  describe(row) {
    const items = this.series.map((one) => make("li", {},
      draw("svg", { width: 18, height: 8, "aria-hidden": "true" },
        draw("line", { class: `curve ${one.look}`, x1: 0, x2: 18, y1: 4, y2: 4 })),
      make("span", { text: row ? `${one.name} ${this.words(one.of(row))}` : one.name })));
    if (row && this.at !== null) items.unshift(make("li", { className: "sub", text: clock(row.time * 1000) }));
    this.legend.replaceChildren(...items);
    const peak = (one) => Math.max(0, ...this.rows.map((each) => one.of(each)));
    const words = this.series.map((one) =>
      `${one.name} ${row ? this.words(one.of(row)) : "unknown"}, at most ${this.words(peak(one))}`);
    const when = row && this.at !== null ? `at ${clock(row.time * 1000)}` : "in the last ten minutes";
    this.box.setAttribute("aria-label", `${this.title} ${when}: ${words.join("; ")}`);
  }
}

const throughput = new Chart("throughput", "Throughput", [
  { name: "received", look: "first", hasArea: true, of: (row) => row.received_bytes },
  { name: "transmitted", look: "second", of: (row) => row.transmitted_bytes },
], bits);
const packetChart = new Chart("packets", "Packets", [
  { name: "forwarded", look: "first", hasArea: true, of: (row) => row.forwarded },
  { name: "dropped", look: "bad", hasArea: true, of: (row) => row.dropped },
], packets);

// -- the parts of the page -------------------------------------------------------------------------

function showHead(status) {
  const state = find("state");
  state.className = `state ${status.ready ? "ready" : "waiting"}`;
  const words = status.ready ? "ready" : "not ready";
  if (state.textContent !== words) state.textContent = words;
  set("version", status.version);
  set("generation", whole.format(status.generation), status.generation);
  set("uptime", duration(status.uptime_s), status.uptime_s);
  set("now", clock(status.now_ms), status.now_ms);
}

function showTiles(status, last) {
  set("rate-received", bits(last.received_bytes));
  set("packets-received", packets(last.received));
  set("rate-transmitted", bits(last.transmitted_bytes));
  set("packets-forwarded", `${packets(last.forwarded)} forwarded`);
  set("rate-dropped", packets(last.dropped));
  set("packets-dropped", `${whole.format(status.drops.total)} since the start`, status.drops.total);
  const { entries, limit } = status.flows;
  set("flows", whole.format(entries), entries);
  set("flows-limit", `of ${whole.format(limit)}, ${rate(last.flows_new)} new/s`, limit);
  const loads = status.workers.map((worker) => worker.busy_ratio);
  const most = Math.max(...loads);
  set("busiest", percent(most), most);
  set("busiest-which", `worker ${loads.indexOf(most)} of ${loads.length}`);
}

function link(port) {
  if (port.link === undefined) return cell("VLAN", "note");
  if (!port.link) return cell("down", "bad");
  const speed = port.speed_mbps;
  const known = speed > 0 && speed < 4e9;
  return cell(known ? `up, ${speed >= 1000 ? `${speed / 1000} Gbit/s` : `${speed} Mbit/s`}` : "up", "good");
}

function showPorts(ports) {
  fill("ports", ports.map((port) => make("tr", {}, heading(port.name), link(port),
    cell(bits(port.received_bytes_per_s), "number"), cell(bits(port.transmitted_bytes_per_s), "number"),
    number(port.received_packets), number(port.transmitted_packets), number(port.lost))), "no ports");
}

function showWorkers(workers) {
  fill("workers", workers.map((worker, index) => make("tr", {}, heading(String(index)), cell(String(worker.cpu)),
    worker.stuck ? cell("stuck", "bad") : meter(worker.busy_ratio, alarm(worker.busy_ratio)),
    number(worker.flows))), "no workers");
}

function showStates(states) {
  const total = states.reduce((sum, one) => sum + one.flows, 0);
  const sorted = [...states].sort((left, right) => right.flows - left.flows);
  fill("states", sorted.map((one) => make("tr", {}, heading(one.proto), cell(one.state),
    meter(one.flows / total), number(one.flows))), "no flows");
}

function showTables(tables) {
  fill("tables", tables.map((table) => {
    const name = table.name === "" ? table.kind : `${table.kind} ${table.name}`;
    const ratio = table.limit === 0 ? 0 : table.used / table.limit;
    const head = make("th", { scope: "row", className: "name", text: name });
    return make("tr", {}, head, meter(ratio, alarm(ratio)), number(table.used),
      table.limit === 0 ? cell("-", "number") : number(table.limit));
  }), "no tables");
}

function showRules(rules, now) {
  set("rules-count", `${whole.format(rules.busiest.length)} of ${whole.format(rules.count)} rules; policies: ` +
    rules.policies.map((one) => `${one.chain} ${one.policy} ${whole.format(one.packets)}`).join(", "));
  fill("rules", rules.busiest.map((rule) => {
    const what = make("th", { scope: "row", className: "text" }, make("span", { text: rule.id }));
    if (rule.comment !== "") what.append(make("span", { className: "sub", text: rule.comment }));
    what.append(make("code", { className: "sub", text: rule.text }));
    const row = make("tr", {}, cell(rule.chain), what, number(rule.packets), cell(rate(rule.packets_per_s), "number"),
      cell(bytes(rule.bytes), "number"), cell(ago(rule.last_hit, now)));
    row.dataset.rule = rule.id;
    return row;
  }), "no rule has matched a packet yet");
}

function showDrops(drops) {
  set("drops-total", `${whole.format(drops.total)} packets since the start`, drops.total);
  fill("drops", drops.reasons.map((drop) => make("tr", {},
    make("th", { scope: "row", className: "text" }, make("code", { text: drop.reason }),
      make("span", { className: "sub", text: drop.meaning })),
    number(drop.packets))), "nothing was dropped");
}

function showChanges(changes) {
  fill("changes", changes.map((change) => make("tr", {}, cell(moment(change.when_ms)),
    make("td", { className: "text" }, make("span", { text: `${change.how} by ${change.who}` }),
      make("span", { className: "sub", text: change.path })),
    cell(change.outcome, change.successful ? "good" : "bad"),
    change.generation === 0 ? cell("-", "number") : number(change.generation))), "none yet");
}

function show(status) {
  const { columns, rows, seconds } = status.history;
  const history = rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]])));
  const nothing = Object.fromEntries(columns.map((name) => [name, 0]));
  showHead(status);
  showTiles(status, history[history.length - 1] ?? nothing);
  throughput.show(history, seconds);
  packetChart.show(history, seconds);
  showPorts(status.ports);
  showWorkers(status.workers);
  showStates(status.flows.states);
  showTables(status.tables);
  showRules(status.rules, Math.floor(status.now_ms / 1000));
  showDrops(status.drops);
  showChanges(status.changes);
}

// -- asking ----------------------------------------------------------------------------------------

let answered = null; // when, last

function lose() {
  const state = find("state");
  state.className = "state lost";
  state.textContent = answered === null ? "no answer" : `no answer since ${clock(answered)}`;
  document.body.classList.add("stale");
}

async function ask() {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch("status.json", { signal: stop.signal, cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.json());
    answered = Date.now();
    document.body.classList.remove("stale");
    document.body.dataset.updates = Number(document.body.dataset.updates ?? 0) + 1;
  } catch (problem) {
    lose();
  } finally {
    clearTimeout(timer);
  }
}

async function run() {
  for (;;) {
    if (!document.hidden) await ask();
    await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
  }
}
run();
