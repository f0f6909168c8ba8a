"use strict";
// What textual.js (the terminal and its WebSocket) does not do by itself. It offers no hooks, so this runs before it.
(() => {
  const light = matchMedia("(prefers-color-scheme: light)").matches;
  const fonts = 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace';
  let terminal = null;

  // textual.js keeps its terminal to itself, asks for fonts that are not there, and ends where there is no WebGL, only
  // to replace that renderer by the canvas at once. This catches the assignment of the WebGL add-on, once. Where a
  // newer textual.js has none, nothing happens, and the page works as textual.js made it.
  Object.defineProperty(Object.prototype, "webglAddon", {
    configurable: true,
    set(addon) {
      delete Object.prototype.webglAddon;
      this.webglAddon = this.terminal ? { activate() {}, dispose() {} } : addon;
      terminal = this.terminal ?? null;
      if (terminal) {
        terminal.options.fontFamily = fonts;
        terminal.options.theme = light
          ? { background: "#e0e0e0", foreground: "#1f1f1f" }
          : { background: "#121212", foreground: "#e0e0e0" };
        terminal.onRender(() => place());
        // As a key, ctrl+v would be the app's, which knows no clipboard but its own; left to the browser, it pastes.
        const pastes = (event) => event.ctrlKey && !event.altKey && !event.metaKey && event.key.toLowerCase() === "v";
        terminal.attachCustomKeyEventHandler?.((event) => !pastes(event));
      }
    },
  });

  // Pictures: sent once, and drawn over the cells whose colour is their number; a cell's ground says which of the
  // picture's it is. What is no longer seen goes with its cells; of the pictures the newest are kept.
  const pictures = new Map();
  const kept = 200;
  let canvas = null;

  async function take({ number, columns, rows, png }) {
    const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
    pictures.set(number, { columns, rows, image: await createImageBitmap(new Blob([bytes], { type: "image/png" })) });
    for (const old of pictures.keys()) {
      if (pictures.size <= kept) break;
      pictures.get(old).image.close();
      pictures.delete(old);
    }
    place();
  }

  function place() {
    const screen = document.querySelector(".xterm-screen");
    if (!screen || !pictures.size) return;
    if (!canvas) {
      canvas = document.createElement("canvas");
      canvas.id = "pictures";
    }
    if (canvas.parentNode !== screen) screen.append(canvas);
    const [width, height] = [screen.clientWidth, screen.clientHeight];
    const scale = devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    const [across, down] = [canvas.width / terminal.cols, canvas.height / terminal.rows];
    const buffer = terminal.buffer.active;
    let cell;
    for (let row = 0; row < terminal.rows; row++) {
      const line = buffer.getLine(buffer.viewportY + row);
      for (let x = 0; line && x < terminal.cols; x++) {
        cell = line.getCell(x, cell);
        if (!cell || cell.getChars() !== "\u2800" || !cell.isFgRGB() || !cell.isBgRGB()) continue;
        const found = pictures.get(cell.getFgColor());
        if (!found) continue;
        const at = cell.getBgColor();
        const [left, top] = [at & 4095, at >> 12];
        const [w, h] = [found.image.width / found.columns, found.image.height / found.rows];
        pen.imageSmoothingEnabled = w > across;
        const [px, py] = [Math.round(x * across), Math.round(row * down)];
        const [ex, ey] = [Math.round((x + 1) * across), Math.round((row + 1) * down)];
        pen.drawImage(found.image, left * w, top * h, w, h, px, py, ex - px, ey - py);
      }
    }
  }

  const focus = () => (terminal ?? document.querySelector(".xterm-helper-textarea"))?.focus();

  function closed(event) {
    const reasons = {
      1000: "dlkit was closed. Jobs go on.",
      1001: "dlkit web has ended. Jobs go on. Start it again, and open the address that it prints.",
      1006: "There is no connection to dlkit web. If it has ended, start it again, and open the address that it prints.",
      1013: "dlkit web has no room for another tab:",
      1011: "dlkit ended with an error. Jobs go on. The terminal that runs dlkit web has the details.",
    };
    const why = reasons[event.code] ?? "The connection was closed.";
    document.getElementById("why").textContent = event.code === 1011 || event.code === 1013 ? `${why} ${event.reason}` : why;
    document.getElementById("again").focus();
  }

  // One WebSocket is opened: the app's. It hears what colours the browser has; its end is explained; with its first
  // bytes the keyboard is the app's.
  window.WebSocket = class extends WebSocket {
    constructor(url) {
      super(light ? `${url}&light=1` : url);
      this.addEventListener("message", focus, { once: true });
      this.addEventListener("message", (event) => {
        if (typeof event.data !== "string" || !event.data.startsWith('["dlkit_picture"')) return;
        event.stopImmediatePropagation();
        take(JSON.parse(event.data)[1]);
      });
      this.addEventListener("close", (event) => setTimeout(closed, 0, event));
    }

    // textual.js tells of keys, sizes and focus whether or not somebody is there.
    send(data) {
      if (this.readyState === this.OPEN) super.send(data);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("again").addEventListener("click", () => location.reload());
    document.getElementById("terminal").addEventListener("mouseup", focus);
  });
})();
