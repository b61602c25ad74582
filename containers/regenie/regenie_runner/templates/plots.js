"use strict";
// Makes the plots of a report ones to look into: zoom, the values of a point, the strongest points in view as a table.
// A figure with data-points names the element that holds its points. Without this script, and in print, its picture is
// shown. Nothing is loaded from elsewhere, and texts are only ever set as text.

const COLOURS = { ink: "--ink", soft: "--soft", line: "--line", hit: "--hit", odd: "--odd", even: "--even", paper: "--paper" };
const GROUP_COLOURS = ["--accent", "--rare", "--low", "--common"];
const MARGIN = { left: 46, right: 14, top: 14, bottom: 40 };
const NEAR = 14; // pixels between the pointer and a point that it means
const ROWS = 20; // of the table
const NAMED = 25; // points that have their names beside them
const NAME_LENGTH = 24; // letters of such a name
const MOST_ZOOM = 1e-6; // the narrowest view, as a part of the whole

// ---- Numbers ----------------------------------------------------------------------------------------------------

/** Little-endian numbers from base64. */
function unpacked(text, Numbers) {
  return new Numbers(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/** Between 3 and 8 round numbers from `low` to `high`. */
function ticks(low, high) {
  const rough = (high - low) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough);
  const found = [];
  for (let tick = Math.ceil(low / step - 1e-9); tick * step <= high + step * 1e-9; tick += 1) {
    found.push(Number((tick * step).toPrecision(12)));
  }
  return found;
}

/** A p-value as people write it; -log10 p goes far beyond what a number can hold. */
function pValue(log10p) {
  let exponent = Number.isInteger(log10p) ? -log10p : -Math.floor(log10p) - 1;
  let mantissa = (10 ** (-log10p - exponent)).toFixed(1);
  if (mantissa === "10.0") {
    mantissa = "1.0";
    exponent += 1;
  }
  return `${mantissa} × 10^${String(exponent).replace("-", "−")}`;
}

/** Places of the strongest `most` points of which `inView` says so, the strongest first. */
function strongest(log10p, most, inView) {
  let chosen = [];
  let least = -Infinity;
  for (let place = 0; place < log10p.length; place += 1) {
    if (log10p[place] > least && inView(place)) {
      chosen.push(place);
      if (chosen.length >= 4 * most) {
        chosen = best(chosen, log10p, most);
        least = log10p[chosen[chosen.length - 1]];
      }
    }
  }
  return best(chosen, log10p, most);
}

function best(places, log10p, most) {
  return places.sort((one, other) => log10p[other] - log10p[one] || one - other).slice(0, most);
}

/** A narrower, wider or moved view that stays within 0 … `width`. */
function moved([from, to], centre, factor, width) {
  const span = Math.min(width, Math.max((to - from) * factor, width * MOST_ZOOM));
  const share = (centre - from) / (to - from);
  const start = Math.min(Math.max(centre - share * span, 0), width - span);
  return [start, start + span];
}

// ---- What is drawn ----------------------------------------------------------------------------------------------

/** The genome: chromosomes side by side, as in the picture. */
class Genome {
  constructor(data) {
    this.line = data.line;
    this.what = data.what;
    this.names = data.names;
    const lengths = data.chromosomes.map((each) => each.end - each.start + 1);
    const gap = Math.floor(lengths.reduce((sum, length) => sum + length, 0) * 0.006);
    const total = data.chromosomes.reduce((sum, each) => sum + each.points, 0);
    this.x = new Float64Array(total);
    this.y = new Float32Array(total);
    this.chromosomeOf = new Uint8Array(total);
    this.positions = new Int32Array(total);
    this.chromosomes = [];
    let offset = 0;
    let place = 0;
    data.chromosomes.forEach((each, number) => {
      const positions = unpacked(each.positions, Int32Array);
      this.positions.set(positions, place);
      this.y.set(unpacked(each.log10p, Float32Array), place);
      this.chromosomeOf.fill(number, place, place + positions.length);
      positions.forEach((position, index) => {
        this.x[place + index] = position - each.start + offset;
      });
      this.chromosomes.push({ name: each.name, label: each.label, from: offset, to: offset + lengths[number], start: each.start });
      place += positions.length;
      offset += lengths[number] + gap;
    });
    this.width = Math.max(offset - gap, 1);
    this.named = this.strongestOfNames();
    this.hidden = new Set();
    this.columns = [this.what, "Chromosome", "Position", "−log10 p", "p"];
    this.yTitle = "−log10 p";
  }

  /** Places of what has a name, the strongest first: all that reach the line, or one. */
  strongestOfNames() {
    const found = new Map();
    for (let place = 0; place < this.y.length; place += 1) {
      const name = this.nameOf(place);
      if (name && !(found.has(name) && this.y[found.get(name)] >= this.y[place])) found.set(name, place);
    }
    const places = best([...found.values()], this.y, NAMED);
    return places.filter((place, index) => index === 0 || this.y[place] >= this.line);
  }

  colourOf(place) {
    if (this.y[place] >= this.line) return "hit";
    return this.chromosomeOf[place] % 2 ? "even" : "odd";
  }

  radiusOf(place, size) {
    return this.y[place] >= this.line ? size * 1.6 : size;
  }

  nameOf(place) {
    const { name } = this.chromosomes[this.chromosomeOf[place]];
    return this.names[`${name}:${this.positions[place]}`] || "";
  }

  rowOf(place) {
    const { label } = this.chromosomes[this.chromosomeOf[place]];
    const log10p = this.y[place];
    return [this.nameOf(place) || "–", label, this.positions[place].toLocaleString("en"), log10p.toFixed(2), pValue(log10p)];
  }

  wordsOf(place) {
    const [name, chromosome, position, log10p, p] = this.rowOf(place);
    return `${name === "–" ? "" : `${name}, `}chromosome ${chromosome}, ${position}: −log10 p ${log10p}, p = ${p}`;
  }

  shown() {
    return true;
  }

  /** Names of chromosomes; of one alone, positions on it. */
  xTicks([from, to]) {
    const seen = this.chromosomes.filter((each) => each.to > from && each.from < to);
    if (seen.length === 1) {
      const [only] = seen;
      const shift = only.start - only.from;
      const low = Math.max(from, only.from) + shift;
      const high = Math.min(to, only.to) + shift;
      return ticks(low / 1e6, high / 1e6).map((tick) => ({ at: tick * 1e6 - shift, text: String(tick) }));
    }
    return seen.map((each) => ({ at: (Math.max(each.from, from) + Math.min(each.to, to)) / 2, text: each.label, width: Math.min(each.to, to) - Math.max(each.from, from) }));
  }

  xTitleOf([from, to]) {
    const seen = this.chromosomes.filter((each) => each.to > from && each.from < to);
    return seen.length === 1 ? `Position on chromosome ${seen[0].label} (Mb)` : "Chromosome";
  }

  top(highest) {
    return Math.max(this.line + 0.7, highest) * 1.08;
  }

  drawBehind(plot) {
    plot.horizontal(this.line, "hit");
  }

  drawAbove(plot) {
    plot.names(this.named);
  }
}

/** Observed against expected -log10 p, of all and by frequency. */
class Quantiles {
  constructor(data) {
    this.groups = data.groups;
    const total = data.groups.reduce((sum, group) => sum + group.expected.length, 0);
    this.x = new Float64Array(total);
    this.y = new Float32Array(total);
    this.groupOf = new Uint8Array(total);
    let place = 0;
    data.groups.forEach((group, number) => {
      this.x.set(group.expected, place);
      this.y.set(group.observed, place);
      this.groupOf.fill(number, place, place + group.expected.length);
      place += group.expected.length;
    });
    this.band = data.band;
    this.width = Math.max(...this.x, 1) * 1.05;
    this.hidden = new Set(data.groups.map((_, number) => number).slice(1));
    this.columns = ["Group", "Expected −log10 p", "Observed −log10 p", "p"];
    this.yTitle = "Observed −log10 p";
  }

  colourOf(place) {
    return GROUP_COLOURS[this.groupOf[place] % GROUP_COLOURS.length];
  }

  radiusOf(place, size) {
    return size;
  }

  rowOf(place) {
    const group = this.groups[this.groupOf[place]];
    return [group.name, this.x[place].toFixed(2), this.y[place].toFixed(2), pValue(this.y[place])];
  }

  wordsOf(place) {
    const [name, expected, observed, p] = this.rowOf(place);
    return `${name}: expected ${expected}, observed ${observed}, p = ${p}`;
  }

  shown(place) {
    return !this.hidden.has(this.groupOf[place]);
  }

  xTicks([from, to]) {
    return ticks(from, to).map((tick) => ({ at: tick, text: String(tick) }));
  }

  xTitleOf() {
    return "Expected −log10 p";
  }

  top(highest) {
    return Math.max(1, highest) * 1.05;
  }

  drawBehind(plot) {
    if (!this.hidden.has(0)) plot.area(this.band.expected, this.band.low, this.band.high, "line");
    plot.segment(0, 0, this.width, this.width, "ink");
  }

  drawAbove() {}
}

// ---- The plot on the page ---------------------------------------------------------------------------------------

class Plot {
  constructor(figure, source, title) {
    this.source = source;
    this.view = [0, source.width];
    this.marked = null;
    this.figure = figure;
    this.build(title);
    new ResizeObserver(() => this.draw()).observe(this.stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    figure.classList.add("drawn");
    this.show();
  }

  build(title) {
    const live = made("div", { className: "live" });
    this.tools = made("div", { className: "tools" });
    this.tools.setAttribute("role", "toolbar");
    this.tools.setAttribute("aria-label", title);
    this.button("Zoom in", () => this.zoom(0.5));
    this.button("Zoom out", () => this.zoom(2));
    this.button("Left", () => this.pan(-0.5));
    this.button("Right", () => this.pan(0.5));
    this.button("Whole", () => this.look([0, this.source.width]));
    this.button("Next strongest", () => this.step(1));
    if (this.source.groups) this.chooseGroups();
    this.stage = made("div", { className: "stage", tabIndex: 0 });
    this.stage.setAttribute("role", "group");
    this.stage.setAttribute("aria-label", `${title}: arrow keys move and choose points, plus and minus zoom, 0 shows all`);
    this.canvas = made("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.tip = made("div", { className: "tip", hidden: true });
    this.stage.append(this.canvas, this.tip);
    this.said = made("p", { className: "said" });
    this.said.setAttribute("aria-live", "polite");
    this.body = made("tbody");
    this.tableTitle = made("caption");
    live.append(this.tools, this.stage, this.said, this.table(title));
    this.figure.prepend(live);
    this.listen();
  }

  button(words, action) {
    const button = made("button", { type: "button", textContent: words });
    button.addEventListener("click", action);
    this.tools.append(button);
  }

  chooseGroups() {
    const { groups, hidden } = this.source;
    groups.forEach((group, number) => {
      const box = made("input", { type: "checkbox", checked: !hidden.has(number) });
      box.addEventListener("change", () => {
        if (box.checked) hidden.delete(number);
        else hidden.add(number);
        this.marked = null;
        this.show();
      });
      const dot = made("span", { className: "dot" });
      dot.style.background = `var(${GROUP_COLOURS[number % GROUP_COLOURS.length]})`;
      const label = made("label");
      label.append(box, dot, group.name);
      this.tools.append(label);
    });
  }

  table(title) {
    const head = made("tr");
    this.source.columns.forEach((name) => {
      const cell = made("th", { scope: "col", textContent: name });
      head.append(cell);
    });
    const header = made("thead");
    header.append(head);
    const table = made("table");
    table.append(this.tableTitle, header, this.body);
    const box = made("div", { className: "scroll", tabIndex: 0 });
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", `Strongest points of ${title}`);
    box.append(table);
    const details = made("details");
    details.append(made("summary", { textContent: "The strongest points in view, as a table" }), box);
    return details;
  }

  listen() {
    const { stage } = this;
    stage.addEventListener("keydown", (event) => this.key(event));
    stage.addEventListener("pointerdown", (event) => {
      this.from = this.pixel(event);
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      if (this.from === undefined) this.mark(this.nearest(event));
      else {
        this.until = this.pixel(event);
        this.draw();
      }
    });
    stage.addEventListener("pointerup", (event) => {
      const [from, until] = [this.from, this.until];
      this.from = undefined;
      this.until = undefined;
      if (from !== undefined && until !== undefined && Math.abs(until - from) > NEAR) {
        this.look([this.atPixel(Math.min(from, until)), this.atPixel(Math.max(from, until))]);
      } else this.mark(this.nearest(event));
    });
    const leave = () => {
      this.from = undefined;
      this.until = undefined;
      this.mark(null);
    };
    stage.addEventListener("pointercancel", leave);
    stage.addEventListener("pointerleave", leave);
    stage.addEventListener("dblclick", () => this.look([0, this.source.width]));
  }

  key(event) {
    const actions = {
      "+": () => this.zoom(0.5),
      "=": () => this.zoom(0.5),
      "-": () => this.zoom(2),
      0: () => this.look([0, this.source.width]),
      ArrowLeft: () => this.pan(-0.25),
      ArrowRight: () => this.pan(0.25),
      ArrowDown: () => this.step(1),
      ArrowUp: () => this.step(-1),
      Escape: () => this.mark(null),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  zoom(factor) {
    const [from, to] = this.view;
    const at = this.marked === null ? (from + to) / 2 : this.source.x[this.marked];
    this.look(moved(this.view, at, factor, this.source.width));
  }

  pan(share) {
    const [from, to] = this.view;
    const by = Math.min(Math.max((to - from) * share, -from), this.source.width - to);
    this.look([from + by, to + by]);
  }

  look([from, to]) {
    const { width } = this.source;
    this.view = moved([from, to], (from + to) / 2, 1, width);
    if (this.marked !== null && !this.inView(this.marked)) this.marked = null;
    this.show();
  }

  /** To the next weaker (1) or stronger (-1) point in view. */
  step(by) {
    const place = this.marked === null ? -1 : this.listed.indexOf(this.marked);
    const next = place < 0 ? 0 : Math.min(Math.max(place + by, 0), this.listed.length - 1);
    if (this.listed.length) this.mark(this.listed[next], `${next + 1} of ${this.listed.length}: `);
  }

  mark(place, before = "") {
    if (place === this.marked && !before) return;
    this.marked = place;
    this.said.textContent = place === null ? "" : before + this.source.wordsOf(place);
    this.draw();
  }

  inView(place) {
    const at = this.source.x[place];
    return at >= this.view[0] && at <= this.view[1] && this.source.shown(place);
  }

  /** Renews the table with the view. */
  show() {
    const { source } = this;
    this.listed = strongest(source.y, ROWS, (place) => this.inView(place));
    this.body.replaceChildren(
      ...this.listed.map((place) => {
        const row = made("tr");
        row.append(...source.rowOf(place).map((text) => made("td", { textContent: text })));
        return row;
      }),
    );
    this.tableTitle.textContent = this.listed.length ? "Of the points in the plot." : "No point is in view.";
    this.draw();
  }

  // -- Pixels

  pixel(event) {
    return event.clientX - this.stage.getBoundingClientRect().left;
  }

  atPixel(pixel) {
    const [from, to] = this.view;
    const share = (pixel - MARGIN.left) / this.inner.width;
    return from + Math.min(Math.max(share, 0), 1) * (to - from);
  }

  toX(at) {
    return MARGIN.left + ((at - this.view[0]) / (this.view[1] - this.view[0])) * this.inner.width;
  }

  toY(value) {
    return MARGIN.top + (1 - value / this.highest) * this.inner.height;
  }

  nearest(event) {
    const box = this.stage.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let found = null;
    let least = NEAR ** 2;
    for (let place = 0; place < this.source.x.length; place += 1) {
      if (this.inView(place)) {
        const distance = (this.toX(this.source.x[place]) - x) ** 2 + (this.toY(this.source.y[place]) - y) ** 2;
        if (distance < least) {
          least = distance;
          found = place;
        }
      }
    }
    return found;
  }

  draw() {
    const { source, stage, canvas } = this;
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    if (!width || !height) return;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    this.inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(COLOURS[name] || name).trim();
    this.pen = canvas.getContext("2d");
    this.pen.scale(scale, scale);
    this.pen.font = "12px system-ui, sans-serif";
    this.highest = source.top(this.listed.length ? source.y[this.listed[0]] : 0);
    this.clipped(() => source.drawBehind(this));
    this.clipped(() => this.points());
    this.axes(width, height);
    source.drawAbove(this);
    this.selection();
    this.pointTip(width);
  }

  clipped(work) {
    const { pen } = this;
    pen.save();
    pen.beginPath();
    pen.rect(MARGIN.left - 3, MARGIN.top - 6, this.inner.width + 6, this.inner.height + 9);
    pen.clip();
    work();
    pen.restore();
  }

  points() {
    const { source, pen } = this;
    const size = source.x.length < 5000 ? 2.1 : 1.5;
    const byColour = new Map();
    for (let place = 0; place < source.x.length; place += 1) {
      if (this.inView(place)) {
        const colour = source.colourOf(place);
        if (!byColour.has(colour)) byColour.set(colour, []);
        byColour.get(colour).push(place);
      }
    }
    byColour.forEach((places, colour) => {
      pen.fillStyle = this.colour(colour);
      places.forEach((place) => {
        const radius = source.radiusOf(place, size);
        const [x, y] = [this.toX(source.x[place]), this.toY(source.y[place])];
        if (places.length > 20000) pen.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
        else {
          pen.beginPath();
          pen.arc(x, y, radius, 0, 2 * Math.PI);
          pen.fill();
        }
      });
    });
  }

  axes(width, height) {
    const { pen, source, view } = this;
    pen.strokeStyle = this.colour("ink");
    pen.fillStyle = this.colour("ink");
    pen.lineWidth = 1;
    const [left, bottom] = [MARGIN.left, height - MARGIN.bottom];
    pen.beginPath();
    pen.moveTo(left - 0.5, MARGIN.top - 6);
    pen.lineTo(left - 0.5, bottom + 0.5);
    pen.lineTo(width - MARGIN.right, bottom + 0.5);
    pen.stroke();
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    ticks(0, this.highest).forEach((tick) => pen.fillText(String(tick), left - 6, this.toY(tick)));
    pen.textAlign = "center";
    pen.textBaseline = "top";
    let free = -Infinity;
    source.xTicks(view).forEach(({ at, text }) => {
      const [x, half] = [this.toX(at), pen.measureText(text).width / 2];
      if (x - half >= free) {
        pen.fillText(text, x, bottom + 5);
        free = x + half + 4;
      }
    });
    pen.fillText(source.xTitleOf(view), left + this.inner.width / 2, bottom + 22);
    pen.save();
    pen.translate(4, MARGIN.top + this.inner.height / 2);
    pen.rotate(-Math.PI / 2);
    pen.fillText(source.yTitle, 0, 0);
    pen.restore();
  }

  /** Beside points, where a stronger one's name leaves room. */
  names(places) {
    const { pen, source } = this;
    const taken = [];
    pen.textBaseline = "bottom";
    pen.textAlign = "center";
    pen.fillStyle = this.colour("ink");
    places.filter((place) => this.inView(place)).forEach((place) => {
      const name = source.nameOf(place);
      const text = name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH - 1)}…` : name;
      const half = pen.measureText(text).width / 2;
      const [least, most] = [MARGIN.left + half, MARGIN.left + this.inner.width - half];
      const x = Math.max(Math.min(this.toX(source.x[place]), most), least);
      const y = this.toY(source.y[place]) - 6;
      if (taken.some((other) => Math.abs(other.x - x) < other.half + half + 4 && Math.abs(other.y - y) < 14)) return;
      taken.push({ x, y, half });
      pen.fillText(text, x, y);
    });
  }

  selection() {
    if (this.from === undefined || this.until === undefined) return;
    this.pen.globalAlpha = 0.2;
    this.pen.fillStyle = this.colour("soft");
    this.pen.fillRect(Math.min(this.from, this.until), MARGIN.top, Math.abs(this.until - this.from), this.inner.height);
    this.pen.globalAlpha = 1;
  }

  pointTip(width) {
    const { tip, marked, source, pen } = this;
    tip.hidden = marked === null;
    if (marked === null) return;
    const [x, y] = [this.toX(source.x[marked]), this.toY(source.y[marked])];
    pen.strokeStyle = this.colour("ink");
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(x, y, 6, 0, 2 * Math.PI);
    pen.stroke();
    tip.textContent = source.wordsOf(marked);
    tip.style.left = `${Math.min(Math.max(x - tip.offsetWidth / 2, 0), Math.max(width - tip.offsetWidth, 0))}px`;
    tip.style.top = `${y > tip.offsetHeight + 14 ? y - tip.offsetHeight - 10 : y + 12}px`;
  }

  horizontal(value, colour) {
    this.pen.setLineDash([6, 4]);
    this.segment(this.view[0], value, this.view[1], value, colour);
    this.pen.setLineDash([]);
  }

  segment(x0, y0, x1, y1, colour) {
    this.pen.strokeStyle = this.colour(colour);
    this.pen.lineWidth = 1;
    this.pen.beginPath();
    this.pen.moveTo(this.toX(x0), this.toY(y0));
    this.pen.lineTo(this.toX(x1), this.toY(y1));
    this.pen.stroke();
  }

  area(x, low, high, colour) {
    this.pen.fillStyle = this.colour(colour);
    this.pen.beginPath();
    x.forEach((at, index) => this.pen.lineTo(this.toX(at), this.toY(high[index])));
    for (let index = x.length - 1; index >= 0; index -= 1) this.pen.lineTo(this.toX(x[index]), this.toY(low[index]));
    this.pen.fill();
  }
}

function made(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

function start() {
  document.querySelectorAll("figure[data-points]").forEach((figure) => {
    const data = JSON.parse(document.getElementById(figure.dataset.points).textContent);
    const source = data.chromosomes ? new Genome(data) : new Quantiles(data);
    if (source.x.length) new Plot(figure, source, figure.dataset.title);
  });
}

if (typeof module === "undefined") start();
else module.exports = { Genome, Quantiles, moved, pValue, strongest, ticks, unpacked };
