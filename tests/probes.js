// What the browser tests ask a page. Each function is called by name: probes.contrast().
globalThis.probes = {
  // Formulas that MathJax left as source.
  rawFormulas() {
    const all = [...document.querySelectorAll("span.math, div.math")];
    return all.filter((m) => !m.querySelector("mjx-container")).map((m) => m.textContent);
  },

  // Press the theme's own switch until the page is light or dark (its third place is what the system prefers).
  turn(mode) {
    for (let i = 0; i < 3 && document.documentElement.dataset.mode !== mode; i++) document.querySelector("button.theme-switch-button").click();
  },

  // What sticks out of a page so wide and makes it scroll sideways.
  tooWide(width) {
    if (document.documentElement.scrollWidth <= width) return [];
    const out = [...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > width + 1);
    return [`the page is ${document.documentElement.scrollWidth} wide`, ...out.slice(0, 8).map((e) => e.outerHTML.slice(0, 100))];
  },

  // Of a lesson's opening: where its title, card and first figure stand in the page, as [top, bottom].
  opening() {
    const at = (e) => { const box = e.getBoundingClientRect(); return [box.top + scrollY, box.bottom + scrollY]; };
    const [title, card, figure] = ["h1", "blockquote", "figure.genutils-figure"].map((s) => at(document.querySelector(`.bd-article ${s}`)));
    return { title, card, figure };
  },

  // Code that is cut off at the right, by the lines that are too long.
  cutCode() {
    const cut = [...document.querySelectorAll("div.cell_input pre")].filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1);
    return cut.map((e) => e.innerText.split("\n").reduce((a, b) => (b.length > a.length ? b : a)));
  },

  // Text whose contrast is below WCAG AA (4.5, or 3 for large letters), with the page's own luminance.
  contrast() {
    const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (css) => {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = css;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
    const luminance = (colour) => {
      const [r, g, b] = colour.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = (element) => {
      const layers = [];
      for (let e = element; e; e = e.parentElement) {
        layers.unshift(rgba(getComputedStyle(e).backgroundColor));
        if (layers[0][3] === 1) break;
      }
      return layers.reduce((under, layer) => over(layer, under), [255, 255, 255]);
    };
    const shapesUnder = (text) => [text.closest(".family")?.querySelector(".box"), text.parentElement.querySelector(":scope > .row")];
    const skipped = "script, style, noscript, mjx-assistive-mml, .headerlink, .genutils-figure svg";
    const faint = [];
    const seen = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const words = walker.currentNode.textContent.trim();
      const e = walker.currentNode.parentElement;
      if (!words || seen.has(e) || e.closest(skipped)) continue;
      if (!e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || e.getBoundingClientRect().width < 2) continue;
      seen.add(e);
      const style = getComputedStyle(e);
      const drawn = e instanceof SVGElement;
      let under = paper(e);
      for (const shape of drawn ? shapesUnder(e) : []) {
        const fill = shape ? getComputedStyle(shape).fill : "none";
        if (fill !== "none") under = over(rgba(fill), under);
      }
      const ink = rgba(drawn ? style.fill : style.color);
      for (let p = e; p; p = p.parentElement) ink[3] *= getComputedStyle(p).opacity;
      const [dark, light] = [luminance(over(ink, under)), luminance(under)].sort((a, b) => a - b);
      const ratio = (light + 0.05) / (dark + 0.05);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
      if (ratio < (large ? 3 : 4.5)) {
        faint.push(`${ratio.toFixed(2)} <${e.tagName.toLowerCase()} class="${e.getAttribute("class") ?? ""}"> ${words.slice(0, 40)}`);
      }
    }
    return { faint, read: seen.size, paper: luminance(paper(document.querySelector("#main-content"))) };
  },

  // Figures that stand on a sheet of their own colour, or whose ink is not the page's.
  strangeFigures() {
    const strange = [];
    for (const figure of document.querySelectorAll("figure.genutils-figure")) {
      const article = figure.closest("article");
      for (let e = figure; e !== article; e = e.parentElement) {
        const paper = getComputedStyle(e).backgroundColor;
        if (paper !== "transparent" && paper !== "rgba(0, 0, 0, 0)") strange.push(`paper ${paper} on ${e.className}`);
      }
      if (getComputedStyle(figure).color !== getComputedStyle(article).color) strange.push(`ink of ${figure.outerHTML.slice(0, 80)}`);
    }
    return strange;
  },

  // Where the keyboard's focus is, and whether one can see it.
  focus() {
    const e = document.activeElement;
    const ringed = (x) => {
      const s = getComputedStyle(x);
      return (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1) || s.boxShadow !== "none";
    };
    const card = e.closest(".sd-card");
    const places = {
      skip: ".skip-link, #pst-skip-link",
      search: ".search-button-field, .search-button, .search-button__button, form.bd-search",
      navigation: ".bd-sidebar-primary",
      page: "main",
    };
    const where = Object.keys(places).find((name) => e.closest(places[name])) ?? "elsewhere";
    return { where, visible: ringed(e) || Boolean(card && ringed(card)), what: e.outerHTML.slice(0, 120) };
  },
};

// A notebook that is open in JupyterLab (started with --expose-app-in-browser).
globalThis.lab = {
  widget: () => window.jupyterapp?.shell.currentWidget,
  codeCells: () => [...lab.widget().content.model.cells].filter((c) => c.type === "code"),
  idle: () => lab.widget()?.sessionContext?.session?.kernel?.status === "idle",
  errors: () => lab.codeCells().flatMap((c) => c.outputs.toJSON().filter((o) => o.output_type === "error").map((o) => `${o.ename}: ${o.evalue}`)),
  ran: () => lab.idle() && lab.codeCells().every((c) => c.executionCount || !c.sharedModel.getSource().trim()),
  find: (exercise, role) =>
    [...lab.widget().content.model.cells].findIndex((c) => c.getMetadata("exercise") === exercise && c.getMetadata("role") === role),
  source: (index) => lab.widget().content.model.cells.get(index).sharedModel.getSource(),
  says: (index) => lab.widget().content.widgets[index].node.querySelector(".jp-OutputArea")?.innerText ?? "",
  async select(index) {
    const notebook = lab.widget().content;
    notebook.deselectAll();
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index); // cells out of sight are not drawn
  },
  runAll: () => jupyterapp.commands.execute("notebook:run-all-cells"),
  runSelected: () => jupyterapp.commands.execute("notebook:run-cell"),
};
