"use strict";
const at = (id) => document.getElementById(id);
const made = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
let about, ask, running = null;

async function begin() {
  about = await (await fetch("/about")).json();
  document.title = document.querySelector("h1").textContent = about.title;
  at("about").textContent = `${about.task}, by ${about.inference} · ${about.usage}`;
  ask = question();
  options();
  example();
  at("curl").textContent = `curl ${location.origin}/predict -H 'Content-Type: application/json' \\\n  -d '${
    JSON.stringify({ question: short(about.schema.example) })}'`;
}

const short = (value) => typeof value === "string" && value.length > 120 ? value.slice(0, 60) + "…" : value;

/* The widget that the schema asks for: how a question is read, and set. */
function question() {
  const place = at("question"), schema = about.schema.question;
  if (about.asks === "image") return image(place);
  const row = schema.properties ? schema : (schema.oneOf || []).find((one) => one.properties);
  if (row) return table(place, row);
  if (schema.enum) return choice(place, schema);
  if (schema.type === "integer") return whole(place, schema);
  const list = schema.type === "array";
  const area = made("textarea", { placeholder: about.placeholder || JSON.stringify(about.schema.example) });
  place.append(made("label", {}, made("span", { textContent: about.label }), area));
  return {
    get: () => list ? JSON.parse(area.value) : area.value,
    set: (value) => { area.value = list ? JSON.stringify(value) : value; },
  };
}

function labelled(name, description, input, shown) {
  return made("label", {}, made("span", {}, name, shown || ""), input,
    made("small", { textContent: description || "" }));
}

function choice(place, schema) {
  const select = made("select", {}, ...schema.enum.map((name) => new Option(name)));
  place.append(labelled(about.label, schema.description, select));
  return { get: () => select.value, set: (value) => { select.value = value; } };
}

function whole(place, schema) {
  const input = made("input", { type: "number", min: schema.minimum ?? "", max: schema.maximum ?? "", step: 1, value: 0 });
  place.append(labelled(about.label, schema.description, input));
  return { get: () => Number(input.value), set: (value) => { input.value = value; } };
}

function table(place, schema) {
  const inputs = {}, grid = made("div", { className: "columns" });
  for (const [name, column] of Object.entries(schema.properties)) {
    const known = column.enum || column.examples;
    const input = column.enum ? made("select", {}, ...known.map((one) => new Option(one)))
      : made("input", { inputMode: column.type === "string" || known ? "text" : "decimal" });
    if (column.type === "number") input.dataset.number = "1";
    inputs[name] = input;
    grid.append(labelled(name, column.description, input));
  }
  place.append(grid);
  return {
    get: () => Object.fromEntries(Object.entries(inputs).filter(([, input]) => input.value !== "")
      .map(([name, input]) => [name, input.dataset.number ? Number(input.value) : input.value])),
    set: (value) => { for (const name in inputs) inputs[name].value = value[name] ?? ""; },
  };
}

function image(place) {
  let chosen = null;
  const file = made("input", { type: "file", accept: "image/*", hidden: true });
  const picture = made("img", { alt: "", hidden: true });
  picture.onload = () => picture.classList.toggle("small", picture.naturalWidth < 64);
  const drop = made("div", { className: "drop", tabIndex: 0, role: "button" },
    "Drop an image here, paste one, or click to choose a file", picture);
  const take = (blob) => {
    if (!blob) return;
    chosen = blob;
    URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(blob);
    picture.hidden = false;
  };
  drop.onclick = () => file.click();
  drop.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); file.click(); } };
  file.onchange = () => take(file.files[0]);
  drop.ondragover = (event) => { event.preventDefault(); drop.classList.add("over"); };
  drop.ondragleave = () => drop.classList.remove("over");
  drop.ondrop = (event) => { event.preventDefault(); drop.classList.remove("over"); take(event.dataTransfer.files[0]); };
  addEventListener("paste", (event) => take([...event.clipboardData.files].find((one) => one.type.startsWith("image/"))));
  place.append(drop, file);
  return {
    get: () => { if (!chosen) throw new Error("choose an image first"); return chosen; },
    set: (value) => {
      const bytes = Uint8Array.from(atob(value), (sign) => sign.charCodeAt(0));
      take(new Blob([bytes], { type: "image/png" }));
    },
  };
}

/* Options: sliders where there are two bounds, boxes and lists where there are two or few values. */
function options() {
  const place = at("options").querySelector("div");
  for (const option of about.options.toSorted((one, other) => one.seldom - other.seldom)) {
    const bounds = range(option.schema), value = option.value;
    let input, shown;
    if (typeof value === "boolean") input = made("input", { type: "checkbox", checked: value });
    else if (option.schema.enum) input = made("select", {}, ...option.schema.enum.map((one) => new Option(one, one)));
    else if (bounds && typeof value === "number") {
      const step = Number.isInteger(value) && option.schema.type !== "number" ? 1 : (bounds[1] - bounds[0]) / 200;
      input = made("input", { type: "range", min: bounds[0], max: bounds[1], step });
      shown = made("output");
      input.oninput = () => { shown.textContent = Number(Number(input.value).toPrecision(4)); };
    } else if (typeof value === "number" || typeof value === "string") input = made("input", { type: "text" });
    else continue;
    if (typeof value !== "boolean") input.value = value;
    input.oninput?.();
    input.dataset.option = option.name;
    input.before_ = input.type === "checkbox" ? input.checked : input.value;
    place.append(labelled(option.name.replaceAll("_", " "), option.description, input, shown));
  }
  at("options").hidden = !place.children.length;
}

