// The list of what was found. A is the query, B the answer that was heard last; all clips have one
// loudness. The keys: x changes between A and B.

class Results {
  constructor(root, tell) {
    Object.assign(this, { root, tell, part: "mix", last: null });
    this.find = (name) => root.querySelector(name);
    this.where = new Where(this.find(".where"));
    this.find(".query-play").onclick = () => this.query();
    this.changed = () => this.heard();
    player().listeners.add(this.changed);
    this.key = (event) => this.pressed(event);
    document.addEventListener("keydown", this.key);
    root.results = this; // for tests and curious people
  }

  destroy() {
    player().listeners.delete(this.changed);
    document.removeEventListener("keydown", this.key);
    this.where.destroy();
    player().sound.stop();
  }

  receive(data) {
    if (!data.found.some(({ row }) => row === this.last)) this.last = null;
    this.data = data;
    this.find(".query-play span").textContent = data.query.title;
    this.parts();
    this.rows();
    this.where.receive(data);
    this.heard();
    this.root.dataset.rows = data.found.map(({ row }) => row).join(" ");
  }

  // ---- what is heard --------------------------------------------------------------------------

  query(then = null) {
    const { clips } = this.data.query;
    toggle("A", clips[this.part] ?? clips.mix, then);
  }

  answer(one) {
    this.last = one.row;
    toggle(one.row, one.clips[this.part]);
  }

  // First the query, then the answer; pressed again it goes on to the other at once.
  compare(one) {
    const { sound } = player();
    this.last = one.row;
    if (sounds("A", this.data.query.clips[this.part] ?? this.data.query.clips.mix)) this.answer(one);
    else this.query(() => this.answer(one));
  }

  pressed(event) {
    const typing = event.composedPath()[0]?.matches?.("input, textarea, select, [contenteditable]");
    if (event.key !== "x" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const one = this.data.found.find(({ row }) => row === this.last) ?? this.data.found[0];
    if (sounds(one.row, one.clips[this.part])) this.query();
    else this.answer(one);
  }

  heard() {
    if (!this.data) return;
    const { sound } = player();
    const { clips, title } = this.data.query;
    playButton(this.find(".query-play"), sounds("A", clips[this.part] ?? clips.mix), `the query, ${title}`);
    this.find(".problem").textContent = sound.problem;
    for (const one of this.data.found) {
      const item = this.items.get(one.row);
      const on = sounds(one.row, one.clips[this.part]);
      item.classList.toggle("on", on);
      playButton(item.querySelector(".play"), on, `${one.title}, ${one.about}`);
    }
    this.root.dataset.heard = sound.now ? String(sound.now.segment) : "";
  }

  // ---- what is drawn --------------------------------------------------------------------------

  parts() {
    const names = ["mix", ...this.data.instruments.map(({ name }) => name)];
    this.find(".parts").replaceChildren(...names.map((name) => {
      const button = element("button", "part", name === "mix" ? "Mix" : name[0].toUpperCase() + name.slice(1));
      const own = this.data.instruments.find((one) => one.name === name);
      button.type = "button";
      button.style.setProperty("--own", own?.colour ?? "var(--text)");
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", String(name === this.part));
      button.tabIndex = name === this.part ? 0 : -1;
      button.onclick = () => this.choose(name);
      button.onkeydown = ({ key }) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[key];
        if (!step) return;
        this.choose(names[(names.indexOf(name) + step + names.length) % names.length]);
        this.find('.part[aria-checked="true"]').focus();
      };
      return button;
    }));
  }

  choose(part) {
    const playing = this.data.found.find((one) => sounds(one.row, one.clips[this.part]));
    this.part = part;
    this.parts();
    if (playing) this.answer(playing);
    else this.heard();
  }

  rows() {
    const { found, instruments, typical } = this.data;
    const sizes = found.map(({ shares }) => shares.reduce((sum, share) => sum + Math.abs(share), 0));
    const full = Math.max(typical, ...sizes);
    this.items = new Map(found.map((one, i) => [one.row, this.row(one, i, full, instruments)]));
    this.find(".list").replaceChildren(...this.items.values());
  }

  row(one, i, full, instruments) {
    const item = element("li", "answer");
    const play = element("button", "play round");
    play.onclick = () => this.answer(one);
    const words = element("div", "words");
    words.append(element("strong", "", one.title), element("span", "soft", one.about));
    if (one.silent.length) words.append(element("span", "soft", `no ${one.silent.join(", no ")} here`));
    const measure = element("div", "measure");
    const distance = element("span", "distance", one.distance.toFixed(2));
    distance.title = "Distance: 0 is the same";
    distance.setAttribute("aria-label", `distance ${one.distance.toFixed(2)}`);
    measure.append(bar(one.shares, instruments, full), distance);
    const more = element("div", "more");
    const compare = element("button", "small", "A/B");
    compare.title = "Hear the query, then this; press again to go to the other at once";
    compare.setAttribute("aria-label", `Compare the query with ${one.title}`);
    compare.onclick = () => this.compare(one);
    const ask = element("button", "small", "Ask with this");
    ask.setAttribute("aria-label", `Ask with ${one.title}`);
    ask.onclick = () => this.tell("ask", one.row);
    const explore = element("a", "small", "Map");
    explore.href = one.explore;
    explore.target = "_blank";
    explore.setAttribute("aria-label", `Show ${one.title} on the map, in a new tab`);
    more.append(compare, ask, explore);
    for (const button of [play, compare, ask]) button.type = "button";
    item.append(element("span", "rank", String(i + 1)), play, words, measure, more);
    item.onpointerenter = () => this.where.draw(one.row);
    item.onpointerleave = () => this.where.draw(null);
    return item;
  }
}

const mounted = new WeakMap();

export default function show({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".found");
  if (!mounted.has(root)) mounted.set(root, new Results(root, setTriggerValue));
  const results = mounted.get(root);
  results.tell = setTriggerValue;
  results.receive(data);
  return () => results.destroy();
}
