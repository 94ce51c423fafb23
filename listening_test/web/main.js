// The listener's page: asks the server what comes next, shows it, sends what was answered.

import { Api, Patience, Trouble, uuid } from "./api.js";
import { Headphones, Level } from "./checks.js";
import { element } from "./dom.js";
import { Events } from "./events.js";
import { Frame } from "./frame.js";
import { listen } from "./keys.js";
import { LabPlayer } from "./lab-player.js";
import { Outbox } from "./outbox.js";
import { Break, Closed, Consent, Done, HeadphonesFailed } from "./plain.js";
import { Player } from "./player.js";
import { Questionnaire } from "./questionnaire.js";
import { Store } from "./store.js";
import { LANGUAGES, Texts } from "./texts.js";
import { Trial } from "./trial.js";

const VERSION = 1;
const SCREENS = {
  consent: Consent, headphones: Headphones, "headphones-failed": HeadphonesFailed, level: Level,
  trial: Trial, break: Break, questionnaire: Questionnaire, done: Done, closed: Closed,
};
const TRIES = 8; // of a look at the state that nobody waits for
const SLOW = 1200; // milliseconds until a delay is mentioned

class App {
  constructor() {
    const root = location.pathname.replace(/\/+$/, "");
    const token = root.split("/").at(-1);
    this.stage = document.getElementById("stage");
    this.store = new Store(token);
    this.api = new Api(root);
    this.events = new Events(this.api, this.store);
    this.outbox = new Outbox(this.api, this.store, (state, sentence) => this.sending(state, sentence));
    this.frame = new Frame();
    this.player = null;
    this.screen = null;
    this.state = null;
    this.shown = ""; // what the screen stands for
    this.tabs = "BroadcastChannel" in window ? new BroadcastChannel(`listen.${token}`) : null;
  }

  async start() {
    await this.speak(this.store.get("language") ?? navigator.language.slice(0, 2));
    listen(() => this.screen?.keys ?? {});
    for (const kind of ["pointerdown", "pointerup", "click", "keydown"]) {
      addEventListener(kind, () => this.player?.wake(), { capture: true, passive: true });
    }
    this.#watch();
    const reply = await this.outbox.deliver(); // what an earlier page could not get rid of
    if (reply?.body.state) await this.go(reply.body.state);
    else await this.ask();
    requestAnimationFrame(() => this.tick());
  }

  async speak(language) {
    const known = LANGUAGES.includes(language) ? language : LANGUAGES[0];
    if (this.texts?.language === known) return;
    const patience = new Patience();
    for (;;) {
      try {
        this.texts = await Texts.load(known);
        break;
      } catch {
        await patience.wait();
      }
    }
    document.documentElement.lang = known;
    document.title = this.texts.say("title");
  }