function range(schema) {
  const low = schema.minimum ?? schema.exclusiveMinimum, high = schema.maximum ?? schema.exclusiveMaximum;
  return low !== undefined && high !== undefined && high - low < 1e6 ? [low, high] : null;
}

function changed() {
  const found = {};
  for (const input of at("options").querySelectorAll("[data-option]")) {
    const value = input.type === "checkbox" ? input.checked : input.value;
    if (value === input.before_) continue;
    const old = about.options.find((one) => one.name === input.dataset.option).value;
    found[input.dataset.option] = typeof old === "number" ? Number(value) : value;
  }
  return found;
}

/* What can be clicked: at once what the schema has, then questions of the data, when they have been read. */
function example() {
  const value = about.schema.example;
  if (value !== "" && value !== null) offer(value, about.asks === "image" ? "noise" : "");
  fetch("/examples").then((response) => response.json()).then((told) => {
    if (told.examples.length) at("examples").querySelector(".example")?.remove();
    for (const one of told.examples) offer(one);
  }).catch(() => {});
}

function offer(value, words) {
  const picture = about.asks === "image" && !words;
  const inside = picture ? made("img", { src: `data:image/png;base64,${value}`, alt: "an image of the data" })
    : short(words || (value && typeof value === "object" ? Object.values(value).join(" · ") : String(value)));
  at("examples").append(made("button", { type: "button", className: "example",
    onclick: () => { ask.set(value); at("form").requestSubmit(); } }, inside));
  at("examples").hidden = false;
}

at("form").onsubmit = async (event) => {
  event.preventDefault();
  running?.abort();
  running = new AbortController();
  const button = document.querySelector("button[type=submit]"), began = performance.now();
  button.disabled = true;
  at("state").textContent = "…";
  try {
    const value = ask.get(), signal = running.signal;
    if (about.streams) await streamed(value, signal);
    else show(await asked(value, signal));
    at("state").textContent = `${Math.round(performance.now() - began)} ms`;
  } catch (error) {
    at("state").textContent = "";
    answer(made("p", { className: "error", textContent: error.message }));
  } finally { button.disabled = false; }
};

async function asked(value, signal) {
  let response;
  if (value instanceof Blob) {
    const form = new FormData();
    form.append("file", value, "image");
    form.append("options", JSON.stringify(changed()));
    response = await fetch("/predict?show=1", { method: "POST", body: form, signal });
  } else response = await post({ question: value, options: changed(), show: true }, signal);
  const told = await response.json();
  if (!response.ok) throw new Error(told.error || response.statusText);
  return told;
}

const post = (told, signal) => fetch("/predict", { method: "POST", signal, body: JSON.stringify(told),
  headers: { "Content-Type": "application/json" } });

async function streamed(value, signal) {
  const response = await post({ question: value, options: changed(), stream: true }, signal);
  if (!response.ok) throw new Error((await response.json()).error);
  const text = made("pre");
  answer(made("h2", { textContent: "Written" }), text);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let kept = "";;) {
    const { done, value: part } = await reader.read();
    if (done) return;
    const events = (kept + part).split("\n\n");
    kept = events.pop();
    for (const one of events) {
      const [head, data] = one.split("\ndata: "), told = JSON.parse(data);
      if (head === "event: piece") text.append(told.text);
      else if (told.error) throw new Error(told.error);
    }
  }
}

function answer(...children) {
  at("answer").replaceChildren(...children);
  at("answer").hidden = false;
  if (at("answer").getBoundingClientRect().top > innerHeight * 0.8) at("answer").scrollIntoView();
}

function show(told) {
  const drawn = (told.shown || []).flatMap((sample) => [made("h2", { textContent: sample.title }), draw(sample)]);
  const notes = (told.notes || []).map((note) => made("p", { textContent: note }));
  const raw = made("details", {}, made("summary", { textContent: "Answer as JSON" }),
    made("pre", { textContent: JSON.stringify(told.answer, null, 1) }));
  raw.open = !drawn.length;
  answer(...drawn, ...notes, raw);
}

function draw(sample) {
  if (sample.png) return made("img", { src: `data:image/png;base64,${sample.png}`, alt: sample.title });
  if (sample.rows) {
    const head = made("tr", {}, ...sample.headers.map((name) => made("th", { textContent: name })));
    const rows = sample.rows.map((row) => made("tr", {}, ...row.map((cell) => made("td", { textContent: cell,
      className: typeof cell === "number" ? "number" : "" }))));
    return made("div", { className: "table" }, made("table", {}, head, ...rows));
  }
  return made("pre", {}, made("span", { className: "prompt", textContent: sample.prompt || "" }), sample.text);
}

begin().catch((error) => answer(made("p", { className: "error", textContent: error.message })));
