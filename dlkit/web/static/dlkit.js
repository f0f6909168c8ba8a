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
        // As a key, ctrl+v would be the app's, which knows no clipboard but its own; left to the browser, it pastes.
        const pastes = (event) => event.ctrlKey && !event.altKey && !event.metaKey && event.key.toLowerCase() === "v";
        terminal.attachCustomKeyEventHandler?.((event) => !pastes(event));
      }
    },
  });

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
