"use strict";
// Makes the timeline and the list of states from the data in the page. All that
// comes from there is set as text, never as markup.
(() => {
  const marks = { failed: "✗", changed: "●", pending: "○", ok: "✓" };
  const words = { failed: "failed", changed: "changed", pending: "would change", ok: "ok" };
  const pageSize = 100, rowSize = 300;

  function el(name, cls, text) {
    const e = document.createElement(name);
    if (cls) e.className = cls;
    if (text !== undefined) e.textContent = text;
    return e;
  }
  function svg(name, attributes) {
    const e = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) e.setAttribute(key, attributes[key]);
    return e;
  }
  function time(ms) {
    if (ms < 1000) return ms.toFixed(1) + " ms";
    return ms < 100000 ? (ms / 1000).toFixed(1) + " s" : Math.floor(ms / 60000) + " min " + Math.round(ms % 60000 / 1000) + " s";
  }
  function more(place, left, text, show) {
    place.replaceChildren();
    if (left <= 0) return;
    const button = el("button", "", text);
    button.type = "button";
    button.addEventListener("click", show);
    place.append(button);
  }

  // The list of states.
  function body(s) {
    const b = el("div", "body");
    const field = (name, text) => {
      if (!text) return;
      const p = el("p", "soft", name + " ");
      p.append(el("bdi", "mono", text));
      b.append(p);
    };
    field("Name", s.name);
    field("SLS", s.sls);
    field("Started", s.start && s.start + " by the minion’s clock");
    if (s.comment) b.append(el("pre", "says", s.comment));
    for (const [cls, name, texts] of [["because", "Because:", s.because], ["warning", "Warning:", s.warnings]]) {
      for (const text of texts) {
        const p = el("p", cls);
        p.append(el("b", "", name), " ", el("bdi", "", text));
        b.append(p);
      }
    }
    if (s.tree) b.append(el("h4", "", "Changes"), el("pre", "", s.tree));
    if (s.diff) {
      const pre = el("pre", "diff");
      for (const line of s.diff.split("\n")) {
        const head = /^(\+\+\+|---|@@)/.test(line);
        pre.append(el("span", head ? "place" : line[0] === "+" ? "added" : line[0] === "-" ? "removed" : "", line + "\n"));
      }
      b.append(el("h4", "", "Diff"), pre);
    }
    return b;
  }
  function item(s) {
    const li = el("li"), d = el("details", "state " + s.outcome), summary = el("summary");
    const mark = el("span", "mark", marks[s.outcome]);
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", words[s.outcome]);
    const what = el("span", "what");
    what.append(el("bdi", "id", s.id), " ", el("bdi", "function", s.fn));
    if (s.name && s.name !== s.id) what.append(" ", el("bdi", "function name", s.name.length > 80 ? s.name.slice(0, 80) + "…" : s.name));
    summary.append(mark, what, el("bdi", "minion", s.minion.id), el("span", "time", time(s.ms)));
    d.append(summary);
    d.addEventListener("toggle", () => { if (d.open && d.children.length === 1) d.append(body(s)); });
    li.append(d);
    return li;
  }
  function list(section, data) {
    const root = section.querySelector(".list");
    const search = root.querySelector("input[type=search]"), select = root.querySelector("select");
    const boxes = [...root.querySelectorAll("input[type=checkbox]")];
    const items = root.querySelector(".states"), found = root.querySelector(".found"), place = root.querySelector(":scope > .more");
    let hits = [], shown = 0;

    for (const box of boxes) {
      const n = data.states.filter(s => s.outcome === box.value).length;
      box.parentNode.querySelector("b").textContent = n.toLocaleString("en");
      box.parentNode.hidden = n === 0;
    }
    for (const m of data.minions) if (m.states.length) select.append(new Option(m.id, m.index));

    const text = s => s.text ??= [s.minion.id, s.id, s.fn, s.name, s.sls, s.comment, s.tree, s.diff, ...s.because, ...s.warnings].join("\n").toLowerCase();
    function show(upTo) {
      const part = document.createDocumentFragment();
      for (; shown < Math.min(upTo, hits.length); shown++) part.append(item(hits[shown]));
      items.append(part);
      more(place, hits.length - shown, "Show more of the " + (hits.length - shown).toLocaleString("en") + " that follow", () => {
        const next = shown;
        show(shown + pageSize);
        items.children[next].querySelector("summary").focus();
      });
    }
    function filter() {
      const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const on = new Set(boxes.filter(b => b.checked).map(b => b.value));
      const of = select.value === "" ? data.states : data.minions[select.value].states;
      hits = of.filter(s => on.has(s.outcome) && terms.every(term => text(s).includes(term)));
      found.textContent = hits.length.toLocaleString("en") + " of " + data.total.toLocaleString("en") + " states" + (data.left ? ". " + data.left : "");
      items.replaceChildren();
      shown = 0;
      show(pageSize);
    }
    let waiting;
    search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
    select.addEventListener("change", filter);
    for (const box of boxes) box.addEventListener("change", filter);

    root.querySelector(".nojs").remove();
    root.querySelector(".filters").hidden = false;
    filter();
    return {
      minion(m) {
        search.value = "";
        select.value = m.index;
        filter();
        root.scrollIntoView();
      },
      open(s) {
        for (const box of boxes) box.checked = true;
        this.minion(s.minion);
        show(hits.indexOf(s) + 1);
        const d = items.children[hits.indexOf(s)].firstChild;
        d.open = true;
        d.scrollIntoView({ block: "center" });
        d.firstChild.focus({ preventScroll: true });
      },
    };
  }

  // round returns a number above another that people count in: 1, 2 or 5 with zeros.
  function round(n) {
    const power = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
    return [1, 2, 5, 10].find(f => f * power >= n) * power;
  }

  // The timeline.
  const widths = { ok: 1.5, changed: 3, pending: 3, failed: 6 }; // at least, of 1000: what took no time is to be seen
  const heights = { ok: 7, changed: 10, pending: 10, failed: 15 }; // so that colour is not all
  function timeline(section, data, states) {
    const root = section.querySelector(".timeline"), chart = root.querySelector(".chart"), tip = root.querySelector(".tip");
    const minions = data.minions.filter(m => m.bars.length);
    if (!minions.length) return;
    let from = Infinity, to = -Infinity;
    for (const m of minions) for (const s of m.bars) { from = Math.min(from, s.at); to = Math.max(to, s.at + s.ms); }
    const span = Math.max(to - from, 1), x = ms => (ms - from) / span * 1000;

    const axis = el("div", "axis"), ticks = el("div", "ticks");
    const step = round(span / (innerWidth < 640 ? 2 : 5));
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      const tick = el("span", "", time(Math.max(0, at)));
      tick.style.left = x(at) / 10 + "%";
      ticks.append(tick);
    }
    axis.append(el("span", "", "since the start"), ticks);
    chart.append(axis);

    const wide = b => Math.max(b.ms / span * 1000, widths[b.outcome]), left = b => Math.min(x(b.at), 1000 - wide(b));
    function row(m) {
      const r = el("div", "row"), name = el("span");
      name.append(el("bdi", "", m.id));
      name.title = m.id;
      const s = svg("svg", { viewBox: "0 0 1000 15", preserveAspectRatio: "none", tabindex: "0", role: "img" });
      const failed = m.bars.filter(b => b.outcome === "failed").length;
      s.setAttribute("aria-label", m.id + ": " + m.bars.length + " states" + (failed ? ", " + failed + " failed" : ""));
      for (const outcome of ["ok", "changed", "pending", "failed"]) {
        const h = heights[outcome], y = (15 - h) / 2;
        const d = m.bars.filter(b => b.outcome === outcome).map(b => "M" + left(b).toFixed(2) + " " + y + "h" + wide(b).toFixed(2) + "v" + h + "H" + left(b).toFixed(2) + "z").join("");
        if (d) s.append(svg("path", { class: outcome, d }));
      }
      const at = svg("rect", { class: "at", y: "0", height: "15", visibility: "hidden" });
      s.append(at);
      let now = -1;
      function tell(i, px, top) {
        now = i;
        const b = m.bars[i];
        at.setAttribute("x", left(b));
        at.setAttribute("width", wide(b));
        at.setAttribute("visibility", "visible");
        tip.textContent = marks[b.outcome] + " " + words[b.outcome] + ": " + b.id + "\n" + b.fn + ", " + time(b.ms) + ", on " + m.id;
        tip.hidden = false;
        tip.style.left = Math.max(4, Math.min(px, innerWidth - tip.offsetWidth - 8)) + "px";
        tip.style.top = (top + 24 + tip.offsetHeight > innerHeight ? top - tip.offsetHeight - 8 : top + 24) + "px";
      }
      function leave() { at.setAttribute("visibility", "hidden"); tip.hidden = true; }
      function nearest(e) {
        const box = s.getBoundingClientRect(), when = from + (e.clientX - box.left) / box.width * span;
        let best = 0, least = Infinity;
        m.bars.forEach((b, i) => {
          const away = when < b.at ? b.at - when : Math.max(0, when - b.at - b.ms);
          if (away < least || away === least && b.outcome === "failed") { best = i; least = away; }
        });
        return best;
      }
      function here() {
        const box = s.getBoundingClientRect();
        tell(now, box.left + x(m.bars[now].at) / 1000 * box.width, box.top);
      }
      s.addEventListener("pointermove", e => tell(nearest(e), e.clientX, e.clientY));
      s.addEventListener("pointerleave", leave);
      s.addEventListener("click", e => { leave(); states.open(m.bars[nearest(e)]); });
      s.addEventListener("focus", () => {
        if (!s.matches(":focus-visible")) return;
        if (now < 0) now = Math.max(0, m.bars.findIndex(b => b.outcome === "failed"));
        here();
      });
      s.addEventListener("blur", leave);
      s.addEventListener("keydown", e => {
        const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: m.bars.length - 1 }[e.key];
        if (e.key === "Escape") leave();
        if (to === undefined) return;
        e.preventDefault();
        now = Math.max(0, Math.min(m.bars.length - 1, to));
        here();
      });
      s.addEventListener("keyup", e => { // earlier, the key would close the state again, which has the focus by then
        if (e.key !== "Enter" || now < 0) return;
        leave();
        states.open(m.bars[now]);
      });
      r.append(name, s);
      return r;
    }
    let shown = 0;
    function show() {
      const part = document.createDocumentFragment();
      for (const end = Math.min(shown + rowSize, minions.length); shown < end; shown++) part.append(row(minions[shown]));
      chart.append(part);
      more(root.querySelector(".more"), minions.length - shown, "Show more of the " + (minions.length - shown).toLocaleString("en") + " that follow", show);
    }
    root.hidden = false;
    show();
  }

  for (const section of document.querySelectorAll(".target")) {
    const source = section.querySelector("script[type='application/json']");
    if (source) build(section, JSON.parse(source.textContent));
    else section.querySelector(".list").hidden = true;
    for (const a of section.querySelectorAll(".contents a")) a.hidden = document.querySelector(a.getAttribute("href")).hidden;
  }
  function build(section, data) {
    data.minions = data.minions.map((id, index) => ({ id, index, states: [], bars: [] }));
    data.states = data.states.map(([minion, run, outcome, id, fn, ms, at, name, sls, start, comment, tree, diff, warnings, because]) =>
      ({ minion: data.minions[minion], run, outcome: { f: "failed", c: "changed", p: "pending", o: "ok" }[outcome], id, fn, ms, at, name, sls, start, comment, tree, diff, warnings: warnings || [], because: because || [] }));
    data.states.sort((a, b) => a.minion.index - b.minion.index || a.run - b.run);
    for (const s of data.states) {
      s.minion.states.push(s);
      if (s.at !== null) s.minion.bars.push(s);
    }
    for (const m of data.minions) m.bars.sort((a, b) => a.at - b.at);
    const states = list(section, data);
    timeline(section, data, states);
    // Rows of the table are in the order of the data.
    section.querySelectorAll(".minions tbody th").forEach((th, i) => {
      const m = data.minions[i];
      if (!m || !m.states.length) return;
      const button = el("button");
      button.type = "button";
      button.title = "Show its states";
      button.append(...th.childNodes);
      button.addEventListener("click", () => states.minion(m));
      th.append(button);
    });
  }
  addEventListener("beforeprint", () => { for (const d of document.querySelectorAll(".failures details")) d.open = true; });
})();