  #watch() {
    addEventListener("blur", () => this.events.note("blur"));
    addEventListener("focus", () => { this.events.note("focus"); this.refresh(); });
    document.addEventListener("visibilitychange", () => {
      this.events.note(document.hidden ? "hidden" : "visible");
      if (document.hidden) this.leave();
      else this.refresh();
    });
    addEventListener("pagehide", () => this.leave());
    addEventListener("pageshow", (event) => { if (event.persisted) this.refresh(); });
    addEventListener("offline", () => this.events.note("offline"));
    addEventListener("online", () => { this.events.note("online"); this.player?.retry(); });
    addEventListener("beforeunload", (event) => { if (!this.outbox.empty) event.preventDefault(); });
    this.tabs?.addEventListener("message", ({ data }) => {
      if (data === "playing" && this.player?.playing >= 0) this.player.pause();
      if (data === "moved") this.refresh();
    });
  }

  leave() {
    this.screen?.remember?.();
    this.outbox.leave();
    this.events.leave();
  }

  // Draw what moves while something sounds.
  tick() {
    if (this.player && (this.player.playing >= 0 || this.moved)) this.screen?.show?.();
    this.moved = this.player?.playing >= 0;
    requestAnimationFrame(() => this.tick());
  }

  // ---- the server ------------------------------------------------------------------------------

  // Ask what comes next until there is an answer.
  async ask() {
    const patience = new Patience();
    const slow = setTimeout(() => this.frame.trouble(this.texts.say("connecting")), SLOW);
    for (;;) {
      try {
        const reply = await this.api.ask("state");
        clearTimeout(slow);
        this.frame.trouble("");
        await this.#take(reply);
        return;
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        await patience.wait();
      }
    }
  }

  // Another tab, or an experimenter, may have gone on meanwhile. Tabs share what is not sent yet:
  // whoever is there sends it, and the server counts it once.
  async refresh() {
    if (this.refreshing) return;
    this.refreshing = true;
    const patience = new Patience();
    for (let tries = 0; tries < TRIES && this.state && !this.occupied; tries++) {
      try {
        const reply = this.outbox.empty ? await this.api.ask("state") : await this.outbox.deliver();
        if (reply) {
          if (!this.occupied) await this.#take(reply);
          break;
        }
      } catch (error) {
        if (!(error instanceof Trouble)) throw error;
        await patience.wait();
      }
    }
    this.refreshing = false;
  }

  // Whether somebody is in the middle of answering here.
  get occupied() { return Boolean(this.screen?.holding || this.screen?.busy); }

  async #take({ status, body, sentence }) {
    if (body.state) await this.go(body.state);
    else if (status === 200) await this.go(body);
    else if (status === 404) this.over("unknown");
    else if (status === 410) this.over("closed");
    else this.frame.trouble(sentence || this.texts.say("connecting"));
  }

  // The end, whatever the reason.
  over(reason) {
    const state = { progress: { done: 0, total: 0, minutes_left: 0 }, preview: false, next: [] };
    this.go({ version: VERSION, ...this.state, ...state, step: { kind: "closed", reason } });
  }

  // Send an answer or a step, however long it takes. → the reply, or null where the screen stays
  // as it is or has been replaced already.
  async send(path, body) {
    this.frame.saving(this.texts, "saving");
    this.outbox.put(path, { id: uuid(), ...body });
    const reply = await this.outbox.deliver();
    if (!reply) { // another tab has sent it
      await this.ask();
      return null;
    }
    if (reply.status === 200) {
      this.frame.trouble("");
      this.frame.saving(this.texts, "saved");
      this.tabs?.postMessage("moved");
      return reply.body;
    }
    this.frame.saving(this.texts, "");
    if (reply.status === 409 || reply.status === 404 || reply.status === 410) {
      await this.#take(reply);
      return null;
    }
    await this.ask(); // refused: perhaps the question is another by now
    this.frame.trouble(reply.sentence);
    return null;
  }

  sending(state, sentence) {
    if (!this.texts) return;
    clearTimeout(this.slow);
    if (state === "saved" || state === "empty") this.frame.trouble("");
    if (state === "saved") this.frame.saving(this.texts, "saved");
    if (state !== "waiting") return;
    this.frame.saving(this.texts, "saving");
    this.slow = setTimeout(() => this.frame.trouble(
      sentence ? `${sentence} ${this.texts.say("unsaved.kept")}` : this.texts.say("unsaved")), SLOW / 2);
  }

  // ---- screens ---------------------------------------------------------------------------------

  async go(state) {
    if (state.version !== undefined && state.version !== VERSION && !this.store.get("reloaded")) {
      this.store.set("reloaded", true); // the server is newer than this page
      location.reload();
      return;
    }
    if (state.version === VERSION) this.store.remove("reloaded");
    if (state.language) {
      await this.speak(state.language);
      this.store.set("language", this.texts.language);
    }
    this.state = state;
    this.#listenTo(state.lab);
    const { kind, trial, id, number, attempt, reason } = state.step;
    const shown = JSON.stringify([kind, trial, id, number, attempt, reason]);
    if (shown !== this.shown) this.#show(shown, state.step);
    this.frame.update(this.texts, state, this.screen.where);
    this.player.ahead(state.next ?? []);
  }

  #listenTo(lab) {
    if (this.player) return;
    const hooks = {
      changed: () => this.screen?.show?.(),
      note: (kind, clip, position) => {
        this.events.note(kind, clip, position);
        if (kind === "play") this.tabs?.postMessage("playing");
      },
      gone: () => this.refresh(),
    };
    this.player = lab ? new LabPlayer(this.api, hooks) : new Player(this.api, hooks);
    if (!lab) this.player.volume = this.store.get("volume") ?? 1;
  }

  volume(level) {
    this.player.volume = level;
    this.store.set("volume", this.player.volume);
  }

  #show(shown, step) {
    this.player.stop();
    this.screen?.close?.();
    this.screen = null;
    this.shown = shown;
    this.events.trial = step.trial ?? null;
    const Screen = SCREENS[step.kind];
    const screen = new Screen(step, this);
    this.stage.className = step.kind;
    document.documentElement.dataset.instrument = step.instrument ?? "";
    this.stage.replaceChildren(...screen.nodes);
    this.screen = screen;
    document.title = screen.where || this.texts.say("title");
    scrollTo(0, 0);
    screen.heading.focus({ preventScroll: true });
    this.events.note("shown");
  }
}

const app = new App();
app.start().catch((error) => {
  document.getElementById("stage").replaceChildren(element("p", { role: "alert", text: String(error) }));
  throw error;
});
document.listen = app; // for the curious, and for tests
