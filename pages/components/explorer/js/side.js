// The right-hand side: what plays now, and the nearest neighbours.

class Side {
  // act: { play(segment, part), again(), part(name), select(segment), row(), point(segment),
  //        option(name, value) }
  constructor(root, act) {
    this.act = act;
    this.find = (name) => root.querySelector(name);
    this.rows = new Map(); // segment → its row's elements
    this.waveOf = null;

    this.find(".play").onclick = act.again;
    this.find(".row-play").onclick = act.row;
    for (const button of root.querySelectorAll(".part button")) {
      button.onclick = () => act.part(button.dataset.part);
    }
    radioKeys(this.find(".part"));
    for (const name of ["among", "by", "count", "library"]) {
      this.find(`.${name}`).onchange = ({ target }) => {
        act.option(name, name === "count" ? Number(target.value) : target.value);
      };
    }
  }

  // The instrument that is compared; null for the whole.
  instrument(instrument, colour) {
    this.stem = instrument;
    this.colour = colour;
  }

  // The instrument of the map that is pointed at, which can be heard alone.
  hears(name) {
    this.find(".part").hidden = name === "whole";
    this.find('.part [data-part="stem"]').textContent = `Only the ${name}`;
  }

  part(part) {
    for (const button of this.find(".part").children) {
      const chosen = button.dataset.part === part;
      button.setAttribute("aria-checked", chosen);
      button.tabIndex = chosen ? 0 : -1;
    }
  }

  options(view, libraries, focuses) {
    const by = this.find(".by");
    this.find(".focus-choice").hidden = !focuses.length;
    by.replaceChildren(new Option("the map's instrument", ""),
      ...focuses.map((name) => new Option(name, name)));
    by.value = view.by;
    this.find(".among").value = view.among;
    this.find(".count").value = String(view.count);
    const select = this.find(".library");
    this.find(".library-choice").hidden = libraries.length < 2;
    select.replaceChildren(...libraries.map((name) => new Option(name, name)));
    select.value = view.library;
  }

  // What is heard, or was heard last.
  now(clip, playing, loading) {
    const button = this.find(".play");
    button.disabled = !clip;
    button.replaceChildren(icon(playing ? "stop" : "play"));
    button.setAttribute("aria-label", playing ? "Stop" : "Play");
    button.classList.toggle("busy", loading);
    if (!clip) return;
    this.find(".now-title").textContent = clip.title;
    this.find(".now-line").textContent = clip.line;
    this.find(".now-line").classList.toggle("warn", clip.warn);
  }

  wave(buffer, progress, ratio) {
    paintWave(this.find(".wave"), buffer, progress, this.colour, ratio);
  }

  // The steps for a first visit; each is ticked once done.
  step(name) {
    this.find(`[data-step="${name}"]`).classList.add("done");
  }

  near(selected, neighbours, scale, waiting, focus) {
    const any = selected !== null;
    this.find(".steps").hidden = any;
    this.find(".near-head").hidden = this.find(".list").hidden = this.find(".options").hidden = !any;
    if (!any) return;
    const by = focus || this.stem?.name;
    this.find(".near-title").textContent = by ? `Nearest by ${by}` : "Nearest as a whole";
    this.find(".near-line").textContent = `to ${selected.title}, ${selected.time}`;
    this.find(".list").classList.toggle("waiting", waiting);
    if (waiting) return;
    this.rows.clear();
    this.find(".list").replaceChildren(
      ...neighbours.map((neighbour) => this.#row(neighbour, scale)),
    );
    if (!neighbours.length) {
      this.find(".list").append(element("li", "none", "There is no other piece to compare with."));
    }
  }

  #row({ segment, rank, distance, title, time, lacks }, scale) {
    const row = element("li", "neighbour");
    const name = element("button", "name");
    name.type = "button";
    name.title = "Show the nearest to this one";
    name.append(element("span", "name-title", title), element("span", "name-time", time));
    name.onclick = () => this.act.select(segment);

    const bar = element("span", "bar");
    const fill = element("i");
    fill.style.width = `${Math.min(100, (100 * Math.max(distance, 0)) / (scale || 1)).toFixed(1)}%`;
    bar.append(fill);
    const away = element("span", "away");
    away.title = `Distance ${distance.toFixed(3)}; two dots drawn at random are about ${scale.toFixed(2)} apart`;
    away.append(bar, element("span", "number", distance.toFixed(2)));

    const plays = element("span", "plays");
    const buttons = [this.#button(segment, "mix", "play", `Play number ${rank}, the mix`)];
    if (this.stem) {
      const stem = this.#button(segment, this.stem.name, this.stem.name,
        lacks ? `No ${this.stem.name} here` : `Play number ${rank}, only the ${this.stem.name}`);
      stem.classList.add("stem");
      stem.disabled = lacks;
      buttons.push(stem);
    }
    plays.append(...buttons);

    row.append(element("span", "rank", String(rank)), name, away, plays);
    row.onpointerenter = () => this.act.point(segment);
    row.onpointerleave = () => this.act.point(-1);
    this.rows.set(segment, { row, buttons });
    return row;
  }

  #button(segment, part, glyph, label) {
    const button = element("button", "tool icon");
    button.type = "button";
    button.title = label;
    button.setAttribute("aria-label", label);
    Object.assign(button.dataset, { part, glyph });
    button.append(icon(glyph));
    button.onclick = () => this.act.play(segment, part);
    return button;
  }

  // Show which row sounds.
  sounding(now) {
    for (const [segment, { row, buttons }] of this.rows) {
      row.classList.toggle("sounding", now?.segment === segment);
      for (const button of buttons) {
        const on = now?.segment === segment && now.part === button.dataset.part;
        if (button.classList.contains("on") === on) continue;
        button.classList.toggle("on", on);
        button.replaceChildren(icon(on ? "stop" : button.dataset.glyph));
      }
    }
  }

  rowButton(running) {
    this.find(".row-play").replaceChildren(icon(running ? "stop" : "row"),
      element("span", "", running ? "Stop" : "Play in a row"));
  }
}

// Arrow keys inside a group of radio buttons choose the one before or after.
function radioKeys(group) {
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const all = [...group.children];
    const next = all[(all.indexOf(event.target.closest("button")) + step + all.length) % all.length];
    next.focus();
    next.click();
  });
}
