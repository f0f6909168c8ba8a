"use strict";
// A report's charts (hover, zoom, powers of ten) and films (a slider, played). All texts are set as text, never as HTML.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const LEFT = 60, RIGHT = 12, TOP = 8, BOTTOM = 34, COLOURS = 7;

  const make = (name, attributes, inside) => {
    const found = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
    if (inside !== undefined) found.textContent = inside;
    return found;
  };
  const shown = (value) => {
    if (typeof value !== "number") return String(value);
    if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e15)) return value.toExponential(3).replace(/\.?0+e/, "e");
    return Number(value.toPrecision(5)).toLocaleString("en", { maximumSignificantDigits: 5 }).replaceAll(",", "\u202f");
  };
  const button = (text, pressed) => {
    const found = document.createElement("button");
    found.type = "button";
    found.textContent = text;
    if (pressed !== undefined) found.setAttribute("aria-pressed", pressed);
    return found;
  };

  // Seconds of training as people say them: 42 s, 5:04, 1:02:03.
  const clock = (seconds) => {
    if (seconds < 60) return `${shown(Number(seconds.toFixed(1)))} s`;
    const whole = Math.round(seconds), two = (number) => String(number).padStart(2, "0");
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  };
  // Between two of these about five fit, whatever is shown; beyond them the hours are round.
  const MOMENTS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
  const clockTicks = (low, high) => {
    const step = MOMENTS.find((one) => one >= (high - low) / 6);
    if (high - low < 5 || !step) return ticks(low, high);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step);
    return found;
  };

  // From low to high about five round numbers.
  const ticks = (low, high) => {
    const rough = high / 5 - low / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999) ?? rough;
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && found.length < 20; i++) found.push(i * step);
    return found;
  };
  const logTicks = (low, high) => {
    if (high - low < 1) return ticks(10 ** low, 10 ** high).filter((value) => value > 0);
    const step = Math.max(1, Math.ceil((high - low) / 5)), found = [];
    for (let power = Math.ceil(low); power <= Math.floor(high); power += step) found.push(Number(`1e${power}`));
    return found;
  };
  // Two ends with something between them.
  const apart = (low, high) => (low < high ? [low, high] : [low - (Math.abs(low) * 0.1 || 0.5), high + (Math.abs(high) * 0.1 || 0.5)]);

  // Where the first x at or after a value stands; x ascends.
  const search = (x, value) => {
    let low = 0, high = x.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (x[middle] < value) low = middle + 1; else high = middle;
    }
    return low;
  };

  class Chart {
    constructor(figure) {
      this.data = JSON.parse(figure.querySelector("script").textContent);
      this.plot = figure.querySelector(".plot");
      this.keys = [...figure.querySelectorAll(".key")];
      this.log = this.data.log;
      this.units = [this.data.x, ...this.known()];
      this.unit = this.data.x;
      for (const line of this.data.lines) line.steps = line.x;
      this.window = null;
      this.dragged = null;
      this.tip = document.createElement("div");
      this.tip.className = "tip";
      this.tip.hidden = true;
      this.addTools(figure.querySelector("figcaption"));
      for (const key of this.keys) key.addEventListener("click", () => {
        key.setAttribute("aria-pressed", key.getAttribute("aria-pressed") !== "true");
        this.draw();
      });
      this.plot.addEventListener("pointermove", (event) => this.move(event));
      this.plot.addEventListener("pointerdown", (event) => this.press(event));
      this.plot.addEventListener("pointerup", (event) => this.release(event));
      this.plot.addEventListener("pointercancel", () => { this.dragged = null; this.leave(); });
      this.plot.addEventListener("pointerleave", () => this.leave());
      this.plot.addEventListener("dblclick", () => this.zoom(null));
      this.width = 0;
      new ResizeObserver(() => this.fit()).observe(this.plot);
      this.fit();
    }

    // What the steps of all lines may be counted in too.
    known() {
      const { lines, x } = this.data;
      if (x !== "step" || !lines.length) return [];
      return [["epoch", "epoch"], ["time", "seconds"]].filter(([, key]) => lines.every((line) => line[key])).map(([name]) => name);
    }

    along(line, unit) {
      if (unit === "time") return line.seconds;
      return unit === "epoch" ? line.steps.map((step) => step / line.epoch) : line.steps;
    }

    // A moment is one of a run alone, of which all lines are.
    place(step) {
      const line = this.data.lines.reduce((a, b) => (b.steps.length > a.steps.length ? b : a));
      if (this.unit === "epoch") return step / line.epoch;
      if (this.unit !== "time") return step;
      const at = search(line.steps, step), [a, b] = [line.steps[at - 1] ?? 0, line.steps[at]];
      const [from, to] = [at ? line.seconds[at - 1] : 0, line.seconds[at]];
      return b === undefined ? from : b > a ? from + (to - from) * (step - a) / (b - a) : to;
    }

    count(unit) {
      this.unit = unit;
      for (const line of this.data.lines) line.x = this.along(line, unit);
      this.zoom(null);
    }

    told(value) {
      return this.unit === "time" ? clock(value) : shown(value);
    }

    addTools(caption) {
      const tools = document.createElement("span");
      tools.className = "tools";
      if (this.units.length > 1) {
        const choice = document.createElement("select");
        choice.setAttribute("aria-label", "what the horizontal axis counts");
        for (const unit of this.units) choice.append(new Option(unit));
        choice.addEventListener("change", () => this.count(choice.value));
        tools.append(choice);
      }
      const log = button("log", this.log);
      log.title = "vertical axis over powers of ten";
      log.addEventListener("click", () => {
        this.log = !this.log;
        log.setAttribute("aria-pressed", this.log);
        this.draw();
      });
      this.reset = button("whole");
      this.reset.title = "all steps again (double click)";
      this.reset.hidden = true;
      this.reset.addEventListener("click", () => this.zoom(null));
      tools.append(this.reset, log);
      caption.append(tools);
    }

    fit() {
      const width = Math.round(this.plot.clientWidth);
      if (width && width !== this.width && !matchMedia("print").matches) {
        this.width = width;
        this.draw();
      }
    }

    visible() {
      return this.data.lines.map((line, place) => ({ ...line, place }))
        .filter((line) => this.keys[line.place].getAttribute("aria-pressed") === "true");
    }

    ranges(lines) {
      let [left, right] = [Infinity, -Infinity];
      for (const line of this.data.lines) for (const x of [line.x[0], line.x.at(-1)]) if (typeof x === "number") {
        left = Math.min(left, x);
        right = Math.max(right, x);
      }
      const across = this.window ?? (left <= right ? apart(left, right) : [0, 1]);
      let [low, high] = [Infinity, -Infinity];
      for (const line of lines) {
        // One point beyond each edge: the line comes from there.
        const from = Math.max(0, search(line.x, across[0]) - 1), to = Math.min(line.x.length, search(line.x, across[1]) + 1);
        for (const values of [line.y, line.low ?? [], line.high ?? []]) for (let i = from; i < Math.min(to, values.length); i++) {
          const value = values[i];
          if (typeof value !== "number" || (this.log && value <= 0)) continue;
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
      }
      if (low > high) return null;
      if (this.log) [low, high] = [Math.log10(low), Math.log10(high)];
      [low, high] = apart(low, high);
      const room = 0.04 * (high / 2 - low / 2);
      const most = Number.MAX_VALUE / 4;
      return { across, up: [Math.max(low - room, -most), Math.min(high + room, most)] };
    }

    draw() {
      const width = this.width || 640, height = Math.max(200, Math.min(300, Math.round(width * 0.5)));
      const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": this.data.title });
      const lines = this.visible(), ranges = this.ranges(lines);
      this.reset.hidden = !this.window;
      this.svg = svg;
      this.size = { width, height };
      this.scale = null;
      if (ranges) {
        const { across, up } = ranges;
        const x = (value) => LEFT + (value - across[0]) / (across[1] - across[0]) * (width - RIGHT - LEFT);
        const y = (value) => {
          const at = this.log ? (value > 0 ? Math.log10(value) : NaN) : value;
          const big = Math.max(Math.abs(up[0]), Math.abs(up[1])) || 1;
          return height - BOTTOM - (at / big - up[0] / big) / (up[1] / big - up[0] / big) * (height - BOTTOM - TOP);
        };
        this.scale = { x, y, across };
        this.axes(svg, x, y, across, up);
        this.moments(svg, x);
        const inside = make("svg", { x: LEFT, y: 0, width: width - RIGHT - LEFT, height, viewBox: `${LEFT} 0 ${width - RIGHT - LEFT} ${height}`, overflow: "hidden", style: "width:auto;height:auto" });
        inside.setAttribute("preserveAspectRatio", "none");
        for (const line of lines) this.line(inside, line, x, y);
        svg.append(inside);
      } else {
        svg.append(make("text", { x: LEFT, y: height / 2 }, lines.length ? "no values that can be drawn" : "no line is chosen"));
      }
      this.plot.replaceChildren(svg, this.tip);
    }

    axes(svg, x, y, across, up) {
      const { width, height } = this.size;
      for (const value of this.log ? logTicks(...up) : ticks(...up)) {
        svg.append(make("path", { class: "grid", d: `M${LEFT} ${y(value).toFixed(1)}H${width - RIGHT}` }));
        svg.append(make("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, shown(value)));
      }
      for (const value of this.unit === "time" ? clockTicks(...across) : ticks(...across)) {
        const told = this.told(value), at = Math.min(x(value), width - RIGHT - 4 * told.length);
        svg.append(make("text", { x: at, y: height - BOTTOM + 15, "text-anchor": "middle" }, told));
      }
      const label = this.unit === "time" ? "time of training" : this.unit;
      svg.append(make("text", { x: width - RIGHT, y: height - 4, "text-anchor": "end" }, label));
    }

    moments(svg, x) {
      const { width, height } = this.size;
      for (const [step, text] of this.data.moments) {
        const at = x(this.place(step));
        if (at < LEFT || at > width - RIGHT) continue;
        const line = make("path", { class: "moment", d: `M${at.toFixed(1)} ${TOP}V${height - BOTTOM}` });
        line.append(make("title", {}, text));
        svg.append(line);
      }
    }

    line(svg, line, x, y) {
      const colour = `c${line.place % COLOURS}`;
      if (line.low) this.band(svg, line, x, y, colour);
      let path = "", joined = false, count = 0, last = null;
      line.y.forEach((value, i) => {
        const px = x(line.x[i]), py = typeof value === "number" ? y(value) : NaN;
        if (Number.isFinite(px) && Number.isFinite(py)) {
          path += joined ? `L${px.toFixed(1)} ${py.toFixed(1)}` : `M${px.toFixed(1)} ${py.toFixed(1)}h0`;
          joined = true;
          count++;
          last = [px, py];
        } else {
          joined = false;
          if (typeof value !== "number") svg.append(this.odd(px, value, colour));
        }
      });
      if (count === 1) svg.append(make("circle", { class: colour, cx: last[0], cy: last[1], r: 3 }));
      else if (count) svg.append(make("path", { class: `line ${colour}`, d: path }));
    }

    // Infinity at the top, what is no number at the bottom.
    odd(x, value, colour) {
      const up = value === "inf", y = up ? TOP : this.size.height - BOTTOM;
      const sign = make("path", { class: colour, d: `M${x.toFixed(1)} ${y}l4 ${up ? 8 : -8}h-8z` });
      sign.append(make("title", {}, value));
      return sign;
    }

    band(svg, line, x, y, colour) {
      const top = [], bottom = [];
      line.low.forEach((low, i) => {
        const [px, a, b] = [x(line.x[i]), y(low), y(line.high[i])];
        if (![px, a, b].every(Number.isFinite)) return;
        top.push(`${px.toFixed(1)} ${b.toFixed(1)}`);
        bottom.unshift(`${px.toFixed(1)} ${a.toFixed(1)}`);
      });
      if (top.length > 1) svg.append(make("path", { class: `band ${colour}`, d: `M${[...top, ...bottom].join("L")}Z` }));
    }

    // The x that a pointer is at, within the window.
    at(event) {
      const box = this.plot.getBoundingClientRect();
      const pixel = (event.clientX - box.left) / box.width * this.size.width;
      const [low, high] = this.scale.across;
      const share = (pixel - LEFT) / (this.size.width - RIGHT - LEFT);
      return Math.min(high, Math.max(low, low + share * (high - low)));
    }

    press(event) {
      if (!this.scale || event.button) return;
      this.dragged = this.at(event);
      this.plot.setPointerCapture(event.pointerId);
    }

    release(event) {
      if (this.dragged === null || !this.scale) return;
      const [low, high] = [this.dragged, this.at(event)].sort((a, b) => a - b);
      this.dragged = null;
      const [left, right] = this.scale.across;
      if (high - low > (right - left) / 100) this.zoom([low, high]);
      else this.mark(event);
    }

    zoom(window) {
      this.window = window;
      this.leave();
      this.draw();
    }

    move(event) {
      if (this.scale) this.mark(event);
    }

    leave() {
      this.tip.hidden = true;
      this.svg?.querySelectorAll(".cross, .chosen").forEach((one) => one.remove());
    }

    mark(event) {
      this.leave();
      const value = this.at(event), { x, across } = this.scale, { width, height } = this.size;
      if (this.dragged !== null) {
        const [low, high] = [x(this.dragged), x(value)].sort((a, b) => a - b);
        this.svg.append(make("rect", { class: "chosen", x: low, y: TOP, width: high - low, height: height - BOTTOM - TOP }));
      }
      // The nearest point of any line says at which step all are told.
      let nearest = null;
      const lines = this.visible();
      for (const line of lines) {
        const place = search(line.x, value);
        for (const i of [place - 1, place]) {
          if (i < 0 || i >= line.x.length || line.x[i] < across[0] || line.x[i] > across[1]) continue;
          if (nearest === null || Math.abs(line.x[i] - value) < Math.abs(nearest - value)) nearest = line.x[i];
        }
      }
      if (nearest === null) return;
      const told = [`${this.unit} ${this.told(nearest)}`];
      for (const line of lines) {
        // Runs share their steps, seldom their seconds: there, what a line had come to by then.
        const place = search(line.x, nearest), by = line.x[place] === nearest ? place : this.unit === this.data.x ? -1 : place - 1;
        if (by >= 0) told.push(`${line.name}  ${shown(line.y[by])}`);
      }
      this.svg.append(make("path", { class: "cross", d: `M${x(nearest).toFixed(1)} ${TOP}V${height - BOTTOM}` }));
      this.tip.textContent = told.join("\n");
      this.tip.hidden = false;
      const scale = this.plot.clientWidth / width, left = x(nearest) * scale;
      this.tip.style.left = `${Math.max(0, Math.min(this.plot.clientWidth - this.tip.offsetWidth, left > this.plot.clientWidth / 2 ? left - this.tip.offsetWidth - 10 : left + 10))}px`;
    }
  }

  const film = (figure) => {
    const controls = figure.querySelector(".controls");
    if (!controls) return;
    const shots = [...figure.querySelectorAll(".shot")], told = figure.querySelector("output");
    const [play, slider] = [controls.querySelector("button"), controls.querySelector("input")];
    controls.hidden = false;
    let timer = 0;
    const show = () => {
      const at = Number(slider.value);
      shots.forEach((shot, place) => { shot.hidden = place !== at; });
      told.textContent = `${shots[at].dataset.step} · ${at + 1} of ${shots.length}`;
    };
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      play.textContent = "Play";
    };
    play.addEventListener("click", () => {
      if (timer) return stop();
      if (slider.value === slider.max) slider.value = 0;
      show();
      play.textContent = "Pause";
      timer = setInterval(() => {
        if (Number(slider.value) >= Number(slider.max)) return stop();
        slider.value = Number(slider.value) + 1;
        show();
      }, 250);
    });
    slider.addEventListener("input", () => { stop(); show(); });
    show();
  };

  document.querySelectorAll("figure.chart").forEach((figure) => new Chart(figure));
  document.querySelectorAll("figure.film").forEach(film);

  // On paper nothing can be opened.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((one) => { one.open = false; }));
})();
