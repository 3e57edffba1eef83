(() => {
  const COLOURS = __COLOURS__;
  const figure = (v, draw) => {
__SCRIPT__
  };

  const put = (parent, name, attributes, text) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [k, value] of Object.entries(attributes)) e.setAttribute(k, value);
    if (text !== undefined) e.textContent = text;
    return parent.appendChild(e);
  };
  const colour = (role) => {
    if (!(role in COLOURS)) throw new Error(`no role ${role}; the roles are ${Object.keys(COLOURS).join(", ")}`);
    return COLOURS[role];
  };
  const tidy = (x, digits) => {
    if (!Number.isFinite(x)) return Number.isNaN(x) ? "?" : x > 0 ? "∞" : "−∞";
    return x.toFixed(digits).replace("-", "−").replace(/^−(0\.?0*)$/, "$1");
  };
  const nice = (x) => {
    const power = 10 ** Math.floor(Math.log10(x));
    return power * [1, 2, 5, 10].find((m) => x <= m * power * (1 + 1e-9));
  };
  const ticks = ([a, b], n) => {
    const step = nice((b - a) / n);
    const first = Math.ceil(a / step - 1e-9);
    const last = Math.floor(b / step + 1e-9);
    const at = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
    return at.map((t) => [t, tidy(t, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)))]);
  };

  // What a figure's script draws with. Each call of axes begins a panel below the one before, or beside it.
  const tools = (chart, legend) => {
    const whole = Math.max(280, chart.clientWidth || 640); // one unit is one pixel, so type keeps its size on a phone
    const panel = (part, height) => {
      const width = whole < 560 ? whole : part * whole; // a phone has room for one panel in a row
      const style = `width:${(100 * width) / whole}%`;
      return [put(chart, "svg", { viewBox: `0 0 ${width} ${height}`, style, "aria-hidden": "true" }), width];
    };
    let X, Y, inside;
    const place = (x, y) => `${X(x).toFixed(1)} ${Math.min(9999, Math.max(-9999, Y(y))).toFixed(1)}`;
    const path = (xs, ys) => xs.map((x, i) => (i ? "L" : "M") + place(x, ys[i])).join("");
    const explain = (label, role, style) => label && legend.set(label, [colour(role), style]);
    return {
      nice,
      grid: (a, b, n) => Array.from({ length: n + 1 }, (_, i) => a + ((b - a) * i) / n),
      integral: (ys, dx) => dx * (ys.reduce((sum, y) => sum + y, 0) - (ys[0] + ys[ys.length - 1]) / 2),
      logNormal: (x, mu, sigma) => -0.5 * ((x - mu) / sigma) ** 2 - Math.log(sigma) - 0.5 * Math.log(2 * Math.PI),
      logAddExp: (a, b) => Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b))),
      axes({ x, y, xlabel, ylabel, names, height = 230, part = 1 }) { // names stand at 0, 1, ... of x
        const [svg, width] = panel(part, height);
        const [left, right, top, bottom] = [52, 8, 8, xlabel ? 40 : 24];
        const [w, h] = [width - left - right, height - top - bottom];
        X = (t) => ((t - x[0]) / (x[1] - x[0])) * w;
        Y = (t) => h - ((t - y[0]) / (y[1] - y[0])) * h;
        const line = { stroke: "currentColor", fill: "none" };
        const frame = put(svg, "g", { transform: `translate(${left},${top})` });
        put(frame, "path", { d: `M0 0V${h}H${w}`, ...line });
        for (const [t, words] of names ? names.map((name, i) => [i, name]) : ticks(x, Math.max(3, w / 70))) {
          put(frame, "path", { d: `M${X(t)} ${h}v4`, ...line });
          put(frame, "text", { x: X(t), y: h + 17, "text-anchor": "middle" }, words);
        }
        for (const [t, words] of ticks(y, Math.max(2, h / 45))) {
          put(frame, "path", { d: `M0 ${Y(t)}h-4`, ...line });
          put(frame, "text", { x: -7, y: Y(t) + 4, "text-anchor": "end" }, words);
        }
        const turned = `translate(-39,${h / 2}) rotate(-90)`;
        if (xlabel) put(frame, "text", { x: w / 2, y: h + 35, "text-anchor": "middle" }, xlabel);
        if (ylabel) put(frame, "text", { transform: turned, "text-anchor": "middle" }, ylabel);
        inside = put(frame, "svg", { width: w, height: h }); // clips what is drawn in it
      },
      curve(xs, ys, role = "model", label) {
        const dashes = role === "truth" ? { "stroke-dasharray": "7 4" } : {};
        explain(label, role, role === "truth" ? "dashed" : "solid");
        put(inside, "path", { d: path(xs, ys), fill: "none", stroke: colour(role), "stroke-width": 2.3, ...dashes });
      },
      area(xs, ys, role = "data", label) {
        explain(label, role, "filled");
        const ends = `L${place(xs[xs.length - 1], 0)}L${place(xs[0], 0)}Z`;
        put(inside, "path", { d: path(xs, ys) + ends, fill: colour(role), "fill-opacity": 0.35 });
      },
      dots(xs, ys, role = "data", label) {
        explain(label, role, "filled");
        xs.forEach((x, i) => put(inside, "circle", { cx: X(x), cy: Y(ys[i]), r: 4, fill: colour(role) }));
      },
      pixels(images, columns, { size = 150, mark, part = 1 } = {}) { // rows of ink in 0 ... 1; null is not known yet
        const each = Math.min(size, ((whole < 560 ? 1 : part) * whole - 12) / images.length - 12), side = each / columns;
        const [svg] = panel(part, side * Math.max(...images.map((ink) => Math.ceil(ink.length / columns))) + 4);
        images.forEach((ink, k) => {
          const group = put(svg, "g", { transform: `translate(${2 + k * (each + 14)},2)` });
          ink.forEach((value, i) => {
            const at = { x: (i % columns) * side, y: Math.floor(i / columns) * side, width: side, height: side };
            const known = value !== null;
            const shade = { fill: known ? "currentColor" : colour("third"), "fill-opacity": known ? value : 0.25 };
            put(group, "rect", { ...at, ...shade, "shape-rendering": "crispEdges" });
            if (i === mark) put(group, "rect", { ...at, fill: "none", stroke: colour("second"), "stroke-width": 3 });
          });
          const [w, h] = [columns * side, (ink.length / columns) * side];
          put(group, "rect", { width: w, height: h, fill: "none", stroke: "currentColor", "stroke-opacity": 0.4 });
        });
      },
      letters(symbols, { ink = [], mark, read = symbols.length, role = "model", size = 17 } = {}) { // on ink in 0 ... 1
        const columns = Math.max(1, Math.floor((whole - 6) / size)), high = 1.5 * size;
        const [svg] = panel(1, Math.ceil(symbols.length / columns) * high + 6);
        symbols.forEach((symbol, i) => {
          const [x, y] = [3 + (i % columns) * size, 3 + Math.floor(i / columns) * high];
          const box = { x, y, width: size, height: high - 3 };
          put(svg, "rect", { ...box, fill: colour(role), "fill-opacity": ink[i] || 0 });
          if (i === mark) put(svg, "rect", { ...box, fill: "none", stroke: colour("second"), "stroke-width": 2.5 });
          const at = { x: x + size / 2, y: y + size, "text-anchor": "middle", "fill-opacity": i < read ? 1 : 0.35 };
          put(svg, "text", { ...at, style: `font:${size - 2}px ui-monospace,monospace` }, symbol);
        });
      },
      level(y) { put(inside, "path", { d: `M0 ${Y(y)}H9999`, stroke: "currentColor" }); },
    };
  };

  const start = (root) => {
    const find = (s) => root.querySelector(s);
    const inputs = [...root.querySelectorAll("[data-name]")];
    const chart = find(".live-chart");
    let width, later;

    const values = () => Object.fromEntries(inputs.map((i) => {
      if (i.type !== "range") return [i.dataset.name, i.value];
      const shown = tidy(Number(i.value), Number(i.dataset.digits));
      i.closest(".live-control").querySelector("output").textContent = shown;
      i.setAttribute("aria-valuetext", shown);
      return [i.dataset.name, Number(i.value)];
    }));
    const swatch = ([words, [ink, style]]) => {
      const item = document.createElement("span");
      const sample = item.appendChild(document.createElement("i"));
      const filled = `height:.8em;background:${ink};opacity:.5`;
      sample.style.cssText = style === "filled" ? filled : `border-top:3px ${style} ${ink}`;
      item.append(words);
      return item;
    };
    const quantity = ([name, value, unit, full, digits = 3]) => {
      const [box, dt, dd, number] = ["div", "dt", "dd", "b"].map((tag) => document.createElement(tag));
      dt.textContent = name;
      number.textContent = tidy(value, digits);
      Object.assign(dd.dataset, { quantity: name, value });
      dd.append(number, ` ${unit}`);
      if (full) {
        const bar = dd.appendChild(document.createElement("i"));
        bar.style.width = `${100 * Math.min(1, Math.max(0, value / full))}%`;
      }
      box.append(dt, dd);
      return box;
    };
    const keys = [...root.querySelectorAll("[data-sets]")];
    const hidden = (key) => key.closest(".live-control").querySelector("[data-name]");
    const update = (pressed = false) => {
      const legend = new Map();
      width = chart.clientWidth;
      chart.replaceChildren();
      for (const key of keys) key.setAttribute("aria-pressed", key.dataset.sets === hidden(key).value);
      const found = figure({ ...values(), pressed }, tools(chart, legend));
      find(".live-legend").replaceChildren(...[...legend].map(swatch));
      find(".live-numbers").replaceChildren(...found.map(quantity));
      const spoken = ([name, value, unit, , digits = 2]) => `${name} is ${tidy(value, digits)} ${unit}`;
      const words = found.map(spoken).join(", ");
      clearTimeout(later); // spoken when the reader pauses
      later = setTimeout(() => { find(".live-words").textContent = words; }, 600);
    };
    for (const i of inputs) i.addEventListener("input", () => update());
    for (const key of keys) key.addEventListener("click", () => { hidden(key).value = key.dataset.sets; update(true); });
    update();
    new ResizeObserver(() => { if (chart.clientWidth && chart.clientWidth !== width) update(); }).observe(chart);
  };

  // JupyterLab runs the script anew for each view of an output: start every figure of this name that stands still.
  for (const root of document.querySelectorAll('[data-live="__KEY__"]:not([data-ready])')) {
    root.dataset.ready = "yes";
    start(root);
  }
})();
